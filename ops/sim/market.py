"""The invented market: one fair price per pair, which every venue follows at its own pace.

A fair price walks with a common factor (pairs move together) and jumps now and then.  A venue
sees it late, by its lag, so that after a jump the venues disagree for a moment: that is the
arbitrage there is to find.  Levels, deletes and distances follow captures/STATISTICS.md.

Time is virtual: what happens depends on the seed alone, never on how often ``advance`` is called.
"""

import heapq
import math
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Final, NamedTuple

from ops.sim.book import ASK, BID, Change
from ops.sim.face import BUY, SELL, Print, Update
from ops.sim.listing import Line, first_price

NS: Final = 1_000_000_000
WALK_PER_ROOT_S: Final = 0.6e-4  # of the common factor and of each pair; 0.6 bp after 1 s
JUMPS_PER_S: Final = 0.3  # per pair
JUMP_MEAN: Final = 10e-4  # of the price
STORM_MEAN_S: Final = 20.0  # calm and storm alternate; a storm walks three times as fast
STORM_FACTOR: Final = 3.0
HOME_S: Final = 600.0  # prices drift back to where they began, so that days of running stay sane
LEVELS_MIN: Final = 120  # per side
LEVELS_MAX: Final = 400
FIRST_LEVELS: Final = 200


class Habit(NamedTuple):
    """How a venue's lines behave."""

    lag_s: float
    spread: float  # fraction of the price
    levels_mean: float  # changed per update
    clocked: bool  # diffs on a clock, quotes in between; else every change at once, in bursts


HABITS: Final = {
    "binance": Habit(0.02, 0.4e-4, 9.0, clocked=True),
    "binance-us": Habit(0.50, 3.0e-4, 2.5, clocked=True),
    "binance-usdm": Habit(0.01, 0.2e-4, 12.0, clocked=True),
    "okx": Habit(0.20, 0.5e-4, 5.0, clocked=True),
    "okx-us": Habit(0.30, 1.0e-4, 3.0, clocked=True),
    "kraken": Habit(0.25, 1.0e-4, 1.6, clocked=False),
    "coinbase": Habit(0.12, 0.6e-4, 2.0, clocked=False),
    "coinbase-exchange": Habit(0.10, 0.6e-4, 1.1, clocked=False),
}


class _Fair:
    """The fair price of one pair, as a logarithm."""

    def __init__(self, price: float) -> None:
        self.log = self.home = math.log(price)
        self.at_ns = 0


class _Follower:
    """One line's view of its fair price, and its schedule."""

    def __init__(self, line: Line, fair: _Fair, habit: Habit, gap_s: float, random: Random) -> None:
        self.line, self.fair, self.habit = line, fair, habit
        self.gap_s = gap_s  # mean time between updates
        self.log = fair.log
        self.bias = random.gauss(0, 0.3e-4)
        self.at_ns = 0
        self.clock_ns = int(random.random() * gap_s * NS)  # next diff of a clocked venue
        self.quote_next = False


class Market:
    """Drives lines; pops what happens in the order of virtual time."""

    def __init__(self, lines: Sequence[Line], *, seed: int, messages_per_s: float) -> None:
        self._random = Random(seed)  # noqa: S311  not a secret
        self._factor_log, self._factor_ns = 0.0, 0
        self._storm, self._storm_until_ns = False, int(STORM_MEAN_S * NS)
        self._queue: list[tuple[int, int]] = []  # (virtual ns, follower or ~pair)
        self._fairs: list[_Fair] = []
        self._followers: list[_Follower] = []
        fairs: dict[str, _Fair] = {}
        for line in lines:
            fair = fairs.setdefault(line.pair.group, _Fair(first_price(line.pair)))
            habit = HABITS[line.venue]
            gap_s = sum(other.venue == line.venue for other in lines) / messages_per_s
            follower = _Follower(line, fair, habit, gap_s, self._random)
            self._followers.append(follower)
            self._fill(follower)
            heapq.heappush(self._queue, (self._next_ns(follower, 0), len(self._followers) - 1))
        for number, fair in enumerate(fairs.values()):
            self._fairs.append(fair)
            heapq.heappush(self._queue, (self._jump_ns(0), ~number))

    @property
    def next_ns(self) -> int:
        """Return the virtual time of the next thing to happen."""
        return self._queue[0][0]

    def advance(self, to_ns: int) -> Iterator[tuple[Line, Update]]:
        """Yield what happens up to virtual time ``to_ns``; each outside book has it already."""
        while self._queue[0][0] <= to_ns:
            now_ns, number = heapq.heappop(self._queue)
            self._walk_factor(now_ns)
            if number < 0:
                self._jump(self._fairs[~number])
                heapq.heappush(self._queue, (self._jump_ns(now_ns), number))
                continue
            follower = self._followers[number]
            send = not (follower.habit.clocked and follower.quote_next)
            update = self._step(follower, now_ns, send=send)
            heapq.heappush(self._queue, (self._next_ns(follower, now_ns), number))
            yield follower.line, update

    # --- prices ----------------------------------------------------------------------------

    def _walk_factor(self, now_ns: int) -> None:
        if now_ns >= self._storm_until_ns:
            self._storm = not self._storm
            calm_s = STORM_MEAN_S if self._storm else 3 * STORM_MEAN_S
            self._storm_until_ns = now_ns + int(self._random.expovariate(1 / calm_s) * NS)
        elapsed_ns = now_ns - self._factor_ns
        self._factor_log += self._walk(elapsed_ns) - self._factor_log * elapsed_ns / NS / HOME_S
        self._factor_ns = now_ns

    def _walk(self, ns: int) -> float:
        factor = STORM_FACTOR if self._storm else 1.0
        return self._random.gauss(0, 1) * factor * WALK_PER_ROOT_S * math.sqrt(ns / NS)

    def _jump_ns(self, now_ns: int) -> int:
        return now_ns + int(self._random.expovariate(JUMPS_PER_S) * NS)

    def _jump(self, fair: _Fair) -> None:
        size = self._random.expovariate(1 / JUMP_MEAN)
        fair.log += size if self._random.random() < 0.5 else -size

    def _next_ns(self, follower: _Follower, now_ns: int) -> int:
        """Return when the line moves next: clocked diffs with quotes between, or in bursts."""
        random, gap_ns = self._random, follower.gap_s * NS
        if not follower.habit.clocked:
            burst = random.random() < 0.5
            return now_ns + 1 + int(random.expovariate(1.0) * gap_ns * (0.05 if burst else 1.95))
        if follower.quote_next:
            follower.quote_next = False
        elif random.random() < 0.6:
            follower.quote_next = True
            return now_ns + int(random.random() * 0.95 * (follower.clock_ns + gap_ns - now_ns))
        follower.clock_ns += int(gap_ns)
        return max(now_ns + 1, follower.clock_ns)

    def _target(self, follower: _Follower, now_ns: int) -> tuple[int, int]:
        """Return the best bid and ask, in ticks, that the venue's own view of the price asks for.

        A touch that is still near enough stays where it is.
        """
        fair, line = follower.fair, follower.line
        fair.log += self._walk(now_ns - fair.at_ns)
        fair.log += (fair.home - fair.log) * (now_ns - fair.at_ns) / NS / HOME_S
        fair.at_ns = now_ns
        seen = fair.log + self._factor_log
        keep = math.exp((follower.at_ns - now_ns) / NS / follower.habit.lag_s)
        follower.log = seen + (follower.log - seen) * keep
        follower.at_ns = now_ns
        follower.bias = 0.99 * follower.bias + self._random.gauss(0, 0.04e-4)
        middle = math.exp(follower.log + follower.bias) * 10**line.price_decimals
        half = middle * follower.habit.spread / 2
        touch = line.outside.touch()
        bid, ask = max(1, math.floor(middle - half)), math.ceil(middle + half)
        if touch.bid and 0.4 * half <= middle - touch.bid <= 1.6 * half:
            bid = touch.bid
        if touch.ask and 0.4 * half <= touch.ask - middle <= 1.6 * half:
            ask = touch.ask
        return bid, max(bid + 1, ask)

    # --- levels ----------------------------------------------------------------------------

    def _size(self, follower: _Follower, distance: float) -> int:
        """Return a size in lots: more money further from the touch."""
        money = 1500.0 * math.exp(self._random.gauss(0, 1.0)) * (1 + 40 * distance)
        price = math.exp(follower.log)
        return max(1, int(money / price * 10**follower.line.size_decimals))

    def _distance(self) -> float:
        """Return how far from the touch a level changes, as a fraction of the price."""
        which = self._random.random()
        if which < 0.30:
            return self._random.random() * 1e-4
        return self._random.expovariate(1 / 5e-4 if which < 0.75 else 1 / 40e-4)

    def _fill(self, follower: _Follower) -> None:
        """Give a line its first book."""
        bid, ask = self._target(follower, 0)
        for side, best in ((BID, bid), (ASK, ask)):
            distance = 0.0
            for _ in range(FIRST_LEVELS):
                ticks = int(best * distance)
                price = best - ticks if side == BID else best + ticks
                if price > 0:
                    follower.line.outside.set(side, price, self._size(follower, distance))
                distance += self._random.expovariate(1 / 0.5e-4)

    def _step(self, follower: _Follower, now_ns: int, *, send: bool) -> Update:
        """Move one line to where it sees the price; return what changed."""
        book, changes = follower.line.outside, list[Change]()

        def put(side: int, price: int, size: int) -> None:
            changes.append(Change(side, price, size))
            book.set(side, price, size)

        bid, ask = self._target(follower, now_ns)
        prints = self._clear_the_way(follower, bid, ask, put)
        for side, best in ((BID, bid), (ASK, ask)):
            if best not in book.sizes[side] or self._random.random() < 0.15:
                put(side, best, self._size(follower, 0.0))
        if send:
            rest = int(self._random.expovariate(1 / follower.habit.levels_mean))
            for _ in range(rest):
                self._change_one(follower, (bid, ask), put)
        return Update(changes, prints, send)

    def _clear_the_way(self, follower: _Follower, bid: int, ask: int, put: "_Put") -> list[Print]:
        """Take out what stands between the old touch and the new; some of it is traded."""
        book, prints = follower.line.outside, list[Print]()
        for side, taker in ((ASK, BUY), (BID, SELL)):
            prices, sizes = book.prices[side], book.sizes[side]
            traded = self._random.random() < 0.5
            while prices and (prices[0] < ask if side == ASK else prices[-1] > bid):
                price = prices[0] if side == ASK else prices[-1]
                if traded and len(prints) < 3:
                    prints.append(Print(taker, price, sizes[price]))
                put(side, price, 0)
        if not prints and self._random.random() < 0.2:
            buys = self._random.random() < 0.5
            side, taker, price = (ASK, BUY, ask) if buys else (BID, SELL, bid)
            size = book.sizes[side].get(price, 0)
            if size > 1:
                taken = self._random.randint(1, size - 1)
                prints.append(Print(taker, price, taken))
                put(side, price, size - taken)
        return prints

    def _change_one(self, follower: _Follower, touch: tuple[int, int], put: "_Put") -> None:
        """Add, resize or delete one level behind the touch, keeping the count within bounds."""
        random, side = self._random, BID if self._random.random() < 0.5 else ASK
        prices, best = follower.line.outside.prices[side], touch[side]
        if len(prices) > LEVELS_MAX:
            put(side, prices[0] if side == BID else prices[-1], 0)
        elif len(prices) > LEVELS_MIN and random.random() < 0.42:
            behind = 1 + min(int(random.expovariate(1 / 12)), len(prices) - 2)
            put(side, prices[-1 - behind] if side == BID else prices[behind], 0)
        else:
            distance = self._distance()
            ticks = int(best * distance)
            price = best - ticks if side == BID else best + ticks
            if price > 0:
                put(side, price, self._size(follower, distance))


_Put = Callable[[int, int, int], None]
