"""What each verb of the control socket does to the engine; the only writer of its flags."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from engine.config import instruments
from engine.control.protocol import (
    AnyReply,
    AnyRequest,
    Done,
    Echo,
    Kill,
    Pause,
    Probe,
    ProcessStatus,
    Refused,
    Reset,
    Resume,
    Status,
    StatusReply,
    Stop,
    StrategyStatus,
    VenueStatus,
    encode,
)
from engine.control.supervisor import Child, Supervisor
from engine.runtime.context import Context
from engine.runtime.wire import Publisher
from shm.board import InstrumentTable
from shm.book import BookSegment, is_live
from shm.counters import ControlCounter
from shm.layout import EngineState, ProcessState, TradingState
from shm.segment import Segment

KILL_FILE: Final = "kill"  # in the run folder; whoever can write there may kill
EVENTS_SOCKET: Final = "events.ipc"
EVENTS_PREFIX: Final = b"event "


class Commands:
    """The engine's state as control owns it: engine, venue, strategy and symbol flags."""

    def __init__(self, context: Context) -> None:
        self._context, self._engine = context, context.control.engine
        self.supervisor: Supervisor | None = None
        self.stop_asked = False
        self._kill_reason = ""
        self._halt_reason = ""
        self._events = Publisher(context.run.file(EVENTS_SOCKET), EVENTS_PREFIX)
        table = instruments(context.config)
        segment = Segment.attach(context.run, "instruments", writable=True)
        self._instruments = InstrumentTable(segment.words, len(table))
        self._symbols: dict[str, list[int]] = {}
        for each in table:
            self._symbols.setdefault(each.name, []).append(each.index)
        self._books = [
            BookSegment(Segment.attach(context.run, f"books.{venue}").words,
                        context.config.books.depth, len(wanted.symbols))
            for venue, wanted in context.config.venues.items()
        ]
        self._verbs: dict[type, Callable[..., AnyReply]] = {
            Status: self._status, Stop: self._stop, Pause: self._pause, Resume: self._resume,
            Kill: self._kill, Reset: self._reset, Probe: self._probe,
        }

    def answer(self, request: AnyRequest) -> AnyReply:
        """Carry out one request; every verb may be repeated."""
        return self._verbs[type(request)](request)

    def announce(self, event: str, **facts: object) -> None:
        """Log an event and publish it on the events socket."""
        self._context.log.warning(event, **facts)
        whole = {"event": event, "unix_ns": self._context.clock.unix_ns(), **facts}
        if self._events.send(encode(whole)):
            self._context.counters.count(ControlCounter.EVENTS)

    def close(self) -> None:
        """Close the events socket."""
        self._events.close()

    # ------------------------------------------------------------ what control does by itself
    def kill(self, reason: str) -> None:
        """Set the kill word first, then tell; the file outlives control."""
        if self._engine["kill"]:
            return
        self._engine["kill"] = 1
        self._engine["trading_state"] = TradingState.EMERGENCY
        self._engine["kill_mono_ns"] = self._context.clock.mono_ns()
        self._kill_reason = reason
        if not self.kill_file.exists():
            self.kill_file.write_text(reason)
        self.announce("killed", reason=reason)

    @property
    def kill_file(self) -> Path:
        """Return the file whose presence kills."""
        return self._context.run.file(KILL_FILE)

    def halt(self, child: Child, cause: str) -> None:
        """Halt trading because a process cannot be kept alive; books may flow on."""
        self._engine["state"] = EngineState.HALTED
        if self._engine["trading_state"] < TradingState.HALTED:
            self._engine["trading_state"] = TradingState.HALTED
        self._halt_reason = f"{child.role.name}: {cause}"
        self.announce("halted", child=child.role.name, cause=cause)

    def look(self) -> None:
        """Notice the kill file, and the moment in which everything runs."""
        if not self._engine["kill"] and self.kill_file.exists():
            self.kill(self.kill_file.read_text(errors="replace")[:200] or "the kill file")
        starting = self._engine["state"] == EngineState.STARTING
        if starting and all(self._state(row) is ProcessState.READY for row in self._rows()):
            self._engine["state"] = EngineState.RUNNING
            self.announce("running")

    # ------------------------------------------------------------ the verbs
    def _stop(self, _request: Stop) -> AnyReply:
        self.stop_asked = True
        return Done("stopping")

    def _probe(self, request: Probe) -> AnyReply:
        return Echo(request.token)

    def _kill(self, request: Kill) -> AnyReply:
        self.kill(request.reason or "an operator")
        return Done(f"killed ({self._kill_reason}): nothing leaves execution until a reset")

    def _reset(self, request: Reset) -> AnyReply:
        assert self.supervisor is not None
        self.kill_file.unlink(missing_ok=True)
        revived = self.supervisor.revive()
        self._engine["kill"] = 0
        if self._engine["state"] == EngineState.HALTED:
            self._engine["state"] = EngineState.STARTING if revived else EngineState.RUNNING
        self._engine["trading_state"] = TradingState.ACTIVE
        self._kill_reason = self._halt_reason = ""
        self.announce("reset", reason=request.reason, revived=revived)
        started = f"; started {', '.join(revived)}" if revived else ""
        return Done(f"reset: trading active{started}")

    def _pause(self, request: Pause) -> AnyReply:
        return self._set_enabled(request.target, enabled=False)

    def _resume(self, request: Resume) -> AnyReply:
        return self._set_enabled(request.target, enabled=True)

    def _set_enabled(self, target: str, *, enabled: bool) -> AnyReply:
        """Flip the flag of a venue, a symbol or a strategy, or with no target of everything."""
        view, done = self._context.control, "resumed" if enabled else "paused"
        venues, strategies = [*self._context.config.venues], self._strategies()
        if not target:
            self._engine["paused"] = 0 if enabled else 1
        elif target in venues:
            view.venues[venues.index(target)]["enabled"] = int(enabled)
        elif target in strategies:
            view.strategies[strategies.index(target)]["enabled"] = int(enabled)
        elif target in self._symbols:
            for index in self._symbols[target]:
                self._instruments[index]["enabled"] = int(enabled)
        else:
            known = ", ".join([*venues, *strategies, *self._symbols])
            return Refused(f"{target!r} is no venue, symbol or strategy of this engine: {known}")
        self.announce(done, target=target or "everything")
        return Done(f"{done} {target or 'everything'}")

    def _status(self, _request: Status) -> AnyReply:
        context, engine, now = self._context, self._engine, self._context.clock.mono_ns()
        return StatusReply(
            name=context.config.name, folder=str(context.run.path), mode=context.config.mode,
            run=context.run_id,
            state=EngineState(engine["state"]).name.lower(),
            trading_state=TradingState(engine["trading_state"]).name.lower(),
            killed=bool(engine["kill"]), kill_reason=self._kill_reason,
            halt_reason=self._halt_reason, paused=bool(engine["paused"]),
            paused_symbols=[name for name, indices in self._symbols.items()
                            if not self._instruments[indices[0]]["enabled"]],
            uptime_s=(now - engine["started_mono_ns"]) / 1e9,
            processes=self._processes(now), venues=self._venues(),
            strategies=[StrategyStatus(name, bool(context.control.strategies[index]["enabled"]))
                        for index, name in enumerate(self._strategies())],
            requests_refused=context.counters.value(ControlCounter.REQUESTS_REFUSED),
        )

    # ------------------------------------------------------------ reading the board
    def _strategies(self) -> list[str]:
        rows = self._context.control.strategies
        names = (rows[index].text("name") for index in range(len(rows)))
        return [name for name in names if name]

    def _rows(self) -> range:
        return range(self._engine["process_count"])

    def _state(self, index: int) -> ProcessState:
        return ProcessState(self._context.control.processes[index]["state"])

    def _processes(self, now: int) -> list[ProcessStatus]:
        found = []
        for index in self._rows():
            row = self._context.control.processes[index]
            beat = row["heartbeat_mono_ns"]
            found.append(ProcessStatus(
                name=row.text("name"), pid=row["pid"], state=self._state(index).name.lower(),
                epoch=row["epoch"], restarts=row["restarts"], exit_code=row["exit_code"],
                verdict=row.text("verdict"), heartbeat_age_ms=(now - beat) / 1e6 if beat else -1.0,
                progress=row["progress"], rss_bytes=row["rss_bytes"], cpu=row["cpu"],
            ))
        return found

    def _venues(self) -> list[VenueStatus]:
        found, view = [], self._context.control
        for index, (venue, books) in enumerate(
            zip(self._context.config.venues, self._books, strict=True)
        ):
            flag = view.venues[index]
            epoch = view.processes[flag["process"]]["epoch"]
            live = sum(is_live(books.words, books.base(local), epoch)
                       for local in range(books.count))
            found.append(VenueStatus(venue, bool(flag["enabled"]), books.count, live))
        return found
