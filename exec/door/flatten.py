"""Flatten: cancel everything, then trade back what trading moved, piece by piece, until it is gone.

    cancel all ─▶ orders settled ─▶ open plans handed over ─▶ limit IOC at the best venue ─╮
                                                                      ▲ ╰──── chased ◀──────╯

What it is about stands in the journal, so a restart goes on with it.  Meanwhile trading is
RESTRICTED at least; the gate judges each piece as every other order.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec

from engine.model.instrument import Instrument
from engine.model.quanta import from_quanta, plain
from engine.runtime.log import Logger
from exec import records as r
from exec.core import exposure
from exec.core import ports as p
from exec.core.core import Core
from exec.core.settings import Settings
from exec.door.killing import cancel_all
from exec.door.words import of_refusal
from exec.gate.checks import Purpose, Refusal
from exec.state.entries import Order
from exec.state.orders import State as OrderState
from exec.state.outstanding import MONEY_DECIMALS, Place
from exec.state.state import State
from shm.layout import TradingState

PPM: Final = exposure.PPM
STALLED_NS: Final = 30_000_000_000  # without any progress: a person has to look
HALVINGS_MAX: Final = 40  # of a piece, until its worst price lies within the collar
SMALL: Final = "too small to trade"


class Target(msgspec.Struct, frozen=True):
    """What is to be traded away: signed, in base quanta of 10**-24."""

    asset: str
    amount: int
    place: Place | None = None  # a perpetual's position; None: the asset, at whatever spot venue


class Piece(msgspec.Struct, frozen=True):
    """One order that takes a part of it, and what it pays per unit; negative: it receives."""

    place: Place
    side: int
    price: int
    size: int
    paid: int


def targets(state: State, asset: str = "") -> list[Target]:
    """Return what trading moved, of one asset or of all: positions, then the assets themselves."""
    found, in_positions = [], dict[str, int]()
    for place, position in state.positions.items():
        base, amount = state.listed[place].base, state.amount(place, position.size)
        in_positions[base] = in_positions.get(base, 0) + amount
        if amount and asset in ("", base):
            found.append(Target(base, amount, place))
    for base, moved in state.traded.items():
        left = moved - in_positions.get(base, 0)
        if left and asset in ("", base):
            found.append(Target(base, left))
    return found


class Flattener:
    """One account's flatten, while there is one."""

    def __init__(
        self, core: Core, log: p.Log, state: State, books: p.Books, table: Sequence[Instrument],
        clock: p.Clock, settings: Settings, say: Logger, killed: Callable[[], bool],
    ) -> None:
        self._core, self._log, self._state, self._books = core, log, state, books
        self._clock, self._settings, self._say, self._killed = clock, settings, say, killed
        self._table = [(each.venue, each.name) for each in table]
        self._orders = 0
        self._due_ns = 0
        self._mark: object = None  # what stood when there was progress last,
        self._mark_ns = 0  # and since when it stands

    def begin(self) -> None:
        """Cancel everything, now that the journal says that a flatten has begun."""
        self._orders, self._due_ns = 0, 0
        self._core.trading.tighten(TradingState.RESTRICTED, "flattening")
        cancel_all(self._core, "flattening", self._say)

    def turn(self) -> None:
        """Take the next step of the flatten that is under way, if one is."""
        asset, now_ns = self._state.flattening, self._clock.mono_ns()
        if asset is None or now_ns < self._due_ns:
            return
        self._due_ns = now_ns + self._settings.retry_ns
        if self._killed() or self._core.trading.now is TradingState.EMERGENCY:
            self.end("stopped by the kill switch")
            return
        self._core.trading.tighten(TradingState.RESTRICTED, "flattening")
        left = targets(self._state, asset)
        why = self._step(asset, left)
        mark = (left, [(each.intent.order, each.state) for each in self._state.live.values()])
        if mark != self._mark:
            self._mark, self._mark_ns = mark, now_ns
        if all(each == SMALL for each in why.values()):
            self.end("flat" if not left else f"flat but for {_told(left)}: {SMALL}")
        elif now_ns - self._mark_ns > STALLED_NS:
            reasons = "; ".join(f"{base}: {text}" for base, text in why.items())
            self.end(f"NOT FLAT, {_told(left)} left: {reasons}")

    def end(self, text: str) -> None:
        """Write down and tell how it ended."""
        self._log.append(r.Commanded("", "Flattened", f"{text}; {self._orders} orders", ""))
        self._say.warning("flattened", result=text, orders=self._orders)
        self._mark = None

    # --- one step ------------------------------------------------------------------------------

    def _step(self, asset: str, left: Sequence[Target]) -> dict[str, str]:
        """Do what can be done; return by asset why it is not done yet, or SMALL."""
        why: dict[str, str] = {}
        for order in self._live(asset):
            intent = order.intent
            why[self._base(order)] = f"order {intent.order} is {order.state.name.lower()}"
            if order.state is OrderState.OPEN and not order.cancel_asked_ns:
                self._core.sender.cancel(intent.order, "flattening")
        self._take_over(asset, why)
        for target in left:
            if target.asset not in why:
                why[target.asset] = self._trade(target)
        return why

    def _live(self, asset: str) -> Iterator[Order]:
        return (each for each in [*self._state.live.values()]
                if asset in ("", self._base(each)))

    def _base(self, order: Order) -> str:
        return self._state.listed[order.intent.venue, order.intent.symbol].base

    def _take_over(self, asset: str, why: dict[str, str]) -> None:
        """Close open plans, so that nobody else hedges what is traded back here."""
        for number, plan in [*self._state.open_plans.items()]:
            leg = plan.planned.legs[0]
            base = self._state.listed[leg.venue, leg.symbol].base
            if asset not in ("", base):
                continue
            if all(self._state.orders[each].settled for each in plan.orders):
                self._core.give_up(number)
            else:
                why.setdefault(base, f"plan {number} is open")

    def _trade(self, target: Target) -> str:
        """Send the best piece of a target; return why it is not gone yet, SMALL if it never is."""
        places = [target.place] if target.place else [
            each for each in self._table if each in self._state.places
            and self._state.listed[each].base == target.asset
            and not self._state.listed[each].settle]
        found = [self._piece(place, target) for place in places]
        pieces = [each for each in found if isinstance(each, Piece)]
        if not pieces:
            reasons = sorted({str(each) for each in found} - {SMALL})
            return ", ".join(reasons) or SMALL
        best = min(pieces, key=lambda each: each.paid)
        number = self._core.place(
            *best.place, best.side, best.price, best.size, tif=r.Tif.IOC, purpose=Purpose.FLATTEN)
        if isinstance(number, Refusal):
            return of_refusal(number, self._state.listed[best.place])
        self._orders += 1
        return f"order {number} is under way"

    def _piece(self, place: Place, target: Target) -> Piece | str:
        """Return the largest order that a place would take of a target now, or why it takes none.

        Bounded by the limits, by what is free there and by the book within the collar.
        """
        state, books, settings = self._state, self._books, self._settings
        side = -1 if target.amount > 0 else 1
        tick, lot, size_min, notional_min = books.rules(*place)
        least = max(size_min, lot, 1)
        size = _lots(abs(target.amount) // state.amount(place, 1), lot)
        if size < least:
            return SMALL
        if unready := self._core.unready.get(place[0], "not connected"):
            return f"{place[0]}: {unready}"
        quote = books.quote(*place)
        touch = quote.ask if side > 0 else quote.bid
        if quote.distrust or not touch:
            return f"{place[0]}: no book to be believed"
        least_worth = notional_min * books.rate(state.listed[place].quote) // exposure.MICRO
        if exposure.in_reference(state, books, place, touch, size) < least_worth:
            return SMALL
        bound = touch + side * (touch * settings.limits.price_collar_ppm // PPM)
        size = _lots(self._affordable(place, side, max(bound, touch), size), lot)
        for _ in range(HALVINGS_MAX):
            if size < least:
                return f"{place[0]}: nothing free, or too little within the collar"
            there, worst, cost = books.walk(*place, side, size)
            if there and (worst - bound) * side <= 0:
                break
            size = _lots(size // 2, lot)
        else:
            return f"{place[0]}: too little within the collar"
        price = worst + side * (worst * settings.slack_ppm // PPM)
        price = min(price, bound) if side > 0 else max(price, bound)
        price -= side * (price * side % tick)
        size = _lots(min(size, there), lot)
        if size < least or exposure.in_reference(state, books, place, price, size) < least_worth:
            return f"{place[0]}: too little within the collar"
        return Piece(place, side, price, size, self._paid(place, side, there, cost))

    def _affordable(self, place: Place, side: int, price: int, size: int) -> int:
        """Return as much of a size as limits and free balance allow, at a price that is no less."""
        state, books, limits = self._state, self._books, self._settings.limits
        fee_ppm = max(self._settings.fee_reserve_ppm, books.taker_fee_ppm(*place))
        worth = exposure.in_reference(state, books, place, max(price, 1), size)
        most = min(limits.order_notional_max, limits.plan_notional_max)
        if worth > most:
            size = size * most // worth
        needed = exposure.needs(state, place, side, price, size, fee_ppm)
        free = exposure.free(
            state, place[0], exposure.pays(state, place, side), self._settings.fee_reserve_ppm)
        return size if needed <= free else max(0, size * free // needed)

    def _paid(self, place: Place, side: int, size: int, cost: int) -> int:
        """Return what a walk pays per unit of base, fee included, in reference millionths."""
        state, books = self._state, self._books
        fee = cost * books.taker_fee_ppm(*place) // PPM
        value = state.value(place, cost * side + fee, 1) * books.rate(state.listed[place].quote)
        return value // state.amount(place, size)


def _lots(size: int, lot: int) -> int:
    return size // lot * lot


def _told(left: Sequence[Target]) -> str:
    return ", ".join(
        f"{plain(from_quanta(each.amount, MONEY_DECIMALS))} {each.asset}"
        + (f" in {each.place[0]} {each.place[1]}" if each.place else "") for each in left)
