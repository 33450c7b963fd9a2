"""One account, whole: its journal and state, a gateway per venue, the core between them.

    keys ─▶ books folder ─▶ journal ─▶ state ─▶ Core ◀─▶ Seat ◀─▶ Gateway (live, paper or dry)
                                                │
                                                └─▶ portfolio segment, counters

The same for every mode; only what sits in the seats differs.
"""

import asyncio
import os
from collections.abc import Sequence
from random import Random
from typing import Final

from engine.config import instruments
from engine.control.protocol import EXEC_SOCKET
from engine.model.errors import EngineError, Fatal
from engine.model.instrument import Instrument
from engine.runtime import books_folder, machine
from engine.runtime.context import Context
from engine.runtime.memory import Memory
from engine.runtime.served import birth
from exec import failpoint, resolve
from exec import records as r
from exec.accounts import account_of, check_confirmed, keys_of, simulated_orders
from exec.books import LiveBooks
from exec.core.core import Core
from exec.core.recovery import begin, replay
from exec.door import Door
from exec.flags import RunFlags
from exec.gateways.codec import Listing
from exec.journal import reader
from exec.journal.durable import Durable
from exec.journal.log import JournalLog
from exec.journal.writer import Journal
from exec.killing import Killing
from exec.listings import listings_of
from exec.opening import open_gateway
from exec.portfolio import Portfolio
from exec.seats import LiveGateway, Seat
from exec.tally import CountedLog
from shm.portfolio import PortfolioSegment
from shm.segment import Segment

TURN_S: Final = 0.01
CORE_EVERY: Final = 2  # turns
LOOK_EVERY: Final = 100
LEAVE_S: Final = 0.25  # that a stop waits for its cancels: orphans have 0.4 s


class Trader:
    """Everything that lives as long as execution does."""

    def __init__(self, context: Context, memory: Memory) -> None:
        """Open journal and books; raise EngineError for keys, a journal or a config that is none.

        A journal of another account, or one that another process writes, is never touched.
        """
        config, run, clock = context.config, context.run, context.clock
        self._context, self._memory = context, memory
        self._table: Sequence[Instrument] = instruments(config)
        self._world = birth(run.path) if simulated_orders(config) else ""
        self._keys = keys_of(config, run, os.environ)
        account = account_of(config, run, self._keys)
        check_confirmed(config, account)
        failpoint.check(config)
        self._folder = books_folder.make(config, account)
        self.journal = Journal(self._folder.journal, clock, boot=machine.boot_id())
        self.state = replay(reader.read(self._folder.journal, boot=machine.boot_id()))
        try:
            books_folder.write(run, config, self._folder)
        except OSError as error:  # a full disk: others look in vain, but orders need us
            context.log.error("nobody is told where the books are", reason=str(error))
        self.flags = RunFlags(memory.control, memory.rows, self._table)
        self.books = LiveBooks(config, self._table, memory, clock)
        self.log = CountedLog(
            JournalLog(self.journal, self.state, clock), context.counters, clock)
        settings = resolve.settings(config)
        begin(self.log, self.state, settings, [_listed(each, "") for each in self._table],
              unix_ns=clock.unix_ns(), pid=os.getpid())
        self._settings = settings
        self._durable = Durable(
            self.journal, power=config.execution.durability == "power", failed=self._fail,
            warn=lambda error: context.log.error("no room for the next file", why=str(error)))
        self.seats = {venue: Seat(venue) for venue in config.venues}
        self.core = Core(self.log, self.state, {**self.seats}, self.books, self.flags, clock,
                         settings, self._durable.when_durable)
        self.portfolio = Portfolio(
            PortfolioSegment(Segment.attach(run, "portfolio", writable=True).words), self.state,
            self.books, clock, account, config.mode, fee_reserve_ppm=settings.fee_reserve_ppm)
        self._killing = Killing(self.core, self.state, self.flags.killed, clock, context.log)
        self._door: Door | None = None
        self._random = Random(context.run_id)  # noqa: S311  (for back-off)
        self._running: list[asyncio.Task[None]] = []
        self._failed: asyncio.Future[None] | None = None
        context.log.info("books open", folder=self._folder.folder, account=account,
                         life=self.state.life, records=self.state.records)

    # --- life ----------------------------------------------------------------------------------

    async def run(self) -> None:
        """Let time pass until cancelled; raise what a gateway failed with."""
        loop = asyncio.get_running_loop()
        self._failed = loop.create_future()
        self._door = Door(
            self.core, self.log, self.state, self.books, self._table, self._context.clock,
            self._context.run.file(EXEC_SOCKET), settings=self._settings, kill=self._kill,
            killed=self.flags.killed, say=self._context.log)
        turns = 0
        while not self._failed.done():
            self.turn(turns)
            turns += 1
            await asyncio.sleep(TURN_S)
        self._failed.result()

    def turn(self, turns: int) -> None:
        """Let a hundredth of a second pass."""
        self._killing.turn()
        self._obey()
        self._durable.turn()
        if turns % CORE_EVERY == 0:
            self.core.on_timer()
        if self._door is not None:
            self._door.turn()
        if turns % LOOK_EVERY == 0:
            self._look()
        self.portfolio.turn(trading=self.core.trading.now, unready=self.core.unready)

    def _obey(self) -> None:
        """Be as strict as control is."""
        demanded = self.flags.engine_says()
        if demanded > self.core.trading.now:
            self.core.trading.tighten(demanded, "control demands it")

    def _kill(self, _reason: str) -> None:
        self.flags.kill()
        self._killing.turn()

    def _look(self) -> None:
        """Seat gateways whose instruments are known by now; leave a world that began anew."""
        if self._world and birth(self._context.run.path) != self._world:
            raise WorldChanged("the simulated venues began anew and know no order of this journal")
        for venue, seat in self.seats.items():
            if seat.gateway is None and (
                    listings := listings_of(venue, self._table, self._memory.rows)):
                self._seat(seat, listings)

    def _seat(self, seat: Seat, listings: list[Listing]) -> None:
        for each in self._table:
            if each.venue == seat.venue:
                native = next(line.native for line in listings if line.symbol == each.name)
                self.log.append(_listed(each, native))
        try:
            gateway = open_gateway(
                seat.venue, listings, self._context, self._keys.get(seat.venue), self.flags,
                self.books, self.state, self._folder.journal.parent, self._random)
        except Fatal:
            raise
        except EngineError as error:
            self._context.log.error("no gateway yet", venue=seat.venue, reason=str(error))
            return
        seat.gateway = gateway
        task = asyncio.get_running_loop().create_task(
            _alive(gateway, self.core), name=f"gateway {seat.venue}")
        task.add_done_callback(self._ended)
        self._running.append(task)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        if self._failed is not None and not self._failed.done():
            self._failed.set_exception(error)

    async def close(self) -> None:
        """Cancel what rests, wait a little, close gateways and journal; what is left is in it."""
        if self._door is not None:
            self._door.close()
        await self._killing.leave(LEAVE_S)
        gateways = [seat.gateway for seat in self.seats.values() if seat.gateway]
        await asyncio.gather(*(each.close() for each in gateways), return_exceptions=True)
        await asyncio.gather(*self._running, return_exceptions=True)
        if not self.state.live and not self.state.open_plans:
            self.log.append(r.Closed("told to leave"))
        self.portfolio.publish(trading=self.core.trading.now, unready=self.core.unready)
        await self._durable.close()
        self.journal.close()


class WorldChanged(Fatal):
    """The simulated venues began anew: what this process knows is of a world that is gone."""


async def _alive(gateway: LiveGateway, core: Core) -> None:
    await gateway.run(core.on_report)


def _listed(each: Instrument, native: str) -> r.Listed:
    pair = each.pair
    return r.Listed(each.venue, each.name, native, pair.base, pair.quote, pair.settle,
                    each.price_decimals, each.size_decimals)
