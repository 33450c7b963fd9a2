"""What each verb of the control socket does to the engine; the only writer of its flags."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from engine.config import instruments
from engine.control.protocol import (
    EXEC_SOCKET,
    KILL_FILE,
    AnyReply,
    AnyRequest,
    Cancel,
    CancelAll,
    Done,
    Flatten,
    Kill,
    Pause,
    Place,
    ProcessStatus,
    Refused,
    Reset,
    Resume,
    Status,
    StatusReply,
    Stop,
    StrategyStatus,
    Unanswered,
    VenueStatus,
    encode,
)
from engine.control.relay import HandOn
from engine.control.standing import Standing, save, saved
from engine.control.supervisor import Child, Supervisor
from engine.model.errors import SegmentInvalid
from engine.runtime.context import Context
from engine.runtime.wire import Publisher
from shm.board import InstrumentTable
from shm.book import BookSegment, is_live
from shm.counters import ControlCounter, CounterBlock, GuardCounter
from shm.layout import EngineState, ProcessState, TradingState
from shm.segment import Segment

KILL_REASON_MAX: Final = 200  # characters kept
EVENTS_SOCKET: Final = "events.ipc"
EVENTS_PREFIX: Final = b"event "


class Commands:
    """The engine's state as control owns it: engine, venue, strategy and symbol flags."""

    def __init__(self, context: Context) -> None:
        self._context, self._engine = context, context.control.engine
        self.supervisor: Supervisor | None = None
        self.stop_asked = False
        self._killed = False  # and told; others may set the word as well
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
        self._incidents = 0  # of the guard, as far as they were told
        self._guard = self._block("guard")
        self._verbs: dict[type, Callable[..., AnyReply | HandOn]] = {
            Status: self._status, Stop: self._stop, Pause: self._pause, Resume: self._resume,
            Kill: self._kill, Reset: self._reset,
            **dict.fromkeys((Place, Cancel, CancelAll, Flatten), HandOn),
        }
        self._take_over()

    def answer(self, request: AnyRequest) -> AnyReply | HandOn:
        """Carry out one request, or say that execution is to; every verb may be repeated."""
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
        reason = reason[:KILL_REASON_MAX]
        self._engine["kill"] = 1
        if self._killed:
            return
        self._killed = True
        self._engine["trading_state"] = TradingState.EMERGENCY
        self._engine["kill_mono_ns"] = self._context.clock.mono_ns()
        self._kill_reason = reason
        if not self.kill_file.exists():
            try:
                self.kill_file.write_text(reason)
            except OSError as error:  # this control obeys all the same
                self._context.log.error("kill not kept for the next control", reason=str(error))
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
        self._keep()
        self.announce("halted", child=child.role.name, cause=cause)

    def look(self) -> None:
        """Notice a kill by others, word or file, and the moment in which everything runs."""
        if not self._killed and self.kill_file.exists():
            self.kill(self.kill_file.read_text(errors="replace") or "the kill file")
        elif not self._killed and self._engine["kill"]:
            self.kill("the kill word")
        if self._guard is not None:
            incidents = self._guard.value(GuardCounter.INCIDENTS)
            if incidents > self._incidents:
                self._incidents = incidents
                self.announce("the guard cancels everything", incidents=incidents)
        starting = self._engine["state"] == EngineState.STARTING
        if starting and all(self._state(row) is ProcessState.READY for row in self._rows()):
            self._engine["state"] = EngineState.RUNNING
            self.announce("running")

    def leave_to_the_next(self, why: str) -> None:
        """Tell why this control ends, and make sure that what stands is there for the next."""
        self.announce("ending", reason=why)
        self._context.run.create()
        if self._engine["kill"]:
            self.kill_file.write_text(self._kill_reason)
        self._keep()

    def _take_over(self) -> None:
        """Put in force what stood when the last control died; what cannot be read halts."""
        try:
            standing = saved(self._context.run)
        except SegmentInvalid as error:
            standing = Standing(halt_reason=f"what stood before is unknown: {error}")
        if standing == Standing():
            return
        self._engine["paused"] = int(standing.paused)
        unknown = [each for each in standing.targets if not self._flip(each, enabled=False)]
        self._halt_reason = standing.halt_reason
        if standing.halt_reason:
            self._engine["state"] = EngineState.HALTED
            self._engine["trading_state"] = TradingState.HALTED
        self._keep()
        self.announce("taken over", paused=standing.paused, targets=standing.targets,
                      unknown=unknown, halt_reason=standing.halt_reason)

    def _keep(self) -> str:
        """Leave for the next control what stands; return why it could not be left, or ""."""
        venues, strategies = self._context.config.venues, self._context.control.strategies
        targets = [name for index, name in enumerate(venues)
                   if not self._context.control.venues[index]["enabled"]]
        targets += [name for index, name in enumerate(self._strategies())
                    if not strategies[index]["enabled"]]
        targets += self._paused_symbols()
        try:
            save(self._context.run,
                 Standing(bool(self._engine["paused"]), targets, self._halt_reason))
        except OSError as error:
            self._context.log.error("not kept for the next control", reason=str(error))
            return f"; not kept, a restart of control forgets it: {error}"
        return ""

    def _block(self, process: str) -> CounterBlock | None:
        """Return the counters of a process, None where this run has none of that name."""
        try:
            index = self._context.control.processes.index_of(process)
        except KeyError:
            return None
        return CounterBlock(Segment.attach(self._context.run, "counters").words, index)

    # ------------------------------------------------------------ the verbs
    def _stop(self, _request: Stop) -> AnyReply:
        self.stop_asked = True
        return Done("stopping")

    def _kill(self, request: Kill) -> AnyReply:
        self.kill(request.reason or "an operator")
        return Done(f"killed ({self._kill_reason}): nothing leaves execution until a reset")

    def _reset(self, request: Reset) -> AnyReply | HandOn:
        """Take everything back that control did; execution's own trading state is its own."""
        assert self.supervisor is not None
        self.kill_file.unlink(missing_ok=True)
        revived = self.supervisor.revive()
        self._engine["kill"], self._killed = 0, False
        if self._engine["state"] == EngineState.HALTED:
            self._engine["state"] = EngineState.STARTING  # until ``look`` finds all ready
        self._engine["trading_state"] = TradingState.ACTIVE
        self._kill_reason = self._halt_reason = ""
        not_kept = self._keep()
        self.announce("reset", reason=request.reason, revived=revived)
        started = f"; started {', '.join(revived)}" if revived else ""
        if not self._context.run.file(EXEC_SOCKET).exists():  # it never traded in this run
            return Done(f"reset: trading active{started}{not_kept}")
        done = f"reset{started}{not_kept}"

        def whole(reply: AnyReply) -> AnyReply:
            if isinstance(reply, Done):
                return Done(f"{done}: {reply.text}")
            if isinstance(reply, Refused):
                return Refused(f"{done}, but execution refused it: {reply.text}")
            said = reply.text if isinstance(reply, Unanswered) else str(reply)
            return Unanswered(f"{done}, but trading may stay as it was, repeat the reset: {said}")

        return HandOn(request, whole)

    def _pause(self, request: Pause) -> AnyReply:
        return self._set_enabled(request.target, enabled=False)

    def _resume(self, request: Resume) -> AnyReply:
        return self._set_enabled(request.target, enabled=True)

    def _set_enabled(self, target: str, *, enabled: bool) -> AnyReply:
        """Flip the flag of a venue, a symbol or a strategy, or with no target of everything."""
        done = "resumed" if enabled else "paused"
        if not target:
            self._engine["paused"] = 0 if enabled else 1
        elif not self._flip(target, enabled=enabled):
            known = ", ".join([*self._context.config.venues, *self._strategies(), *self._symbols])
            return Refused(f"{target!r} is no venue, symbol or strategy of this engine: {known}")
        not_kept = self._keep()
        self.announce(done, target=target or "everything")
        return Done(f"{done} {target or 'everything'}{not_kept}")

    def _flip(self, target: str, *, enabled: bool) -> bool:
        """Set the flag of a venue, a strategy or a symbol; return whether there is one."""
        view, strategies = self._context.control, self._strategies()
        venues = [*self._context.config.venues]
        if target in venues:
            view.venues[venues.index(target)]["enabled"] = int(enabled)
        elif target in strategies:
            view.strategies[strategies.index(target)]["enabled"] = int(enabled)
        elif target in self._symbols:
            for index in self._symbols[target]:
                self._instruments[index]["enabled"] = int(enabled)
        else:
            return False
        return True

    def _paused_symbols(self) -> list[str]:
        return [name for name, indices in self._symbols.items()
                if not self._instruments[indices[0]]["enabled"]]

    def _status(self, _request: Status) -> AnyReply:
        context, engine, now = self._context, self._engine, self._context.clock.mono_ns()
        return StatusReply(
            name=context.config.name, folder=str(context.run.path), mode=context.config.mode,
            run=context.run_id,
            state=EngineState(engine["state"]).name.lower(),
            trading_state=TradingState(engine["trading_state"]).name.lower(),
            killed=bool(engine["kill"]), kill_reason=self._kill_reason,
            halt_reason=self._halt_reason, paused=bool(engine["paused"]),
            paused_symbols=self._paused_symbols(),
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
