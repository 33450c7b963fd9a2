"""The core's view of the live books: touch, depth, rules and rates, straight from shared memory.

Every answer is read anew, but rates.  A book that is not to be believed says so in
``Quote.distrust`` with the detector's own rules; its depth is empty then.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Final

import numpy as np

from engine.config import Config
from engine.market import appraise as a
from engine.market import touch as t
from engine.market.trust import distrust
from engine.model.clock import Clock
from engine.model.instrument import Instrument
from engine.runtime.memory import Memory, open_desk
from exec.core.ports import Quote
from exec.reference import REFERENCE
from shm.atomics import Words, load_acquire
from shm.book import book_version, quote_version
from shm.jit import entry, hot
from shm.layout import INSTRUMENT, Veto, word_of
from shm.span import Span
from shm.text import INT, TABLE, WORDS
from shm.words import reader

RATE_AGE_NS: Final = 10_000_000
_BOTH: Final = int(t.Source.BOTH)
_OLD: Final = int(Veto.BOOK_OLD)
_TICK: Final = word_of(INSTRUMENT, "tick")
_LOT: Final = word_of(INSTRUMENT, "lot")
_SIZE_MIN: Final = word_of(INSTRUMENT, "size_min")
_NOTIONAL_MIN: Final = word_of(INSTRUMENT, "notional_min")
_TAKER_FEE: Final = word_of(INSTRUMENT, "taker_fee_ppm")
_MAKER_FEE: Final = word_of(INSTRUMENT, "maker_fee_ppm")


class LiveBooks:
    """The books of one run, by venue and unified symbol."""

    def __init__(
        self, config: Config, table: Sequence[Instrument], memory: Memory, clock: Clock
    ) -> None:
        """Map the run's books; raise ConfigInvalid for quanta that cannot be counted."""
        self._span = Span(memory.parts())
        self._desk = open_desk(config, table, memory, self._span, edge_min_ppm=0)
        self._clock, self._depth = clock, config.books.depth
        self._index = {(each.venue, each.name): each.index for each in table}
        self._silence_ns = int(config.supervision.silence_max_ms * 1_000_000)
        self._age_max_ns = int(config.detector.book_age_ms_max * 1_000_000)
        self._pricing: dict[str, list[tuple[int, int, int]]] = {}
        for each in table:
            if each.pair.quote in REFERENCE and each.pair.base not in REFERENCE:
                self._pricing.setdefault(each.pair.base, []).append(
                    (each.index, each.price_decimals, REFERENCE[each.pair.quote]))
        self._rates: dict[str, tuple[int, int]] = {}  # the last that was believed, and when
        desk = self._desk
        self._read = reader()
        self._look, self._rules, self._median = _entries()
        self._sets: dict[tuple[tuple[str, ...], str], Words] = {}  # places whose middles are asked
        self._sums = np.zeros(len(table), np.int64)
        self._ruled = np.zeros(4, np.int64)
        self._terms = memoryview(self._ruled)  # type: ignore[arg-type]  # as Python's own numbers
        self._looked_at = desk.words, desk.seats, desk.slot, desk.quote, desk.buy_touch
        self._touch = memoryview(desk.buy_touch)  # type: ignore[arg-type]
        self._row_at = {(each.venue, each.name): int(desk.seats[each.index, a.ROW_AT])
                        for each in table}

    def quote(self, venue: str, symbol: str) -> Quote:
        """Return the touch now, with why it is not to be believed, if so."""
        return self._quote(self._index[venue, symbol])

    def _quote(self, index: int) -> Quote:
        touch = self._touch
        reason = self._look(*self._looked_at, index, self._depth, self._clock.mono_ns(),
                            self._silence_ns, self._age_max_ns)
        return Quote(touch[t.BID], touch[t.ASK], reason, touch[t.BOOK_VERSION])

    def middle(self, venues: tuple[str, ...], symbol: str) -> int:
        """Return the median middle of the books that are believed, 0 where none is."""
        indexes = self._sets.get((venues, symbol))
        if indexes is None:
            indexes = self._sets[venues, symbol] = np.array(
                [self._index[venue, symbol] for venue in venues], np.int64)
        return self._median(*self._looked_at, indexes, self._sums, self._depth,
                            self._clock.mono_ns(), self._silence_ns, self._age_max_ns)

    def walk(self, venue: str, symbol: str, side: int, size: int) -> tuple[int, int, int]:
        """Return how much of ``size`` the book holds, the worst price, and the whole cost."""
        taken = worst = cost = 0
        for price, there in self.levels(venue, symbol, side):
            if taken == size:
                break
            more = min(size - taken, there)
            taken, worst, cost = taken + more, price, cost + price * more
        return taken, worst, cost

    def levels(self, venue: str, symbol: str, side: int) -> list[tuple[int, int]]:
        """Return what a taker of ``side`` meets, (price, size) best first; empty: not believed.

        Who acts on it asks ``quote`` once more after: a feed leaves LIVE before anything else.
        """
        index = self._index[venue, symbol]
        if self._quote(index).distrust:
            return []
        desk = self._desk
        count = int(t.read_side(
            desk.words, int(desk.seats[index][a.BOOK_AT]), self._depth, int(t.Source.BOTH), side,
            desk.slot, desk.quote, desk.buy_touch, desk.buy_prices, desk.buy_sizes))
        return [*zip(desk.buy_prices[:count].tolist(), desk.buy_sizes[:count].tolist(),
                     strict=True)]

    def versions(self, venue: str, symbol: str) -> tuple[int, int]:
        """Return how often book and quote were published: equal numbers, equal levels."""
        words = self._desk.words
        base = int(self._desk.seats[self._index[venue, symbol]][a.BOOK_AT])
        return int(book_version(words, base)), int(quote_version(words, base, self._depth))

    def rules(self, venue: str, symbol: str) -> tuple[int, int, int, int]:
        """Return tick, lot, least size, and least notional in millionths of the quote."""
        self._rules(self._span.words, self._row_at[venue, symbol], self._ruled)
        tick, lot, size_min, notional_min = self._terms
        return max(tick, 1), max(lot, 1), size_min, notional_min

    def taker_fee_ppm(self, venue: str, symbol: str) -> int:
        """Return the taker's fee in ppm."""
        return self._read(self._span.words, self._row_at[venue, symbol] + _TAKER_FEE)

    def maker_fee_ppm(self, venue: str, symbol: str) -> int:
        """Return the maker's fee in ppm; negative: a rebate."""
        return self._read(self._span.words, self._row_at[venue, symbol] + _MAKER_FEE)

    def rate(self, asset: str) -> int:
        """Return millionths of the reference currency for one unit; 0 if no book ever said.

        The median of the believed books' middles, at most RATE_AGE_NS old; the last one known
        while none is believed.
        """
        fixed = REFERENCE.get(asset)
        if fixed is not None:
            return fixed
        now_ns = self._clock.mono_ns()
        known, at_ns = self._rates.get(asset, (0, -RATE_AGE_NS))
        if now_ns - at_ns < RATE_AGE_NS:
            return known
        found = []
        for index, decimals, rate in self._pricing.get(asset, ()):
            quote = self._quote(index)
            if not quote.distrust and quote.bid and quote.ask:
                found.append((quote.bid + quote.ask) * rate // (2 * 10**decimals))
        if found:
            known = sorted(found)[len(found) // 2]
        self._rates[asset] = known, now_ns
        return known


@hot
def _look(
    words: Words, seats: a.Table, slot: Words, quote: Words, touch: Words, index: int, depth: int,
    now_ns: int, silence_ns: int, age_max_ns: int,
) -> int:
    """Write an instrument's touch; return why its book is not to be believed, 0 if it is."""
    book = seats[index, a.BOOK_AT]
    veto = t.read_touch(words, book, depth, _BOTH, slot, quote, touch)
    doubt = distrust(
        words, book, seats[index, a.FEED_AT], seats[index, a.ROW_AT], now_ns, silence_ns)
    if doubt != 0:
        return doubt
    if veto != 0:
        return veto
    return _OLD if now_ns - touch[t.RECV_NS] > age_max_ns else 0


@hot
def _rules(words: Words, row: int, out: Words) -> None:
    """Copy what the venue demands of an order's numbers."""
    out[0] = load_acquire(words, row + _TICK)
    out[1] = load_acquire(words, row + _LOT)
    out[2] = load_acquire(words, row + _SIZE_MIN)
    out[3] = load_acquire(words, row + _NOTIONAL_MIN)


@hot
def _median(
    words: Words, seats: a.Table, slot: Words, quote: Words, touch: Words, indexes: Words,
    sums: Words, depth: int, now_ns: int, silence_ns: int, age_max_ns: int,
) -> int:
    """Return the median of the middles of two-sided books that are believed, 0 for none."""
    found = 0
    for index in indexes:
        if _look(words, seats, slot, quote, touch, index, depth, now_ns, silence_ns, age_max_ns):
            continue
        if touch[t.BID] == 0 or touch[t.ASK] == 0:
            continue
        both, at = touch[t.BID] + touch[t.ASK], found
        while at > 0 and sums[at - 1] > both:
            sums[at] = sums[at - 1]
            at -= 1
        sums[at] = both
        found += 1
    if found == 0:
        return 0
    half = found // 2
    if found % 2 == 1:
        return int(sums[half] // 2)
    return int((sums[half - 1] + sums[half]) // 4)


@cache
def _entries() -> tuple[Callable[..., int], Callable[..., None], Callable[..., int]]:
    seen = WORDS, TABLE, WORDS, WORDS, WORDS
    return (entry(_look, *seen, *(INT,) * 5), entry(_rules, WORDS, INT, WORDS),
            entry(_median, *seen, WORDS, WORDS, *(INT,) * 4))
