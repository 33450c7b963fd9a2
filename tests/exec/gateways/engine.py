"""The whole of execution against simulated venues: core, journal, gateways, codecs, real sockets.

signals, operator ─▶ Core ─▶ Journal
│ ▲
▼ │ reports
Gateway ─ WebSocket, REST ─▶ ops.sim
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

from msgspec.structs import replace

from bench.histories.world import SETTINGS, middle_of
from engine.config import Sim
from engine.model.clock import SystemClock
from engine.model.fault import parse
from engine.model.quanta import to_quanta
from exec import records as r
from exec.core import ports as p
from exec.core.core import Core, Signal
from exec.core.recovery import begin, replay
from exec.gate.checks import Refusal
from exec.gateways import endpoints, keys
from exec.gateways.codec import Codec, Listing
from exec.gateways.gateway import Gateway
from exec.gateways.keys import ApiKey
from exec.gateways.settings import Settings
from exec.journal import reader
from exec.journal.writer import Journal
from exec.orders import FINAL
from exec.orders import State as OrderState
from exec.state import money
from ops.sim.book import ASK, BID
from ops.sim.drive import Drive
from ops.sim.truth import AccountTruth
from ops.sim.world import World
from shm.layout import Strategy, TradingState
from tests.exec.gateways.plain import quiet_log

MS = 1_000_000
SYMBOL = "BTC/USDT"
PRICE_DECIMALS, SIZE_DECIMALS = 2, 8  # quanta, the same at every venue
SIZE = 10**5
TICK = 10  # of the coarsest venue
FAST = replace(
    SETTINGS, limits=replace(SETTINGS.limits, orders_per_s_max=50),
    request_life_ns=1_500 * MS, answer_max_ns=1_500 * MS, proof_margin_ns=300 * MS,
    query_first_ns=100 * MS, query_max_ns=3_000 * MS, survey_ns=8_000 * MS,
    plan_deadline_ns=20_000 * MS, drift_surveys_max=3)
WIRE = Settings(answer_ns_max=700 * MS, question_ns_max=2_000 * MS, backoff_ns_min=10 * MS,
                backoff_ns_max=200 * MS, goodbye_ns_max=100 * MS, warm_every_ns=1_000 * MS)
MakeCodec = Callable[[str, ApiKey, tuple[Listing, ...]], Codec]


class Engine:
    """One core over all venues of a world; also its journal, books and flags."""

    def __init__(
        self, world: World, folder: Path, codecs: Mapping[str, MakeCodec],
        codes: Mapping[str, str], seed: int,
    ) -> None:
        self.world, self._folder, self.draw = world, folder, Random(seed)
        self.clock, self.boot = SystemClock(), 1
        self.kill = False  # the word
        self.lines = {name: server.face.lines[next(iter(server.face.lines))]
                      for name, server in world.servers.items()}
        self.begin: dict[str, AccountTruth] = {}  # as trading begins
        self.booked: dict[tuple[str, str], int] = {}  # until then: deposits of the last minute
        self.journal = Journal(folder / "journal", self.clock, boot=self.boot, file_size=8 << 20)
        self.state = replay(())
        self.gateways: dict[str, Gateway] = {}
        listed = []
        for name, make in codecs.items():
            line = self.lines[name]
            listing = Listing(SYMBOL, line.native, "BTC", "USDT", "", PRICE_DECIMALS,
                              SIZE_DECIMALS, codes.get(name, ""))
            listed.append(r.Listed(name, SYMBOL, line.native, "BTC", "USDT", "",
                                   PRICE_DECIMALS, SIZE_DECIMALS))
            at = endpoints.simulated(folder, name)
            assert at is not None
            self.gateways[name] = Gateway(
                make(name, keys.simulated(folder, name, "main"), (listing,)), at,
                WIRE, flags=self,
                clock=self.clock, random=Random(seed), log=quiet_log())
        begin(self, self.state, FAST, listed, unix_ns=self.clock.unix_ns(), pid=1)
        self.core = Core(self, self.state, {**self.gateways}, self, self, self.clock, FAST,
                         lambda _number, action: action())
        self.halts: list[str] = []
        self._sequence = 0

    # --- journal, books, flags -----------------------------------------------------------------

    @property
    def next_sequence(self) -> int:
        return self.journal.next_sequence

    def append(self, record: r.Record) -> int:
        number = self.journal.append(r.kind_of(record), r.encode(record))
        self.state.apply(record, self.clock.unix_ns())
        if isinstance(record, r.StateChanged) and record.who == "engine":
            self.halts.append(record.why)
        return number

    def _steps(self, venue: str) -> tuple[int, int]:
        line = self.lines[venue]
        return (10 ** (PRICE_DECIMALS - line.price_decimals),
                10 ** (SIZE_DECIMALS - line.size_decimals))

    def quote(self, venue: str, symbol: str) -> p.Quote:
        touch, (tick, _) = self.lines[venue].book.touch(), self._steps(venue)
        return p.Quote(touch.bid * tick, touch.ask * tick, 0, 1)

    def middle(self, venues: tuple[str, ...], symbol: str) -> int:
        return middle_of(self, venues, symbol)

    def walk(self, venue: str, symbol: str, side: int, size: int) -> tuple[int, int, int]:
        tick, lot = self._steps(venue)
        taken = worst = cost = 0
        for price, there in self.lines[venue].book.top(ASK if side > 0 else BID, 100):
            if taken == size:
                break
            more = min(size - taken, there * lot)
            taken, worst, cost = taken + more, price * tick, cost + price * tick * more
        return taken, worst, cost

    def rules(self, venue: str, symbol: str) -> tuple[int, int, int, int]:
        tick, lot = self._steps(venue)
        return tick, lot, max(lot, SIZE // 10), 0

    def taker_fee_ppm(self, venue: str, symbol: str) -> int:
        return 1_000

    def rate(self, asset: str) -> int:
        return {"USDT": 10**6, "BTC": 64_000 * 10**6}.get(asset, 0)

    def killed(self) -> bool:
        return self.kill

    def paused(self, venue: str, symbol: str, strategy: str) -> tuple[bool, bool]:
        return False, False

    # --- what happens --------------------------------------------------------------------------

    async def ready(self) -> None:
        """Wait until every venue takes orders and has told of its money."""
        while any(self.core.unready.values()) or not self.state.counts:
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.2)
        self.begin = {name: self.truth(name) for name in self.lines}
        self.booked = {**self.state.holdings}

    def signal(self) -> Refusal | None:
        """Buy at one venue and sell at another, or both at the only one."""
        buy, sell = self.draw.sample([*self.lines, *self.lines], 2)
        ask, bid = self.quote(buy, SYMBOL).ask, self.quote(sell, SYMBOL).bid
        size = self.draw.randint(1, 20) * SIZE
        legs = (r.LegSeen(buy, SYMBOL, 1, (ask + ask // 2_000) // TICK * TICK, size, 1),
                r.LegSeen(sell, SYMBOL, -1, (bid - bid // 2_000) // TICK * TICK, size, 1))
        self._sequence += 1
        now = self.clock.mono_ns()
        return self.core.on_signal(Signal(
            1, self._sequence, Strategy.CROSS, 1, now, now + 400 * MS, legs, 100, 1))

    def rest(self) -> None:
        """Let an order of an operator rest in a book, or cancel one that does."""
        resting = [each for each in self.state.live.values()
                   if each.intent.tif == r.Tif.GTC and each.state is OrderState.OPEN]
        if resting and self.draw.random() < 0.6:
            self.core.sender.cancel(resting[0].intent.order, "the operator")
            return
        name = self.draw.choice([*self.lines])
        side = self.draw.choice([1, -1])
        bid, ask = self.quote(name, SYMBOL).bid, self.quote(name, SYMBOL).ask
        price = (bid - bid // 1_000 if side > 0 else ask + ask // 1_000) // TICK * TICK
        self.core.place(name, SYMBOL, side, price, 3 * SIZE, tif=r.Tif.GTC)

    async def trade(self, rounds: int) -> None:
        """Bring signals and operators' orders."""
        for _ in range(rounds):
            self.signal()
            self.rest()
            await asyncio.sleep(0.05)

    async def settle(self) -> None:
        """Let faults stop and all come right by itself; an operator only cancels and resumes."""
        self.world.lift("*", None)
        while True:
            if self.state.trading == TradingState.HALTED:
                self.core.resume(TradingState.ACTIVE, "looked at", "operator")
            for order in [*self.state.live.values()]:
                if order.intent.tif == r.Tif.GTC and order.state is OrderState.OPEN:
                    self.core.sender.cancel(order.intent.order, "the operator")
            if not (self.state.live or self.state.open_plans or any(self.core.unready.values())):
                await asyncio.sleep(0.8)  # the latest of late fills
                if not (self.state.live or self.state.open_plans):
                    return
            await asyncio.sleep(0.1)

    async def turn(self) -> None:
        """Be the process's timer."""
        while True:
            self.core.on_timer()
            await asyncio.sleep(0.02)

    # --- against the truth ---------------------------------------------------------------------

    def truth(self, venue: str) -> AccountTruth:
        found = self.world.account_truth(venue, "main")
        assert found is not None
        return found

    def errors(self) -> list[str]:
        """Return what differs between the venues' truth, the state and a replay of the journal."""
        found = []
        for name in self.lines:
            found += self._wrong_at(name)
        if self.state.foreign:
            found.append(f"strangers: {self.state.foreign}")
        again = replay(reader.read(self._folder / "journal", boot=self.boot))
        if {number: each.state for number, each in again.orders.items()} != {
                number: each.state for number, each in self.state.orders.items()}:
            found.append("a replay of the journal differs")
        return found

    def _wrong_at(self, name: str) -> list[str]:
        truth, state = self.truth(name), self.state
        found = []
        clients = [each.client_id for each in truth.orders]
        found += [f"{name}: {each} stands twice" for each in {*clients}
                  if clients.count(each) > 1]
        there = {each.client_id: each for each in truth.orders}
        for order in state.orders.values():
            if order.intent.venue != name:
                continue
            theirs = there.pop(order.intent.client_id, None)
            if theirs is None and order.state not in (
                    OrderState.REJECTED, OrderState.ABSENT, OrderState.UNSENT):
                found.append(f"{name}: {order} never was at the venue")
            if theirs is not None and (
                    order.booked != to_quanta(theirs.filled, SIZE_DECIMALS)
                    or order.state not in FINAL or theirs.status == "open"
                    or order.state in (OrderState.ABSENT, OrderState.UNSENT)):
                found.append(f"{name}: {order} is {theirs} at the venue")
        found += [f"{name}: nobody sent {each}" for each in there.values()]
        fills = sorted((each.client_id, to_quanta(each.size, SIZE_DECIMALS),
                        to_quanta(each.price, PRICE_DECIMALS)) for each in truth.fills)
        booked = sorted((state.orders[each.order].intent.client_id, each.size, each.price)
                        for key, each in state.trades.items() if key[0] == name)
        if fills != booked:
            found.append(f"{name}: fills {fills}, booked {booked}")
        for asset, (free, locked) in truth.balances.items():
            before = self.begin[name].balances[asset]
            moved = sum(map(money, (free, locked))) - sum(map(money, before))
            booked_too = state.holdings.get((name, asset), 0) - self.booked.get((name, asset), 0)
            if moved != booked_too:
                found.append(f"{name}: {asset} moved {moved}, booked {booked_too}")
        return found


@asynccontextmanager
async def an_engine(
    codecs: Mapping[str, MakeCodec], codes: Mapping[str, str], folder: Path, *faults: str,
    seed: int = 1, tls: bool = False,
) -> AsyncIterator[Engine]:
    """Run venues whose market moves, and execution over them; ``faults`` strike once it is up.

    ``codes`` are what venues call the instrument besides its name: OKX's instIdCode.
    """
    world = World({name: [SYMBOL] for name in codecs},
                  Sim(seed=seed, messages_per_s=20.0, tls=tls), SystemClock())
    await world.open(folder)
    assert isinstance(world.flow, Drive)
    engine = Engine(world, folder, codecs, codes, seed)
    running = [asyncio.create_task(each.run(engine.core.on_report))
               for each in engine.gateways.values()]
    turning = asyncio.create_task(engine.turn())
    try:
        await engine.ready()
        for fault in faults:
            world.add_fault(parse(fault))
        yield engine
        turning.cancel()
        for gateway in engine.gateways.values():
            await gateway.close()
        await asyncio.gather(*running)
    finally:
        for task in (turning, *running):
            task.cancel()
        await asyncio.gather(turning, *running, return_exceptions=True)
        await world.close()
        engine.journal.close()
