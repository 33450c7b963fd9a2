"""What people get from a running engine: plain values, copied, in quanta and as floats.

Quanta are what the engine computes with, exact and comparable across venues; floats are for
looking and for research.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shm.layout import BookState, Fate, ProcessState, Strategy, Veto

Quanta = NDArray[np.int64]
Floats = NDArray[np.float64]

# one print, ready for a data frame
PRINT = np.dtype([
    ("venue", "U32"), ("symbol", "U32"), ("side", "i8"),  # +1 the buyer took, -1 the seller took
    ("price", "f8"), ("size", "f8"), ("price_quanta", "i8"), ("size_quanta", "i8"),
    ("trade_id", "i8"), ("venue_unix_ns", "i8"), ("recv_unix_ns", "i8"), ("recv_mono_ns", "i8"),
])


@dataclass(frozen=True, slots=True)
class Scale:
    """How many decimals a quantum of price and of size has."""

    price_decimals: int
    size_decimals: int

    def price(self, quanta: int) -> float:
        """Return a price as a float."""
        return quanta / 10.0**self.price_decimals

    def size(self, quanta: int) -> float:
        """Return a size as a float."""
        return quanta / 10.0**self.size_decimals


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One side of a book, best first: two columns of equal length."""

    price_quanta: Quanta
    size_quanta: Quanta
    scale: Scale

    def __len__(self) -> int:
        """Return the number of levels."""
        return len(self.price_quanta)

    @property
    def price(self) -> Floats:
        """Return the prices as floats."""
        return self.price_quanta / 10.0**self.scale.price_decimals

    @property
    def size(self) -> Floats:
        """Return the sizes as floats."""
        return self.size_quanta / 10.0**self.scale.size_decimals


@dataclass(frozen=True, slots=True, eq=False)
class Book:
    """A consistent copy of one book and of what is known about it.

    ``veto`` says why it may not be acted on now: NONE for a book that may.  ``version`` counts
    publications, 0 means that there was none yet.
    """

    venue: str
    symbol: str
    version: int
    state: BookState
    veto: Veto
    bids: Side
    asks: Side
    update_id: int  # the venue's own number; 0 where it has none
    venue_unix_ns: int  # the venue's clock; 0 where it says none
    recv_unix_ns: int  # our clock, when the frame arrived
    publish_unix_ns: int  # our clock, when readers could see it
    age_ns: int  # since the frame arrived, when the copy was made

    @property
    def live(self) -> bool:
        """Return whether the engine itself would act on it."""
        return self.veto is Veto.NONE

    @property
    def mid(self) -> float:
        """Return the middle of the best prices; nan when a side is empty."""
        if not (len(self.bids) and len(self.asks)):
            return float("nan")
        return float(self.bids.price[0] + self.asks.price[0]) / 2


@dataclass(frozen=True, slots=True)
class Touch:
    """Best bid and offer as the detector sees them; nan is an absent side.

    ``by_quote``: from the venue's quote stream, newer than its book.
    """

    venue: str
    symbol: str
    veto: Veto
    state: BookState
    bid: float
    bid_size: float
    ask: float
    ask_size: float
    by_quote: bool
    update_id: int
    recv_mono_ns: int
    publish_mono_ns: int
    age_ns: int

    @property
    def spread_bps(self) -> float:
        """Return the spread over the mid in basis points; nan when a side is absent."""
        return (self.ask - self.bid) / (self.ask + self.bid) * 2e4


@dataclass(frozen=True, slots=True)
class Leg:
    """One order of a signal; prices and size as floats."""

    venue: str
    symbol: str
    side: int  # +1 buy, -1 sell
    limit_price: float
    average_price: float
    size: float


@dataclass(frozen=True, slots=True)
class Signal:
    """A signal and what became of it; money in the quote currency."""

    sequence: int
    strategy: str
    legs: tuple[Leg, ...]
    gross_edge_bps: float
    net_edge_bps: float
    profit: float
    notional: float
    signal_unix_ns: int
    signal_mono_ns: int
    recv_to_signal_ns: int
    fate: Fate | None  # None: execution has not decided
    veto: Veto  # why it was refused


@dataclass(frozen=True, slots=True)
class Process:
    """One row of the process table; ``core`` is -1 when it is not pinned."""

    name: str
    pid: int
    state: ProcessState
    epoch: int
    restarts: int
    exit_code: int  # of the latest death; negative: the signal
    verdict: str  # the latest death in words
    beaten: bool  # False before its first heartbeat
    heartbeat_age_ns: int
    progress: int
    rss_bytes: int
    core: int


def prints_of(records: NDArray[np.void], instruments: NDArray[np.void]) -> NDArray[np.void]:
    """Return PRINT for records of ``shm.layout.TRADE``."""
    rows = instruments[records["instrument"]]
    prints = np.zeros(len(records), PRINT)
    for name in ("side", "trade_id", "venue_unix_ns", "recv_unix_ns", "recv_mono_ns"):
        prints[name] = records[name]
    prints["venue"] = np.char.decode(rows["venue_name"])
    prints["symbol"] = np.char.decode(rows["name"])
    for name in ("price", "size"):
        prints[f"{name}_quanta"] = records[name]
        prints[name] = records[name] / 10.0 ** rows[f"{name}_decimals"]
    return prints


def signal_of(record: np.void, fate: np.void | None, instruments: NDArray[np.void]) -> Signal:
    """Return the Signal of a ``shm.layout.SIGNAL`` and, once there is one, its FATE."""
    return Signal(
        sequence=int(record["sequence"]),
        strategy=Strategy(int(record["strategy"])).name.lower(),
        legs=tuple(_leg(leg, instruments[int(leg["instrument"])])
                   for leg in record["legs"][: int(record["leg_count"])]),
        gross_edge_bps=int(record["gross_edge_ppm"]) / 100,
        net_edge_bps=int(record["net_edge_ppm"]) / 100,
        profit=int(record["profit_micro"]) / 1e6, notional=int(record["notional_micro"]) / 1e6,
        signal_unix_ns=int(record["signal_unix_ns"]),
        signal_mono_ns=int(record["signal_mono_ns"]),
        recv_to_signal_ns=int(record["signal_mono_ns"] - record["recv_mono_ns"])
        if record["recv_mono_ns"] else 0,
        fate=None if fate is None else Fate(int(fate["fate"])),
        veto=Veto.NONE if fate is None else Veto(int(fate["veto"])),
    )


def _leg(leg: np.void, row: np.void) -> Leg:
    scale = Scale(int(row["price_decimals"]), int(row["size_decimals"]))
    return Leg(
        venue=row["venue_name"].decode(), symbol=row["name"].decode(), side=int(leg["side"]),
        limit_price=scale.price(int(leg["limit_price"])),
        average_price=scale.price(int(leg["average_price"])), size=scale.size(int(leg["size"])),
    )
