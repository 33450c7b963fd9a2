"""The outside flow of the matching engine, brought to where a market's or a recording's book is.

    recorded: print 3 at 100, then level 100 is 5     the print moves the queue, the level agrees
              level 100 falls to 5, then print 3      the same trade: it must not count twice

Books and prints come on streams of their own, in either order.  So a level that fell is
remembered for a moment, and a print at its price is taken for the reason of the fall first: the
orders behind as much as was traded move forward, the level stays as recorded.  And what a print
took off a level that the next book frame does not mention has been replaced: it joins behind.
"""

from collections.abc import Callable, Iterable
from typing import Final

from engine.model.quanta import to_quanta
from ops.sim.book import ASK, BID, Change
from ops.sim.exchange.book import Half
from ops.sim.exchange.exchange import Exchange
from ops.sim.exchange.orders import BUY, SELL
from ops.sim.listing import Line
from ops.sim.recorded import RecordedTrade

SIDES: Final = {BID: BUY, ASK: SELL}
FALL_NS: Final = 1_000_000_000  # a print later than this after a fall was another trade
FALLS_MAX: Final = 4_096
PRINTED_MAX: Final = 4_096


_Key = tuple[str, int, int]  # symbol, side and price


class _Fall:
    """How far a level fell without a print, and the least that was left."""

    __slots__ = ("at_ns", "least", "size")

    def __init__(self) -> None:
        self.at_ns, self.size, self.least = 0, 0, 1 << 200


class Backdrop:
    """Applies books and prints, counted in a line's ticks and lots, to the matching engine."""

    def __init__(self, exchange: Exchange, now_ns: Callable[[], int]) -> None:
        self._exchange, self._now_ns = exchange, now_ns
        self._falls: dict[_Key, _Fall] = {}
        self._taken: dict[str, dict[_Key, int]] = {}  # by prints since a symbol's last book frame

    def align(self, line: Line) -> None:
        """Make the outside flow what ``line.outside`` is; whoever queues keeps the place."""
        native, book = line.native, self._exchange.listed[line.native].book
        self._taken.pop(native, None)
        wanted = {
            name: dict(self._scaled(line, line.outside.sizes[side].items()))
            for side, name in SIDES.items()
        }
        for name, levels in wanted.items():
            for price in [*book.half(name).outside]:
                if price not in levels:
                    self._exchange.set_level(self._now_ns(), native, name, price, 0)
        for name, levels in wanted.items():
            for price, size in levels.items():
                if book.half(name).outside.get(price) != size:
                    self._exchange.set_level(self._now_ns(), native, name, price, size)

    def change(self, line: Line, changes: Iterable[Change]) -> None:
        """Apply recorded levels; what fell is remembered for the print that may explain it."""
        now_ns, native = self._now_ns(), line.native
        book, taken = self._exchange.listed[native].book, self._taken.pop(native, {})
        for side, name in SIDES.items():
            outside = book.half(name).outside
            rows = [(price, size) for at, price, size in changes if at == side]
            for price, size in self._scaled(line, rows):
                fallen = outside.get(price, 0) - size
                if fallen > 0:
                    self._fell((native, name, price), fallen, size, now_ns)
                taken.pop((native, name, price), None)
                self._exchange.set_level(now_ns, native, name, price, size)
        for (_, name, price), size in taken.items():
            outside = book.half(name).outside
            most = self._recorded(line, name, price)
            if outside.get(price, 0) < most:
                self._exchange.set_level(
                    now_ns, native, name, price, min(most, outside.get(price, 0) + size))

    def trade(self, line: Line, trade: RecordedTrade) -> None:
        """Apply a recorded print; one finer than the symbol's quanta moves nothing."""
        native, symbol = line.native, self._exchange.listed[line.native].symbol
        try:
            price = to_quanta(trade.price, symbol.price_decimals)
            size = to_quanta(trade.size, symbol.size_decimals)
        except ValueError:
            return
        if price <= 0 or size <= 0:  # USD-M prints of 0 tell of other things
            return
        now_ns, half = self._now_ns(), self._exchange.listed[native].book.half(-trade.side)
        key = (native, -trade.side, price)
        fall, left = self._falls.get(key), half.outside.get(price, 0)
        explained = min(fall.size, size) if fall and now_ns - fall.at_ns <= FALL_NS else 0
        if fall and explained:
            _put_back(half, price, explained, fall.least)
            fall.size -= explained
        self._exchange.print_trade(now_ns, native, trade.side, price, size)
        if explained:
            rest = max(0, left - size + explained)
            self._exchange.set_level(now_ns, native, -trade.side, price, rest)
        taken = left - half.outside.get(price, 0)
        if taken > 0:
            of_line = self._taken.setdefault(native, {})
            of_line[key] = of_line.get(key, 0) + taken
            if len(of_line) > PRINTED_MAX:  # a recording of prints without a book
                of_line.clear()

    def _recorded(self, line: Line, side: int, price: int) -> int:
        """Return the recorded size at a price, both in the symbol's quanta."""
        at = BID if side == BUY else ASK
        symbol = self._exchange.listed[line.native].symbol
        ticks = _scale(price, line.price_decimals - symbol.price_decimals)
        size = line.outside.sizes[at].get(ticks, 0) if ticks is not None else 0
        return _scale(size, symbol.size_decimals - line.size_decimals) or 0

    def _fell(self, key: _Key, size: int, left: int, now_ns: int) -> None:
        if len(self._falls) >= FALLS_MAX:
            self._falls = {each: fall for each, fall in self._falls.items()
                           if now_ns - fall.at_ns <= FALL_NS}
            if len(self._falls) >= FALLS_MAX:
                self._falls.clear()
        fall = self._falls.get(key)
        if fall is None or now_ns - fall.at_ns > FALL_NS:
            fall = self._falls[key] = _Fall()
        fall.at_ns, fall.size, fall.least = now_ns, fall.size + size, min(fall.least, left)

    def _scaled(
        self, line: Line, levels: Iterable[tuple[int, int]]
    ) -> Iterable[tuple[int, int]]:
        """Yield levels in the symbol's quanta, without those that are finer than these."""
        symbol = self._exchange.listed[line.native].symbol
        prices = symbol.price_decimals - line.price_decimals
        sizes = symbol.size_decimals - line.size_decimals
        for price, size in levels:
            scaled_price, scaled_size = _scale(price, prices), _scale(size, sizes)
            if scaled_price is not None and scaled_size is not None:
                yield scaled_price, scaled_size


def _scale(number: int, decimals: int) -> int | None:
    """Return a number counted in ``decimals`` more decimals, None if it needs those it loses."""
    if decimals >= 0:
        more: int = number * 10**decimals
        return more
    whole, rest = divmod(number, 10**-decimals)
    return None if rest else whole


def _put_back(half: Half, price: int, size: int, least: int) -> None:
    """Undo a fall before its print: who had all that was left ahead may have had it all ahead."""
    half.set_outside(price, half.outside.get(price, 0) + size)
    for order in half.queues.get(price, {}).values():
        if order.ahead >= least:
            order.ahead += size
