"""The guard process: looks at execution twenty times a second, acts where it must.

``cancel-all`` and ``kill`` reach it over <run>/guard.ipc when nobody else answers.
"""

import asyncio
import os
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from engine.config import instruments
from engine.control.protocol import (
    GUARD_SOCKET,
    AnyReply,
    Done,
    Kill,
    Refused,
    decode_to_guard,
    encode,
)
from engine.model.errors import ConnectionLost
from engine.model.instrument import Instrument
from engine.runtime import books_folder, loop
from engine.runtime.context import Context
from engine.runtime.guarded import GuardedRouter
from exec.accounts import account_of, keys_of
from exec.gateways import endpoints
from exec.gateways.codec import Codec
from exec.gateways.endpoints import Endpoints
from exec.guard.canceller import Canceller
from exec.guard.watch import TICK_NS, Sight, Watch
from exec.listings import listings_of
from exec.venues.registry import codec_of, endpoints_of
from shm.board import InstrumentTable
from shm.counters import GuardCounter
from shm.layout import ProcessState
from shm.portfolio import PortfolioSegment
from shm.segment import Segment

EXEC: Final = "exec"
PROBE_TURNS: Final = 20
_S: Final = 1_000


class Guard:
    """Watches execution, and cancels everything where it is dead."""

    def __init__(self, context: Context) -> None:
        """Attach; raise KeyInvalid for keys that cannot be had, where venues are real."""
        config = context.config
        self._context = context
        self._table: Sequence[Instrument] = instruments(config)
        segment = Segment.attach(context.run, "instruments")
        self._rows = InstrumentTable(segment.words, len(self._table))
        self._row = context.control.processes[context.control.processes.index_of(EXEC)]
        self._portfolio = PortfolioSegment(Segment.attach(context.run, "portfolio").words)
        self.watch = Watch(int(config.execution.guard_after_ms * 1e6))
        if config.sim is None:
            keys_of(config, context.run, os.environ)  # told at once, not when it is too late
        proof_after_s = (
            config.execution.request_life_ms + config.execution.proof_margin_ms) / _S
        self._cancellers = {
            venue: Canceller(venue, self._maker(venue), proof_after_s, context.clock, context.log,
                             lambda: context.counters.count(GuardCounter.REQUESTS))
            for venue in config.venues}
        self._running: dict[str, asyncio.Task[bool]] = {}
        self._done: set[str] = set()  # venues that are proven empty, for the reason that stands
        self.why = ""
        self._asked: set[str] = set()  # venues, by an operator

    def _maker(self, venue: str) -> Callable[[], tuple[Codec, Endpoints]]:
        """Return what opens a venue's protocol anew: for nonces above those of execution."""
        def make() -> tuple[Codec, Endpoints]:
            config, run = self._context.config, self._context.run
            keys = keys_of(config, run, os.environ)
            at = (endpoints.simulated(run.path, venue) if config.sim is not None
                  else endpoints_of(venue, config.accounts.get(venue)))
            listings = listings_of(venue, self._table, self._rows)
            if at is None or not listings:
                raise ConnectionLost(f"{venue} has not told its address or its instruments yet")
            folder = books_folder.make(config, account_of(config, run, keys))
            return codec_of(venue, keys[venue], listings, folder.journal.parent), at

        return make

    # --- what it sees --------------------------------------------------------------------------

    def sight(self) -> Sight:
        """Return what there is to be seen of execution."""
        row = self._row
        return Sight(ProcessState(row["state"]), row["heartbeat_mono_ns"],
                     self._context.control.engine["kill"] != 0, self._maybe_open())

    def _maybe_open(self) -> bool:
        """Return whether orders may rest: unless execution said none does, and left by itself.

        One that died may have sent more than it told of.
        """
        version, portfolio = self._portfolio.read()
        head = portfolio["head"]
        if not version or head["live_orders"] or head["unknown_orders"]:
            return True
        left = ProcessState(self._row["state"]) is ProcessState.GONE and not self._row["exit_code"]
        return not left

    def turn(self) -> None:
        """Look, and begin, go on or end."""
        why = self.watch.look(self.sight(), self._context.clock.mono_ns())
        if self.watch.alive:
            self._asked.clear()
        self._stand(why)

    def _stand(self, watched: str) -> None:
        """Act for what the watch says at every venue, for an operator where he asked for it."""
        why = watched or ("an operator asked for it" if self._asked else "")
        if why and not self.why:
            self._context.counters.count(GuardCounter.INCIDENTS)
            self._context.log.error("the guard cancels everything", reason=why)
        elif self.why and not why:
            self._context.log.warning("the guard rests", reason=self.why, proven=[*self._done])
            self._done.clear()
            for task in self._running.values():
                task.cancel()
            self._running.clear()
        self.why = why
        for venue in self._cancellers if watched else sorted(self._asked):
            self._begin(venue)

    def _begin(self, venue: str) -> None:
        task = self._running.get(venue)
        if task is not None and task.done():
            if task.result():
                self._done.add(venue)
                self._context.counters.count(GuardCounter.PROOFS)
            del self._running[venue]
        if venue not in self._running and venue not in self._done:
            self._running[venue] = asyncio.get_running_loop().create_task(
                self._cancellers[venue].run(lambda: bool(self.why)), name=f"guard {venue}")

    # --- what it is asked for ------------------------------------------------------------------

    def answer(self, body: bytes) -> AnyReply:
        """Answer one request of an operator."""
        try:
            request = decode_to_guard(body)
        except (msgspec.DecodeError, RecursionError) as error:
            return Refused(f"not a request to the guard: {error}")
        venues = set(self._cancellers)
        if isinstance(request, Kill):
            self._context.control.engine["kill"] = 1
        elif request.venue:
            if request.venue not in venues:
                return Refused(f"no venue {request.venue!r} in {', '.join(sorted(venues))}")
            venues = {request.venue}
        if self.watch.alive:
            return Refused("execution is alive, so the guard does nothing: ask execution")
        self._asked |= venues
        self._done -= venues
        self._stand("")
        return Done(f"execution is {ProcessState(self._row['state']).name.lower()}; the guard"
                    f" cancels everything at {', '.join(sorted(venues))}; see the log")

    async def close(self) -> None:
        """Give up what is under way."""
        self.why = ""
        for task in self._running.values():
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)


async def work(context: Context) -> int:
    """Guard until cancelled."""
    guard = Guard(context)

    def serve() -> None:
        while (received := router.receive()) is not None:
            peer, body = received
            router.reply(peer, encode(guard.answer(body)))

    router = GuardedRouter(
        context.run.file(GUARD_SOCKET), serve,
        lambda: context.log.error("the guard's socket lost; binding it again"))
    try:
        context.ready()
        turns = 0
        while True:
            guard.turn()
            serve()
            turns += 1
            if turns % PROBE_TURNS == 0:
                router.probe()
            await asyncio.sleep(TICK_NS / 1e9)
    finally:
        router.close()
        await guard.close()


def main(context: Context) -> int:
    """Guard until told to stop; return 0."""
    return loop.run(context, work)
