"""One venue's trading floor: the matching engine between the market's flow and the clients.

    market ─ update ─▶ Floor.flow ─▶ Exchange ─▶ public changes ─▶ Face.update
    face ── request ─▶ Floor.place ─▶ Exchange ─┬▶ public changes ─▶ Face.update
                                                └▶ private events ─▶ Face.heard

A line where no client ever traded is passed through: its outside book is the public one.  With
the first order it opens: from then on the matching engine has the book, and the public one shows
clients' orders too.  A recording goes out as it was recorded; clients' orders meet it unseen.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final, TypeVar

from engine.model.clock import Clock
from engine.model.fault import SHOWN, Kind
from engine.model.instrument import Kind as Contract
from ops.sim.backdrop import SIDES, Backdrop
from ops.sim.book import ASK, BID, Change
from ops.sim.conditions import Conditions
from ops.sim.credentials import Credentials, credentials
from ops.sim.exchange.events import Accepted, Event, Fill, LevelChanged, Rejected, Traded
from ops.sim.exchange.exchange import Exchange
from ops.sim.exchange.filters import Filters, Refusal
from ops.sim.exchange.orders import BUY, Order, Request, Status, Stp, Tif, Why
from ops.sim.face import Print, Update
from ops.sim.faults import Faults
from ops.sim.listing import PRICES, UNKNOWN_PRICE, Line
from ops.sim.market import Funding
from ops.sim.recorded import RecordedTrade
from ops.sim.rules import HOUSES, MONEY_DECIMALS, TRADES_PER_SYMBOL, fees_of, filters_of, symbol_of
from ops.sim.tally import Tally

if TYPE_CHECKING:
    from ops.sim.face import Face

EPOCH_0_MS: Final = 1_767_225_600_000  # 2026-01-01: ids go on from the milliseconds since
FIRST_MONEY_USD: Final = 1_000_000.0  # worth of each asset that an account begins with
KEPT: Final = 20_000  # transactions, ended orders and fills that a venue remembers
GLITCH: Final = 10  # how far off the price of a glitch is
_T = TypeVar("_T")


@dataclass(frozen=True)
class Clients:
    """Who may trade at every venue, and with what."""

    seed: int
    accounts: Sequence[str]
    balances: Mapping[str, float]  # by asset; others begin with FIRST_MONEY_USD's worth


class Floor:
    """The matching engine of one venue, and what stands around it."""

    def __init__(
        self, venue: str, lines: Sequence[Line], clock: Clock, faults: Faults, clients: Clients,
        tally: Tally | None = None,
    ) -> None:
        """List ``lines``, open the clients' accounts and bring their money in."""
        self.venue, self.faults, self._tally = venue, faults, tally or Tally(clock, None)
        self.face: Face
        self.settle: Callable[[], None] | None = None  # a recording's book up to what was sent
        self.fundings: Callable[[Line, int], Funding] | None = None  # the invented market's
        self._clock, self._clients = clock, clients
        self.skew_ns = 0  # how far the venue's clock is ahead
        self.silent = False  # private streams say nothing
        self._hearing = False  # nobody is there to tell of the accounts' first money
        self._lines = {line.native: line for line in lines}
        self._open: set[str] = set()
        self._frozen: set[str] = set()  # halted: the market moves unseen
        self._crossing: dict[str, Change] = {}  # levels shown above the best ask, by line
        self._changed: dict[str, dict[tuple[int, int], None]] = {}
        self._prints: dict[str, list[Print]] = {}
        self.told: Event | None = None  # what the face hears right now
        keys = [each for account in clients.accounts
                for each in credentials(venue, account, clients.seed)]
        self.credentials: dict[str, Credentials] = {each.key: each for each in keys}
        epoch = clock.unix_ns() // 10**6 - EPOCH_0_MS
        self.exchange = Exchange(
            self._hear, epoch=max(0, epoch), client_ids=HOUSES[venue].client_ids,
            keep=KEPT, trades_per_symbol=venue in TRADES_PER_SYMBOL)
        for line in lines:
            symbol = symbol_of(line)
            self.exchange.list_symbol(symbol, filters_of(line, symbol))
        for account in clients.accounts:
            self.exchange.open_account(account, fees_of(venue))
            for asset in sorted(self.exchange.assets):
                self.exchange.deposit(self.now_ns(), account, asset, self._first_money(asset))
        self._backdrop = Backdrop(self.exchange, self.now_ns)
        self._conditions = Conditions(self)
        self._hearing = True

    def _first_money(self, asset: str) -> int:
        units = self._clients.balances.get(asset)
        if units is None:
            units = float(f"{FIRST_MONEY_USD / PRICES.get(asset, UNKNOWN_PRICE):.1e}")
        return int(Decimal(repr(units)) * 10**MONEY_DECIMALS)

    # --- clock, rules --------------------------------------------------------------------------

    def now_ns(self) -> int:
        """Return the venue's own clock, Unix ns."""
        return self._clock.unix_ns() + self.skew_ns

    def mono_ns(self) -> int:
        """Return the clock that limits and timers go by."""
        return self._clock.mono_ns()

    def filters(self, native: str) -> Filters:
        """Return the limits in force, in the symbol's quanta: what a catalogue tells."""
        return self.exchange.listed[native].filters

    def mid(self, native: str) -> int:
        """Return the middle of the public book in the symbol's price quanta, 0 without one."""
        line = self._lines[native]
        touch = line.book.touch()
        if not (touch.bid and touch.ask):
            return 0
        return (touch.bid + touch.ask) * self._price_factor(line) // 2

    def funding(self, native: str) -> Funding | None:
        """Return a perpetual's mark, index and funding as of now; None for spot and recordings."""
        line = self._lines[native]
        if self.fundings is None or line.pair.kind is not Contract.PERPETUAL:
            return None
        return self.fundings(line, self.now_ns())

    def mark(self, native: str) -> int:
        """Return what bands and open profit go by: a perpetual's mark price, else the middle."""
        told = self.funding(native)
        return told.mark if told else self.mid(native)

    # --- the market's side ---------------------------------------------------------------------

    def flow(self, line: Line, update: Update) -> None:
        """Take what the market did to ``line.outside``; publish what came of it."""
        exchange, native = self.exchange, line.native
        if native in self._frozen:
            return
        if native not in self._open:
            if update.prints:
                prints = [each._replace(trade_id=exchange.number_trade(native))
                          for each in update.prints]
                update = update._replace(prints=prints)
            self._show(line, update)
            return
        now_ns = self.now_ns()
        touched = self._changed.setdefault(native, {})
        for each in update.prints:
            exchange.print_trade(now_ns, native, each.side, each.price, each.size)
        for side, price, size in update.changes:
            exchange.set_level(now_ns, native, SIDES[side], price, size)
            touched[side, price] = None
        self._publish(line, send=update.send)

    def opened(self, native: str) -> bool:
        """Return whether a client ever traded a symbol: only then its market must be followed."""
        return native in self._open

    def recorded(self, line: Line, changes: Sequence[Change] | None) -> None:
        """Take what a recording did to ``line.book``, None for a new book; publish nothing."""
        if line.native not in self._open or line.native in self._frozen:
            return
        if changes is None:
            self._backdrop.align(line)
        else:
            self._backdrop.change(line, changes)
        self._forget(line)

    def recorded_trades(self, line: Line, trades: Sequence[RecordedTrade]) -> None:
        """Take what a recording says was traded; publish nothing."""
        if line.native not in self._open or line.native in self._frozen:
            return
        for trade in trades:
            self._backdrop.trade(line, trade)
        self._forget(line)

    def frozen(self, native: str) -> bool:
        """Return whether a symbol is halted."""
        return native in self._frozen

    def freeze(self, line: Line) -> None:
        """Let a line stand still, as halted: what its market does meanwhile shows afterwards."""
        self._ready(line.native)
        self._frozen.add(line.native)

    def thaw(self, line: Line) -> None:
        """Let a line move again, from where its market is by now."""
        self._frozen.discard(line.native)
        self._backdrop.align(line)
        changed = self._changed.setdefault(line.native, {})
        for side in (BID, ASK):
            prices = line.book.sizes[side].keys() | line.outside.sizes[side].keys()
            changed.update(((side, price), None) for price in sorted(prices))
        self._publish(line, send=not self.face.clocked)

    def _ready(self, native: str) -> None:
        """Open a line to clients, and let its reference price be today's."""
        if self.settle is not None:
            self.settle()
        line = self._lines.get(native)
        if line is None:
            return
        if native not in self._open:
            self._open.add(native)
            if not line.recorded:
                line.book = line.outside.copy()
            self._backdrop.align(line)
            self._forget(line)
        if mark := self.mark(native):
            self.exchange.set_mark(native, mark)

    def _forget(self, line: Line) -> None:
        """Leave unpublished what a line's public book has already, or is never to show."""
        self._changed.pop(line.native, None)
        self._prints.pop(line.native, None)

    def _price_factor(self, line: Line) -> int:
        """Return the symbol's price quanta in one tick of the line; ticks may not be finer."""
        decimals = self.exchange.listed[line.native].symbol.price_decimals - line.price_decimals
        factor: int = 10 ** max(0, decimals)
        return factor

    def _publish(self, line: Line, *, send: bool) -> None:
        """Bring both books of a line up to the matching engine's; publish what changed."""
        changed = self._changed.pop(line.native, {})
        prints = self._prints.pop(line.native, [])
        if line.recorded or not (changed or prints):
            return
        book, changes = self.exchange.listed[line.native].book, list[Change]()
        for side, price in changed:
            half = book.half(SIDES[side])
            change = Change(side, price, half.total(price))
            line.book.set(*change)
            line.outside.set(side, price, half.outside.get(price, 0))
            changes.append(change)
        self._show(line, Update(changes, prints, send))

    def _show(self, line: Line, update: Update) -> None:
        """Let the face tell of an update, and of what faults make of it."""
        native = line.native
        if not (self._crossing or self.faults.any):
            self.face.update(line, update)
            return
        crossing = self._crossing.pop(native, None)
        if crossing is not None:
            size = self.exchange.listed[native].book.bids.total(crossing.price)
            line.book.set(BID, crossing.price, size)
            update = update._replace(changes=[crossing._replace(size=size), *update.changes])
        fault = self.faults.strike(self.venue, native, SHOWN, self._clock.mono_ns())
        if fault is not None:
            update = self._spoiled(line, update, fault.kind)
        self.face.update(line, update)

    def _spoiled(self, line: Line, update: Update, kind: Kind) -> Update:
        """Add a print or a level that nobody made."""
        touch = line.book.touch()
        if not (touch.bid and touch.ask):
            return update
        if kind is Kind.GLITCH:
            trade_id = self.exchange.number_trade(line.native)
            glitch = Print(BUY, touch.ask * GLITCH, touch.ask_size, trade_id)
            return update._replace(prints=[*update.prints, glitch])
        self._ready(line.native)  # from here on the market's book is another than the public's
        crossing = Change(BID, 2 * touch.ask - touch.bid, touch.bid_size)
        self._crossing[line.native] = crossing
        line.book.set(*crossing)
        return update._replace(changes=[*update.changes, crossing], send=True)

    # --- the clients' side ---------------------------------------------------------------------

    def place(self, request: Request) -> Order | Refusal:
        """Place an order, as of now; faults may spoil it."""
        native, now_ns, exchange = request.symbol, self.now_ns(), self.exchange
        self._ready(native)
        spoiled = request.tif is not Tif.FOK and self._strike(Kind.PARTIAL_THEN_END, native)
        placed = exchange.place(now_ns, request, spoiled=spoiled)
        lot = self.filters(native).lot
        if spoiled and isinstance(placed, Order) and placed.status is Status.OPEN:
            if (missing := placed.size // 2 // lot * lot - placed.filled) > 0:
                exchange.hit(now_ns, placed, missing)
            exchange.cancel(now_ns, placed.account, order_id=placed.id, why=Why.WITHDRAWN)
        if isinstance(placed, Order) and exchange.can_overfill(placed, lot) and (
                self._strike(Kind.OVERFILL, native)):
            exchange.overfill(now_ns, placed, lot)
        self._publish_all()
        return placed

    def amend(
        self, account: str, *, order_id: int = 0, client_id: str = "", price: int = 0,
        size: int = 0, keeps_place: bool = True, stp: Stp | None = None,
    ) -> Order | Refusal:
        """Change a resting order, as of now; see Exchange.amend."""
        return self._operate(lambda: self.exchange.amend(
            self.now_ns(), account, order_id=order_id, client_id=client_id, price=price,
            size=size, keeps_place=keeps_place, stp=stp))

    def rename(self, order: Order, client_id: str) -> None:
        """Give an open order another client id, as an amendment does at Binance."""
        self.exchange.rename(order, client_id)

    def cancel(
        self, account: str, *, order_id: int = 0, client_id: str = "", why: Why = Why.ASKED,
    ) -> Order | Refusal:
        """Cancel one order, as of now, unless a fault lets it fill first."""
        order = self.exchange.registry.find(account, order_id=order_id, client_id=client_id)

        def race_and_cancel() -> Order | Refusal:
            if order is not None:
                self._race(order)
            return self.exchange.cancel(
                self.now_ns(), account, order_id=order_id, client_id=client_id, why=why)

        return self._operate(race_and_cancel)

    def cancel_all(
        self, account: str, symbol: str = "", *, why: Why = Why.ASKED
    ) -> list[Order]:
        """Cancel an account's orders, or those of one symbol, as of now; faults as in cancel."""
        def race_and_cancel() -> list[Order]:
            for order in [*self.exchange.accounts.by_name[account].orders.values()]:
                if symbol in ("", order.symbol):
                    self._race(order)
            return self.exchange.cancel_all(self.now_ns(), account, symbol, why=why)

        return self._operate(race_and_cancel)

    def _race(self, order: Order) -> None:
        """Fill an order that is about to be cancelled, if a fault wants it."""
        if (order.status is Status.OPEN and order.symbol not in self._frozen
                and self._strike(Kind.CANCEL_FILL_RACE, order.symbol)):
            self.exchange.hit(self.now_ns(), order, order.remaining)

    def transfer(self, account: str, asset: str, amount: int) -> Refusal | None:
        """Bring money in, or take it out if negative: as its owner would elsewhere."""
        move = self.exchange.deposit if amount > 0 else self.exchange.withdraw
        return self._operate(lambda: move(self.now_ns(), account, asset, abs(amount)))

    def set_margin(self, account: str, native: str, margin_ppm: int) -> Refusal | None:
        """Let an account choose a perpetual's initial margin; see Exchange.set_margin."""
        return self._operate(lambda: self.exchange.set_margin(
            self.now_ns(), account, native, margin_ppm))

    def fund(self, native: str, rate_ppm: int) -> None:
        """Exchange a funding payment between longs and shorts."""
        self._ready(native)
        self._operate(lambda: self.exchange.fund(self.now_ns(), native, rate_ppm))

    def _operate(self, action: Callable[[], _T]) -> _T:
        if self.settle is not None:
            self.settle()
        done = action()
        self._publish_all()
        return done

    def _publish_all(self) -> None:
        """Publish all that a client's operation changed; clocked venues with their next diff."""
        for native in [*self._changed.keys() | self._prints.keys()]:
            self._publish(self._lines[native], send=not self.face.clocked)

    # --- events --------------------------------------------------------------------------------

    def _hear(self, event: Event) -> None:
        if isinstance(event, LevelChanged):
            side = BID if event.side == BUY else ASK
            self._changed.setdefault(event.symbol, {})[side, event.price] = None
        elif isinstance(event, Traded):
            self._prints.setdefault(event.symbol, []).append(
                Print(event.side, event.price, event.size, event.trade_id))
        elif self._hearing:
            if isinstance(event, Fill):
                self._tally.fills += 1
            elif isinstance(event, Accepted):
                self._tally.orders += 1
            elif isinstance(event, Rejected):
                self._tally.refusals += 1
            self.told = event
            self.face.heard(event)
            self.told = None

    # --- faults ----------------------------------------------------------------------------------

    def _strike(self, kind: Kind, symbol: str) -> bool:
        return self.faults.strike(
            self.venue, symbol, frozenset({kind}), self._clock.mono_ns()) is not None

    def in_maintenance(self) -> bool:
        """Return whether every request is to be refused now."""
        return bool(self.faults.in_force(self.venue, Kind.MAINTENANCE, self.mono_ns()))

    def tick(self) -> bool:
        """Several times a second: begin and end faults; return whether streams must close."""
        return self._conditions.tick()

    def restart(self) -> None:
        """Lose every order and begin the ids again, as a venue did that came back wrong."""
        self._operate(lambda: self.exchange.restart(self.now_ns()))
