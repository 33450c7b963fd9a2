"""One venue's trading floor: the matching engine between the market's flow and the clients.

    market ─ update ─▶ Floor.flow ─▶ Exchange ─▶ public changes ─▶ Face.update
    face ── request ─▶ Floor.place ─▶ Exchange ─┬▶ public changes ─▶ Face.update
                                                └▶ private events ─▶ Face.heard

A line where no client ever traded is passed through: its outside book is the public one.  With
the first order it opens: from then on the matching engine has the book, and the public one shows
clients' orders too.  A recording goes out as it was recorded; clients' orders meet it unseen.
"""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from engine.model.clock import Clock
from engine.model.fault import Fault, Kind
from ops.sim.book import ASK, BID, Change
from ops.sim.credentials import Credentials, credentials
from ops.sim.exchange.events import Event, LevelChanged, Traded
from ops.sim.exchange.exchange import Exchange
from ops.sim.exchange.filters import Filters, Mode, Refusal
from ops.sim.exchange.orders import BUY, SELL, Order, Request, Why
from ops.sim.face import Print, Update
from ops.sim.faults import Faults
from ops.sim.listing import PRICES, UNKNOWN_PRICE, Line
from ops.sim.market import Funding
from ops.sim.rules import HOUSES, MONEY_DECIMALS, fees_of, filters_of, symbol_of

if TYPE_CHECKING:
    from ops.sim.face import Face

EPOCH_0_S: Final = 1_767_225_600  # 2026-01-01: ids begin anew each minute since, and always rise
FIRST_MONEY_USD: Final = 1_000_000.0  # worth of each asset that an account begins with
COARSER: Final = 10  # how much a FILTERS fault does
SIDES: Final = {BID: BUY, ASK: SELL}
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
    ) -> None:
        """List ``lines``, open the clients' accounts and bring their money in."""
        self.venue, self.faults = venue, faults
        self.face: Face
        self.settle: Callable[[], None] | None = None  # a recording's book up to what was sent
        self.fundings: Callable[[Line, int], Funding] | None = None  # the invented market's
        self._clock, self._clients = clock, clients
        self._skew_ns = 0
        self._hearing = False  # nobody is there to tell of the accounts' first money
        self._lines = {line.native: line for line in lines}
        self._open: set[str] = set()
        self._changed: dict[str, dict[tuple[int, int], None]] = {}
        self._prints: dict[str, list[Print]] = {}
        self._standing: dict[Kind, Fault] = {}
        self.told: Event | None = None  # what the face hears right now
        keys = [each for account in clients.accounts
                for each in credentials(venue, account, clients.seed)]
        self.credentials: dict[str, Credentials] = {each.key: each for each in keys}
        epoch = (clock.unix_ns() // 10**9 - EPOCH_0_S) // 60
        self.exchange = Exchange(
            self._hear, epoch=max(0, epoch), client_ids=HOUSES[venue].client_ids)
        for line in lines:
            symbol = symbol_of(line)
            self.exchange.list_symbol(symbol, filters_of(line, symbol))
        for account in clients.accounts:
            self.exchange.open_account(account, fees_of(venue))
            for asset in sorted(self.exchange.assets):
                self.exchange.deposit(self.now_ns(), account, asset, self._first_money(asset))
        self._hearing = True

    def _first_money(self, asset: str) -> int:
        units = self._clients.balances.get(asset)
        if units is None:
            units = float(f"{FIRST_MONEY_USD / PRICES.get(asset, UNKNOWN_PRICE):.1e}")
        return int(Decimal(repr(units)) * 10**MONEY_DECIMALS)

    # --- clock, rules --------------------------------------------------------------------------

    def now_ns(self) -> int:
        """Return the venue's own clock, Unix ns."""
        return self._clock.unix_ns() + self._skew_ns

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
        """Return a perpetual's mark, index and funding as of now; None on a recording."""
        if self.fundings is None:
            return None
        return self.fundings(self._lines[native], self.now_ns())

    # --- the market's side ---------------------------------------------------------------------

    def flow(self, line: Line, update: Update) -> None:
        """Take what the market did to ``line.outside``; publish what came of it."""
        exchange = self.exchange
        if line.native not in self._open:
            if update.prints:
                prints = [each._replace(trade_id=exchange.number_trade())
                          for each in update.prints]
                update = update._replace(prints=prints)
            self.face.update(line, update)
            return
        now_ns, native = self.now_ns(), line.native
        touched = self._changed.setdefault(native, {})
        for each in update.prints:
            exchange.print_trade(now_ns, native, each.side, each.price, each.size)
        for side, price, size in update.changes:
            exchange.set_level(now_ns, native, SIDES[side], price, size)
            touched[side, price] = None
        self._publish(line, send=update.send)

    def recorded(
        self, line: Line, changes: Sequence[Change] | None, prints: Sequence[Print] = ()
    ) -> None:
        """Take what a recording did to ``line.book``, None for a new book; publish nothing."""
        if line.native not in self._open:
            return
        now_ns, native = self.now_ns(), line.native
        by_price, by_size = self._price_factor(line), self._size_factor(line)
        for each in prints:
            self.exchange.print_trade(
                now_ns, native, each.side, each.price * by_price, each.size * by_size)
        if changes is None:
            self._mirror(line)
        else:
            for side, price, size in changes:
                self.exchange.set_level(
                    now_ns, native, SIDES[side], price * by_price, size * by_size)
        self._changed.clear()
        self._prints.clear()

    def _ready(self, native: str) -> None:
        """Open a line to clients, and let its reference price be today's."""
        if self.settle is not None:
            self.settle()
        line = self._lines.get(native)
        if line is None:
            return
        if native not in self._open:
            self._open.add(native)
            self._mirror(line)
            if not line.recorded:
                line.book = deepcopy(line.outside)
            self._changed.clear()
        if mid := self.mid(native):
            self.exchange.set_mark(native, mid)

    def _mirror(self, line: Line) -> None:
        """Make the matching engine's outside flow what the line's outside book is."""
        now_ns, native = self.now_ns(), line.native
        by_price, by_size = self._price_factor(line), self._size_factor(line)
        self.exchange.clear_outside(now_ns, native)
        for side, name in SIDES.items():
            for price, size in line.outside.sizes[side].items():
                self.exchange.set_level(now_ns, native, name, price * by_price, size * by_size)

    def _price_factor(self, line: Line) -> int:
        factor: int = 10 ** (
            self.exchange.listed[line.native].symbol.price_decimals - line.price_decimals)
        return factor

    def _size_factor(self, line: Line) -> int:
        factor: int = 10 ** (
            self.exchange.listed[line.native].symbol.size_decimals - line.size_decimals)
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
        self.face.update(line, Update(changes, prints, send))

    # --- the clients' side ---------------------------------------------------------------------

    def place(self, request: Request) -> Order | Refusal:
        """Place an order, as of now; faults may spoil it."""
        self._ready(request.symbol)
        spoiled = self._strike(Kind.PARTIAL_THEN_END, request.symbol)
        if spoiled:
            self._halve_liquidity(request)
        placed = self.exchange.place(self.now_ns(), request)
        if spoiled and isinstance(placed, Order):
            self.exchange.cancel(
                self.now_ns(), placed.account, order_id=placed.id, why=Why.WITHDRAWN)
        self._publish_all()
        return placed

    def amend(
        self, account: str, *, order_id: int = 0, client_id: str = "", price: int = 0,
        size: int = 0,
    ) -> Order | Refusal:
        """Change a resting order, as of now; see Exchange.amend."""
        return self._operate(lambda: self.exchange.amend(
            self.now_ns(), account, order_id=order_id, client_id=client_id, price=price,
            size=size))

    def rename(self, order: Order, client_id: str) -> None:
        """Give an open order another client id, as an amendment does at Binance."""
        self.exchange.rename(order, client_id)

    def cancel(
        self, account: str, *, order_id: int = 0, client_id: str = "", why: Why = Why.ASKED,
    ) -> Order | Refusal:
        """Cancel one order, as of now, unless a fault lets it fill first."""
        order = self.exchange.order(account, order_id=order_id, client_id=client_id)
        if order and order.remaining and self._strike(Kind.CANCEL_FILL_RACE, order.symbol):
            self.exchange.print_trade(
                self.now_ns(), order.symbol, -order.side, order.price,
                order.ahead + order.remaining)
        return self._operate(lambda: self.exchange.cancel(
            self.now_ns(), account, order_id=order_id, client_id=client_id, why=why))

    def cancel_all(
        self, account: str, symbol: str = "", *, why: Why = Why.ASKED
    ) -> list[Order]:
        """Cancel an account's orders, or those of one symbol, as of now."""
        return self._operate(lambda: self.exchange.cancel_all(
            self.now_ns(), account, symbol, why=why))

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

    def _halve_liquidity(self, request: Request) -> None:
        """Let outside liquidity vanish so that half of the request finds a counterpart."""
        book = self.exchange.listed[request.symbol].book
        wanted = request.size // 2
        half = book.half(-request.side)
        for price in list(half.prices()):
            outside = half.outside.get(price, 0)
            kept = min(outside, wanted)
            wanted -= kept
            if kept < outside:
                self.exchange.set_level(
                    self.now_ns(), request.symbol, -request.side, price, kept)
                side = ASK if request.side == BUY else BID
                self._changed.setdefault(request.symbol, {})[side, price] = None
            if not wanted and price * request.side > request.price * request.side > 0:
                break

    # --- events --------------------------------------------------------------------------------

    def _hear(self, event: Event) -> None:
        if isinstance(event, LevelChanged):
            side = BID if event.side == BUY else ASK
            self._changed.setdefault(event.symbol, {})[side, event.price] = None
        elif isinstance(event, Traded):
            self._prints.setdefault(event.symbol, []).append(
                Print(event.side, event.price, event.size, event.trade_id))
        elif self._hearing:
            self.told = event
            self.face.heard(event)
            self.told = None

    # --- faults that hold for the venue as a whole ---------------------------------------------

    def _strike(self, kind: Kind, symbol: str) -> bool:
        return self.faults.strike(
            self.venue, symbol, frozenset({kind}), self._clock.mono_ns()) is not None

    def in_maintenance(self) -> bool:
        """Return whether every request is to be refused now."""
        return self.faults.standing(self.venue, Kind.MAINTENANCE, self.mono_ns()) is not None

    def tick(self) -> None:
        """Several times a second: begin and end the faults that hold for a while."""
        for kind in (Kind.HALT, Kind.FILTERS, Kind.CLOCK_SKEW):
            fault = self.faults.standing(self.venue, kind, self.mono_ns())
            if fault == self._standing.get(kind):
                continue
            if kind is Kind.CLOCK_SKEW:
                self._skew_ns = int(fault.ms * 1e6) if fault else 0
            else:
                self._refilter(kind, fault)
            if fault is None:
                del self._standing[kind]
            else:
                self._standing[kind] = deepcopy(fault)
        if self._strike(Kind.ID_REUSE, ""):
            self.restart()

    def _refilter(self, kind: Kind, fault: Fault | None) -> None:
        for native, line in self._lines.items():
            if fault is not None and fault.symbol not in ("", native):
                continue
            now, first = self.filters(native), filters_of(line, self.exchange.listed[native].symbol)
            if kind is Kind.HALT:
                new = _with(now, mode=Mode.HALTED if fault else Mode.OPEN)
            else:
                by = COARSER if fault else 1
                new = _with(now, tick=first.tick * by, lot=first.lot * by,
                            size_min=max(first.size_min, first.lot * by))
            self.exchange.set_filters(native, new)
            self.face.relisted(line)

    def restart(self) -> None:
        """Lose every order and begin the ids again, as a venue did that came back wrong."""
        self._operate(lambda: self.exchange.restart(self.now_ns()))


def _with(filters: Filters, **changes: object) -> Filters:
    return msgspec.structs.replace(filters, **changes)
