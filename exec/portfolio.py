"""What execution tells of itself, written to shared memory as one whole copy after the other.

    State ─┐
    Books ─┼─▶ Portfolio.turn() ─▶ shm.portfolio ─▶ screen, command line, attach()
    Core  ─┘

Off the hot path: some times a second.  The rows of orders are made again only when they moved;
with 128 of them shown and 44 balances a copy takes some 0.2 ms.
"""

import struct
from collections.abc import Callable, Iterable, Mapping
from decimal import Context, Decimal
from functools import lru_cache
from heapq import nlargest
from itertools import islice
from typing import Final

import numpy as np

from engine.model.quanta import from_quanta, plain
from exec.core import exposure
from exec.core.exposure import strategy_of
from exec.core.ports import Books, Clock
from exec.state.entries import Order
from exec.state.orders import State as OrderState
from exec.state.outcomes import Earned
from exec.state.outstanding import MONEY_DECIMALS
from exec.state.state import State
from shm.layout import TradingState
from shm.portfolio import PortfolioSegment
from shm.portfolio_layout import (
    BALANCE,
    BALANCES_MAX,
    ORDER,
    ORDERS_MAX,
    PORTFOLIO,
    PORTFOLIO_HEAD,
    POSITION,
    POSITIONS_MAX,
)
from shm.record import Dtype

CHANGED_EVERY_NS: Final = 100_000_000  # a copy when something changed
EVERY_NS: Final = 1_000_000_000  # and one at least, so that readers know it is alive
NUMBER_MAX: Final = 32  # bytes of the shortest field of a number
MONEY_MAX: Final = 48
_WORD_MAX: Final = 2**63 - 1

Pack = Callable[..., bytes]


class Portfolio:
    """The one writer of the portfolio segment."""

    def __init__(
        self, segment: PortfolioSegment, state: State, books: Books, clock: Clock, account: str,
        mode: str, *, fee_reserve_ppm: int = 0,
    ) -> None:
        """Write into ``segment`` what ``state`` knows; ``account`` is not a secret: it is shown."""
        self._segment, self._state, self._books, self._clock = segment, state, books, clock
        self._named = (fitted(mode, 16), fitted(account, 16))
        self._fee_ppm = fee_reserve_ppm
        self._bytes = segment.draft.view(np.uint8)
        self._orders: dict[int, tuple[object, bytes]] = {}  # those shown, and what they showed
        self._written_ns = -EVERY_NS
        self._written: object = None

    def turn(self, *, trading: TradingState, unready: Mapping[str, str]) -> bool:
        """Publish if something changed or a second passed; return whether."""
        age_ns = self._clock.mono_ns() - self._written_ns
        if age_ns < CHANGED_EVERY_NS:
            return False
        if age_ns < EVERY_NS and self._written == self._mark(trading, unready):
            return False
        self.publish(trading=trading, unready=unready)
        return True

    def publish(self, *, trading: TradingState, unready: Mapping[str, str]) -> None:
        """Let readers have a copy of how things stand now; venues with a text in it wait."""
        self._written_ns, self._written = self._clock.mono_ns(), self._mark(trading, unready)
        balances, worth = self._balances()
        positions, gained = self._positions()
        self._put("balances", [row for _, row in balances[:BALANCES_MAX]])
        self._put("positions", [row for _, row in positions[:POSITIONS_MAX]])
        self._put("orders", self._order_rows())
        unix_ns = self._clock.unix_ns()
        earned = self._state.outcomes.earned(unix_ns)
        self._put("head", [_head(
            0, int(trading), self._state.life, self._state.records, unix_ns, self._written_ns,
            len(balances), len(positions), len(self._state.orders), len(self._state.live),
            sum(each.state is OrderState.UNKNOWN for each in self._state.live.values()),
            len(self._state.open_plans), len(self._state.plans), len(self._state.trades),
            *self._figures(earned, worth + gained), *self._named, self._why(),
            unready_lines(unready))])
        self._segment.publish()

    def _mark(self, trading: TradingState, unready: Mapping[str, str]) -> object:
        """Return what differs as soon as anything but prices moved."""
        return self._state.records, trading, tuple(unready.items())

    def _put(self, part: str, rows: list[bytes]) -> None:
        """Put rows to the front of a part of the draft; the count in the head ends them."""
        fields = PORTFOLIO.fields
        assert fields is not None
        at, whole = fields[part][1], b"".join(rows)
        self._bytes[at : at + len(whole)] = np.frombuffer(whole, np.uint8)

    def _figures(self, earned: Earned, equity: int) -> tuple[int, ...]:
        state, books = self._state, self._books
        figures = (
            earned.whole, earned.day, earned.hour, earned.losses_in_row,
            exposure.unhedged(state, books),
            exposure.total_gross(state, books), equity)
        return tuple(map(word, figures))

    def _why(self) -> bytes:
        who, why = self._state.trading_who, self._state.trading_why
        return fitted(f"{who}: {why}" if who else why, 256)

    # --- rows ----------------------------------------------------------------------------------

    def _balances(self) -> tuple[list[tuple[int, bytes]], int]:
        """Return worth and row of every balance, the dearest first, and the worth of all."""
        state, books = self._state, self._books
        rates: dict[str, int] = {}
        found = []
        places = state.counts.keys() | state.holdings.keys() | state.outstanding.reserved.keys()
        for place in places:
            counted, then = state.counts.get(place, (0, 0))
            total = counted + state.holdings.get(place, 0) - then
            venue, asset = place
            reserved = exposure.reserved(state, venue, asset, self._fee_ppm)
            if not total and not reserved:
                continue
            if asset not in rates:
                rates[asset] = books.rate(asset)
            value = total * rates[asset] // exposure.UNIT
            found.append((value, _balance(
                fitted(venue, 32), fitted(asset, 16), money(total), money(reserved),
                word(value), state.counted_ns.get(place, 0))))
        found.sort(key=lambda row: (-abs(row[0]), row[1]))
        return found, sum(value for value, _ in found)

    def _positions(self) -> tuple[list[tuple[int, bytes]], int]:
        """Return worth and row of every perpetual's position, and what the open ones gained."""
        state, books, found, gained = self._state, self._books, [], 0
        for place, position in state.positions.items():
            listed = state.listed[place]
            rate = books.rate(listed.base)
            value = state.amount(place, position.size) * rate // exposure.UNIT
            if rate:
                gained += value - position.cost * books.rate(listed.quote) // exposure.UNIT
            found.append((value, _position(
                fitted(place[0], 32), fitted(place[1], 32),
                number(position.size, listed.size_decimals, MONEY_MAX), money(position.cost),
                money(position.realised), word(value))))
        found.sort(key=lambda row: (-abs(row[0]), row[1]))
        return found, gained

    def _order_rows(self) -> list[bytes]:
        """Return the rows of what is live, doubts first, then of the newest that settled."""
        state = self._state
        shown = nlargest(ORDERS_MAX, state.live.values(), key=_urgency)
        settled = (order for each, order in reversed(state.orders.items())
                   if each not in state.live)
        shown += islice(settled, ORDERS_MAX - len(shown))
        rows = {each.intent.order: self._order_row(each) for each in shown}
        self._orders = rows
        return [row for _, row in rows.values()]

    def _order_row(self, order: Order) -> tuple[object, bytes]:
        moved = (order.state, order.booked, order.venue_order)
        known = self._orders.get(order.intent.order)
        if known is not None and known[0] == moved:
            return known
        intent = order.intent
        listed = self._state.listed[intent.venue, intent.symbol]
        return moved, _order(
            intent.order, intent.plan, intent.side, int(order.state), int(intent.tif),
            order.born_ns, order.changed_ns, fitted(intent.venue, 32), fitted(intent.symbol, 32),
            fitted(intent.client_id, 32), fitted(order.venue_order, 48),
            fitted(intent.purpose, 16), number(intent.price, listed.price_decimals, NUMBER_MAX),
            number(intent.size, listed.size_decimals, NUMBER_MAX),
            number(order.booked, listed.size_decimals, NUMBER_MAX),
            fitted(strategy_of(self._state, intent.plan), 16))


def _urgency(order: Order) -> tuple[bool, int]:
    return order.state is OrderState.UNKNOWN, order.intent.order


def unready_lines(unready: Mapping[str, str]) -> bytes:
    """Return a line for each venue that is not ready, each cut so that all have a share."""
    lines = [f"{venue}: {why}" for venue, why in unready.items() if why]
    share = 256 // len(lines) - 1 if lines else 0
    return b"\n".join(fitted(line.replace("\n", " "), share) for line in lines)


@lru_cache(maxsize=4_096)
def fitted(text: str, size: int) -> bytes:
    """Return as much of a text as ``size`` bytes hold, whole characters only."""
    return text.encode()[:size].decode(errors="ignore").encode()


def word(amount: int) -> int:
    """Return what a 64-bit word can say of an amount: its bound where it cannot say it."""
    return max(-_WORD_MAX, min(amount, _WORD_MAX))


def number(quanta: int, decimals: int, size: int) -> bytes:
    """Return exact decimal text without trailing zeros.

    Where ``size`` bytes do not hold it: less of its fraction, or what powers of ten say of it.
    """
    text = plain(from_quanta(quanta, decimals))
    if len(text) <= size:
        return text.encode()
    whole = text.partition(".")[0]
    if len(whole) > size:
        return f"{Context(prec=size - 8).create_decimal(Decimal(whole)):E}".encode()
    return text[:size].rstrip(".").encode()


@lru_cache(maxsize=4_096)
def money(quanta: int) -> bytes:
    """Return an amount of 10**-24 in exact decimal text."""
    return number(quanta, MONEY_DECIMALS, MONEY_MAX)


def _packer(dtype: Dtype) -> Pack:
    """Return what packs the fields of a record, in their order, into its bytes."""
    fields = dtype.fields
    assert fields is not None
    codes = ["q" if fields[name][0].kind == "i" else f"{fields[name][0].itemsize}s"
             for name in dtype.names or ()]
    packed = struct.Struct("<" + "".join(codes))
    offsets: Iterable[int] = [struct.calcsize("<" + "".join(codes[:at]))
                              for at in range(len(codes))]
    assert [fields[name][1] for name in dtype.names or ()] == offsets
    return struct.Struct(f"{packed.format}{dtype.itemsize - packed.size}x").pack


_head: Final = _packer(PORTFOLIO_HEAD)
_balance: Final = _packer(BALANCE)
_position: Final = _packer(POSITION)
_order: Final = _packer(ORDER)
