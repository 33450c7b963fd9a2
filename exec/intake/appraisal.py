"""A detector's signal as the books of this moment allow it: sized anew, or refused by name.

Expired first, then the appraisal that detection shares: who may act, are the books to be believed,
is the edge still there, at what size.  What comes of it is for the gate to judge.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from engine.config import Config
from engine.market import depth
from engine.market.appraise import appraise
from engine.model.instrument import Instrument
from engine.runtime.memory import Memory, open_desk
from exec.core.core import Signal
from exec.core.ports import Books
from exec.gate.checks import Refusal
from exec.records import LegSeen
from exec.reference import MICRO
from shm.layout import Strategy, Veto
from shm.span import Span

UNITS: Final = {  # of what a refusal compared; the other vetoes compare nothing
    Veto.BOOK_OLD: "ns", Veto.EDGE: "ppm", Veto.TOO_GOOD: "ppm", Veto.SIZE: "size quanta",
    Veto.NOTIONAL: "millionths of the quote", Veto.EXPIRED: "ns", Veto.SIGNAL_AGE: "ns",
    Veto.BALANCE: "millionths of the asset",
}

def warm(config: Config, table: Sequence[Instrument], memory: Memory) -> None:
    """Compile the kernels; an instrument crossed with itself is refused by every rule."""
    desk = open_desk(config, table, memory, Span(memory.parts()), edge_min_ppm=0)
    appraise(desk, 0, 0, 0)


class Appraiser:
    """Sizes signals by the books of one run."""

    def __init__(
        self, config: Config, table: Sequence[Instrument], memory: Memory, books: Books
    ) -> None:
        """``books`` value a profit in the reference currency."""
        self._table, self._books = table, books
        self._span = Span(memory.parts())
        self._desk = open_desk(
            config, table, memory, self._span, edge_min_ppm=config.execution.edge_min_ppm)
        self.veto, self.notional_micro = Veto.NONE, 0  # of what was appraised last

    def signal(self, record: np.void, now_ns: int) -> Signal:
        """Return what to make of a two-leg signal, the buying leg first, of our instruments."""
        seen_ns, expiry_ns = int(record["seen_mono_ns"]), int(record["expiry_mono_ns"])
        if now_ns > expiry_ns:
            return self._refused(record, Veto.EXPIRED, now_ns - seen_ns, expiry_ns - seen_ns)
        legs = record["legs"]
        buy, sell = int(legs[0]["instrument"]), int(legs[1]["instrument"])
        self._desk.terms[depth.SIZE_MAX] = legs[0]["size"]
        veto = appraise(self._desk, buy, sell, now_ns)
        result = self._desk.result
        if veto:
            return self._refused(
                record, Veto(veto), int(result[depth.NUMBER]), int(result[depth.LIMIT]))
        size = int(result[depth.SIZE])
        self.veto, self.notional_micro = Veto.NONE, int(result[depth.COST])
        return self._made(
            record, (self._leg(buy, 1, int(result[depth.BUY_LIMIT]), size, legs[0]),
                     self._leg(sell, -1, int(result[depth.SELL_LIMIT]), size, legs[1])),
            int(result[depth.NET_PPM]), self._worth(buy, int(result[depth.PROFIT])), None)

    def _refused(self, record: np.void, veto: Veto, number: int, limit: int) -> Signal:
        self.veto, self.notional_micro = veto, 0
        seen = tuple(
            self._leg(int(leg["instrument"]), int(leg["side"]), int(leg["limit_price"]),
                      int(leg["size"]), leg) for leg in record["legs"][:2])
        profit = self._worth(int(record["legs"][0]["instrument"]), int(record["profit_micro"]))
        return self._made(record, seen, int(record["net_edge_ppm"]), profit,
                          Refusal(veto.name.lower(), number, limit))

    def _made(
        self, record: np.void, legs: tuple[LegSeen, ...], edge_ppm: int, profit_micro: int,
        refused: Refusal | None,
    ) -> Signal:
        return Signal(
            int(record["run"]), int(record["sequence"]), Strategy(record["strategy"]),
            int(record["window"]), int(record["seen_mono_ns"]), int(record["expiry_mono_ns"]),
            legs, edge_ppm, profit_micro, refused)

    def _worth(self, index: int, quote_micro: int) -> int:
        """Return millionths of an instrument's quote currency in those of the reference."""
        return quote_micro * self._books.rate(self._table[index].pair.quote) // MICRO

    def _leg(self, index: int, side: int, price: int, size: int, seen: np.void) -> LegSeen:
        instrument = self._table[index]
        return LegSeen(
            instrument.venue, instrument.name, side, price, size, int(seen["book_version"]))
