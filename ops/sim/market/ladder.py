"""The levels of one line: what the outside flow does to its book, one message at a time.

The touch follows the price that the line sees and stays while it is near enough; levels behind it
come, change and go at recorded distances.  A message holds at most ``levels_max`` changes: where a
move needs more, more messages follow at once, as on venues that send every change by itself.
Not even half of such a move is ever crossed: what stands in the way leaves first.
"""

import math
from bisect import bisect_left, insort
from random import Random
from typing import Final

from ops.sim.book import ASK, BID, Book, Change
from ops.sim.face import BUY, SELL, Print
from ops.sim.listing import PRICES, UNKNOWN_PRICE, Line
from ops.sim.market.draws import PAUSES, SIZE, lognormal, shuffled, through
from ops.sim.market.habits import Habit

LEVELS_MIN: Final = 120  # per side
LEVELS_LOW: Final = 40  # fewer, after a jump: makers come back at once
LEVELS_BARE: Final = 12  # fewer, and venues that send every change send more at once
LEVELS_MAX: Final = 420
FIRST_LEVELS: Final = 250
DEPTH_WEIGHT: Final = 40.0  # at a distance d levels are 1 + 40 d times as large
TOUCH_WEIGHT: Final = 5  # the best level is so many times as large as those behind it
SWEEP_PRINTS_MAX: Final = 3
NEAR: Final = 0.1  # of half a spread from the middle: nearer, the touch must go
FAR: Final = 2.5  # further, a better one comes
HOLE: Final = 6  # a level so many times nearer to the touch than to the next one is missing
NEW, RESIZE, DELETE, GHOST, TOUCH, INSIDE = range(6)
BITS: Final = SIZE.bit_length() - 1  # of a place in a table
TWICE: Final = 2 * BITS
THREE: Final = 1 << 3 * BITS
assert SIZE == 1 << BITS

_NOTHING: Final[list[Print]] = []
_new: Final = tuple.__new__  # a Change in half the time that its own constructor takes


class Tables:
    """A venue's chances, shared by its lines: small enough to stay in the processor's caches."""

    def __init__(self, habit: Habit, share: float, random: Random) -> None:
        """``share`` is the part of the recorded changes that one message gathers, up to 1."""
        self.kinds = shuffled({
            (side, kind): weight for side in (BID, ASK) for kind, weight in enumerate(habit.mix)
        }, random)
        self.counts = [max(1, int(count * share + random.random()))
                       for count in lognormal(*habit.levels)]
        self.distances = tuple(bp / 1e4 for bp in through(habit.distances))
        self.usd = lognormal(*habit.level_usd)
        self.traded_usd = lognormal(habit.trades.median_usd, habit.trades.p90_usd)
        self.chance = habit.trades.per_message * share  # of a trade with a message


class Ladder:
    """One line's outside book, and what changes it."""

    def __init__(self, line: Line, habit: Habit, tables: Tables, random: Random) -> None:
        self.book: Book = line.outside
        self._habit, self._tables, self._random = habit, tables, random
        self._half, self._room = habit.spread / 2, habit.levels_max
        price_usd = PRICES.get(line.pair.base, UNKNOWN_PRICE)
        self._lots_per_usd = 10.0**line.size_decimals / price_usd
        self.changes: list[Change] = []
        self.is_behind = False

    def fill(self, middle: float) -> None:
        """Give the line its first book around ``middle`` ticks."""
        half = middle * self._habit.spread / 2
        bid, ask = _nearest(middle, half)
        for side, best in ((BID, bid), (ASK, ask)):
            self.book.set(side, best, TOUCH_WEIGHT * self._size(0.0))
            for _ in range(FIRST_LEVELS):
                distance = self._tables.distances[int(self._random.random() * SIZE)]
                ticks = int(best * distance)
                price = best - ticks if side == BID else best + ticks
                if ticks and price > 0:
                    self.book.set(side, price, self._size(distance))

    def move(self, middle: float, *, send: bool) -> list[Print]:
        """Bring the touch to ``middle`` ticks and, with ``send``, change levels; return prints.

        What changed stands in ``changes``; ``is_behind`` tells whether more must follow at once.
        """
        changes = self.changes = []
        tables, random, half = self._tables, self._random.random, middle * self._half
        bids, asks = self.book.prices
        near, far = NEAR * half, FAR * half
        prints = _NOTHING
        self.is_behind = False
        if not (bids and asks and middle - far <= bids[-1] <= middle - near
                and middle + near <= asks[0] <= middle + far):
            prints = self._follow(middle, half)
        if (
            random() < (tables.chance if send else tables.chance / 4)
            and not prints and len(changes) < self._room
        ):
            prints = self._trade()
        if send and not self.is_behind:
            missing = LEVELS_LOW - min(len(bids), len(asks))
            count = max(tables.counts[int(random() * SIZE)], 2 * missing)
            count = min(self._room, count) - len(changes)
            if count > 0:
                self._churn(count, middle, half)
            self.is_behind = missing > LEVELS_LOW - LEVELS_BARE
        if not changes:
            self._resize_touch(BID if random() < 0.5 else ASK)
        return prints

    # --- the touch -----------------------------------------------------------------------------

    def _follow(self, middle: float, half: float) -> list[Print]:
        """Move the touch where it is too near or too far; return what was traded on the way.

        Where ticks are coarse, the nearest possible touch counts as near enough.
        """
        bids, asks = self.book.prices
        bid, ask = _nearest(middle, half)
        bid_low, bid_high = min(bid, middle - FAR * half), middle - NEAR * half
        ask_low, ask_high = middle + NEAR * half, max(ask, middle + FAR * half)
        prints, room = list[Print](), self._room
        if asks and asks[0] < ask_low:
            self._clear(ASK, ask, bisect_left(asks, ask), prints)
        if bids and bids[-1] > bid_high:
            self._clear(BID, bid, len(bids) - bisect_left(bids, bid + 1), prints)
        if len(self.changes) < room and not (bids and bid_low <= bids[-1] <= bid_high):
            self._put(BID, bid)
        if len(self.changes) < room and not (asks and ask_low <= asks[0] <= ask_high):
            self._put(ASK, ask)
        self.is_behind = not (bids and asks and bid_low <= bids[-1] <= bid_high
                              and ask_low <= asks[0] <= ask_high)
        return prints

    def _clear(self, side: int, best: int, count: int, prints: list[Print]) -> None:
        """Take the best ``count`` levels out, as far as this message can; some are traded.

        Where nothing would be left, the new ``best`` comes first: no side is ever empty.
        """
        prices, sizes = self.book.prices[side], self.book.sizes[side]
        if count == len(prices):
            self._put(side, best)
        count = min(count, self._room - len(self.changes))
        gone = prices[:count] if side == ASK else prices[: -count - 1 : -1]
        traded = self._random.random() < self._habit.trades.sweeps
        for price in gone:
            size = sizes.pop(price)
            if traded and len(prints) < SWEEP_PRINTS_MAX:
                prints.append(Print(BUY if side == ASK else SELL, price, size))
            self.changes.append(_new(Change, (side, price, 0)))
        del prices[slice(count) if side == ASK else slice(len(prices) - count, None)]

    def _put(self, side: int, price: int) -> None:
        """Let a best level come; where it was left over from before, give it a new size."""
        size = TOUCH_WEIGHT * self._size(0.0)
        self.book.set(side, price, size)
        self.changes.append(_new(Change, (side, price, size)))

    def _trade(self) -> list[Print]:
        """Let a taker eat into the touch, by one print per maker it meets."""
        random, trades = self._random.random, self._habit.trades
        side, taker = (ASK, BUY) if random() < 0.5 else (BID, SELL)
        prices, sizes = self.book.prices[side], self.book.sizes[side]
        price = prices[0] if side == ASK else prices[-1]
        left = sizes[price]
        prints: list[Print] = []
        for _ in range(1 + round(PAUSES[int(random() * SIZE)] * (trades.prints - 1))):
            size = int(self._tables.traded_usd[int(random() * SIZE)] * self._lots_per_usd) or 1
            if size >= left:
                break
            left -= size
            prints.append(Print(taker, price, size))
        if prints:
            sizes[price] = left
            self.changes.append(_new(Change, (side, price, left)))
        return prints

    def _resize_touch(self, side: int) -> None:
        prices = self.book.prices[side]
        self._put(side, prices[-1] if side == BID else prices[0])

    # --- behind the touch ----------------------------------------------------------------------

    def _size(self, distance: float) -> int:
        """Return a size in lots: more money further from the touch."""
        usd = self._tables.usd[int(self._random.random() * SIZE)] * (1 + DEPTH_WEIGHT * distance)
        return int(usd * self._lots_per_usd) or 1

    def _churn(self, count: int, middle: float, half: float) -> None:
        """Change ``count`` levels as the venue's mix says; keep their number within bounds."""
        random, changes = self._random.random, self.changes
        all_prices, all_sizes = self.book.prices, self.book.sizes
        tables, per_usd = self._tables, self._lots_per_usd
        kinds, distances, all_usd = tables.kinds, tables.distances, tables.usd
        for _ in range(count):
            draw = int(random() * THREE)  # one draw for three tables: this loop is the hottest
            side, kind = kinds[draw >> TWICE]
            if kind >= TOUCH:
                if kind == INSIDE:
                    self._narrow(side, middle, half)
                else:
                    self._resize_touch(side)
                continue
            prices, sizes = all_prices[side], all_sizes[side]
            distance = distances[draw >> BITS & SIZE - 1]
            if side == BID:
                best = prices[-1]
                price = best - (int(best * distance) or 1)
            else:
                best = prices[0]
                price = best + (int(best * distance) or 1)
            levels = len(prices)
            if kind == GHOST and price not in sizes:
                changes.append(_new(Change, (side, price, 0)))
                continue
            if (kind == NEW and levels < LEVELS_MAX) or levels < LEVELS_MIN:
                if price not in sizes:
                    insort(prices, price)
            else:  # the next there is behind that price, never the best
                at = bisect_left(prices, price)
                if side == BID:
                    if at > levels - 2:
                        at = levels - 2
                elif not 0 < at < levels:
                    at = levels - 1 if at else 1
                if abs(prices[at] - price) * HOLE > abs(best - price) and levels < LEVELS_MAX:
                    insort(prices, price)  # a hole that the price left behind fills up
                else:
                    price = prices[at]
                    if kind != RESIZE:
                        del prices[at], sizes[price]
                        changes.append(_new(Change, (side, price, 0)))
                        continue
            usd = all_usd[draw & SIZE - 1] * (1 + DEPTH_WEIGHT * distance)
            size = sizes[price] = int(usd * per_usd) or 1
            changes.append(_new(Change, (side, price, size)))

    def _narrow(self, side: int, middle: float, half: float) -> None:
        """Improve the best price as far as the spread allows, or let the best one go."""
        prices, sizes = self.book.prices[side], self.book.sizes[side]
        if len(prices) < 2:
            self._resize_touch(side)
            return
        best, second = (prices[-1], prices[-2]) if side == BID else (prices[0], prices[1])
        sign = 1 if side == BID else -1
        room = int(sign * (middle - best) - NEAR * half)
        if room > 0 and self._random.random() < 0.5:
            self._put(side, best + sign * (1 + int(self._random.random() * room)))
        elif sign * (middle - second) <= FAR * half:
            sizes.pop(best)
            prices.pop(-1 if side == BID else 0)
            self.changes.append(_new(Change, (side, best, 0)))
        else:
            self._put(side, best)


def _nearest(middle: float, half: float) -> tuple[int, int]:
    """Return the best whole ticks for bid and ask; never the same, however coarse ticks are."""
    bid = max(1, math.floor(middle - half))
    return bid, max(bid + 1, math.ceil(middle + half))
