"""The core's view of the live books: touch, depth, rules and rates, straight from shared memory.

Every answer is read anew.  A book that is not to be believed says so in ``Quote.distrust`` with
the detector's own rules; its depth is empty then.
"""

from collections.abc import Sequence
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
from shm.layout import Veto
from shm.span import Span

SURE: Final = int(Veto.NONE)


class LiveBooks:
    """The books of one run, by venue and unified symbol."""

    def __init__(
        self, config: Config, table: Sequence[Instrument], memory: Memory, clock: Clock
    ) -> None:
        """Map the run's books; raise ConfigInvalid for quanta that cannot be counted."""
        self._span = Span(memory.parts())
        self._desk = open_desk(config, table, memory, self._span, edge_min_ppm=0)
        self._rows, self._clock, self._depth = memory.rows, clock, config.books.depth
        self._index = {(each.venue, each.name): each.index for each in table}
        self._silence_ns = int(config.supervision.silence_max_ms * 1_000_000)
        self._age_max_ns = int(config.detector.book_age_ms_max * 1_000_000)
        self._pricing: dict[str, list[tuple[int, int, int]]] = {}
        for each in table:
            if each.pair.quote in REFERENCE and each.pair.base not in REFERENCE:
                self._pricing.setdefault(each.pair.base, []).append(
                    (each.index, each.price_decimals, REFERENCE[each.pair.quote]))
        self._rates: dict[str, int] = {}  # the last that was believed

    def quote(self, venue: str, symbol: str) -> Quote:
        """Return the touch now, with why it is not to be believed, if so."""
        return self._quote(self._index[venue, symbol])

    def _quote(self, index: int) -> Quote:
        desk, touch = self._desk, self._desk.buy_touch
        seat = desk.seats[index]
        veto = t.read_touch(desk.words, int(seat[a.BOOK_AT]), self._depth, int(t.Source.BOTH),
                            desk.slot, desk.quote, touch)
        now_ns = self._clock.mono_ns()
        doubt = distrust(desk.words, int(seat[a.BOOK_AT]), int(seat[a.FEED_AT]),
                         int(seat[a.ROW_AT]), now_ns, self._silence_ns)
        old = now_ns - int(touch[t.RECV_NS]) > self._age_max_ns
        reason = int(doubt) or int(veto) or (int(Veto.BOOK_OLD) if old else SURE)
        return Quote(int(touch[t.BID]), int(touch[t.ASK]), reason, int(touch[t.BOOK_VERSION]))

    def walk(self, venue: str, symbol: str, side: int, size: int) -> tuple[int, int, int]:
        """Return how much of ``size`` the book holds, the worst price, and the whole cost."""
        index = self._index[venue, symbol]
        if self._quote(index).distrust:
            return 0, 0, 0
        desk = self._desk
        levels = int(t.read_side(
            desk.words, int(desk.seats[index][a.BOOK_AT]), self._depth, int(t.Source.BOTH), side,
            desk.slot, desk.quote, desk.buy_touch, desk.buy_prices, desk.buy_sizes))
        taken = worst = cost = 0
        for price, there in zip(desk.buy_prices[:levels].tolist(),
                                desk.buy_sizes[:levels].tolist(), strict=True):
            if taken == size:
                break
            more = min(size - taken, there)
            taken, worst, cost = taken + more, price, cost + price * more
        return taken, worst, cost

    def rules(self, venue: str, symbol: str) -> tuple[int, int, int, int]:
        """Return tick, lot, least size, and least notional in millionths of the quote."""
        row = self._rows[self._index[venue, symbol]]
        return (max(int(row["tick"]), 1), max(int(row["lot"]), 1), int(row["size_min"]),
                int(row["notional_min"]))

    def taker_fee_ppm(self, venue: str, symbol: str) -> int:
        """Return the taker's fee in ppm."""
        return int(self._rows[self._index[venue, symbol]]["taker_fee_ppm"])

    def rate(self, asset: str) -> int:
        """Return millionths of the reference currency for one unit; 0 if no book ever said.

        The median of the believed books' middles; the last one known while none is believed.
        """
        fixed = REFERENCE.get(asset)
        if fixed is not None:
            return fixed
        found = []
        for index, decimals, rate in self._pricing.get(asset, ()):
            quote = self._quote(index)
            if not quote.distrust and quote.bid and quote.ask:
                found.append((quote.bid + quote.ask) * rate // (2 * 10**decimals))
        if found:
            self._rates[asset] = int(np.sort(found)[len(found) // 2])
        return self._rates.get(asset, 0)
