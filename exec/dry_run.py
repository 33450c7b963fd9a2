"""Dry run: decide about a signal on the books as they are now, and send nothing.

Expired first, then the shared appraisal: who may act, are the books to be believed, is the edge
still there, at what size.  A refusal carries the two numbers that it compared.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from engine.config import Config
from engine.market import depth
from engine.market.appraise import appraise
from engine.model.instrument import Instrument
from engine.model.quanta import from_quanta, plain
from engine.runtime.memory import Memory, open_desk
from shm.layout import Fate, Veto
from shm.span import Span

MICRO_DECIMALS: Final = 6
UNITS: Final = {  # of what a refusal compared; the other vetoes compare nothing
    Veto.BOOK_OLD: "ns", Veto.EDGE: "ppm", Veto.TOO_GOOD: "ppm", Veto.SIZE: "size quanta",
    Veto.NOTIONAL: "millionths of the quote", Veto.EXPIRED: "ns",
}


class Order(msgspec.Struct, frozen=True):
    """One leg as it would go out; numbers are exact decimal text."""

    venue: str
    symbol: str
    side: str
    limit_price: str
    size: str


class Decision(msgspec.Struct, frozen=True):
    """What execution makes of a signal; money in millionths of the quote currency."""

    veto: Veto = Veto.NONE
    number: int = 0
    limit: int = 0
    orders: tuple[Order, ...] = ()
    profit_micro: int = 0
    notional_micro: int = 0
    net_edge_ppm: int = 0

    @property
    def fate(self) -> Fate:
        """Return what the fates ring says of it."""
        return Fate.REFUSED if self.veto else Fate.WOULD_SEND


def warm(config: Config, table: Sequence[Instrument], memory: Memory) -> None:
    """Compile the kernels; an instrument crossed with itself is refused by every rule."""
    desk = open_desk(config, table, memory, Span(memory.parts()), edge_min_ppm=0)
    appraise(desk, 0, 0, 0)


class DryRun:
    """Judges signals by the books of one run."""

    def __init__(self, config: Config, table: Sequence[Instrument], memory: Memory) -> None:
        self._table = table
        self._span = Span(memory.parts())
        self._desk = open_desk(
            config, table, memory, self._span, edge_min_ppm=config.execution.edge_min_ppm)

    def decide(self, signal: np.void, now_ns: int) -> Decision:
        """Judge a two-leg signal, the buying leg first, of instruments that we know."""
        seen_ns, expiry_ns = int(signal["seen_mono_ns"]), int(signal["expiry_mono_ns"])
        if now_ns > expiry_ns:
            return Decision(Veto.EXPIRED, now_ns - seen_ns, expiry_ns - seen_ns)
        buy, sell = (int(leg["instrument"]) for leg in signal["legs"][:2])
        self._desk.terms[depth.SIZE_MAX] = signal["legs"][0]["size"]
        veto = Veto(appraise(self._desk, buy, sell, now_ns))
        result = self._desk.result
        if veto:
            return Decision(veto, int(result[depth.NUMBER]), int(result[depth.LIMIT]))
        size = int(result[depth.SIZE])
        return Decision(
            orders=(self._order(buy, "buy", int(result[depth.BUY_LIMIT]), size),
                    self._order(sell, "sell", int(result[depth.SELL_LIMIT]), size)),
            profit_micro=int(result[depth.PROFIT]), notional_micro=int(result[depth.COST]),
            net_edge_ppm=int(result[depth.NET_PPM]),
        )

    def _order(self, index: int, side: str, limit: int, size: int) -> Order:
        instrument = self._table[index]
        return Order(
            venue=instrument.venue, symbol=instrument.name, side=side,
            limit_price=plain(from_quanta(limit, instrument.price_decimals)),
            size=plain(from_quanta(size, instrument.size_decimals)),
        )
