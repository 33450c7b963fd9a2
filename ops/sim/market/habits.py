"""How each venue's lines behave, calibrated on shared/captures/STATISTICS.md of 2026-11-21.

``TRAFFIC.md`` beside this file shows the recorded figures and what comes of these habits.
A venue without a recording behaves like its sister (okx-us, coinbase).
"""

from typing import Final, NamedTuple

Knots = tuple[tuple[float, float], ...]


class Mix(NamedTuple):
    """What an ordinary change does, in shares of all that are drawn."""

    new: float
    resize: float
    delete: float
    ghost: float  # deletes of levels that were never told: inserted and removed within one batch
    touch: float  # a new size at the best price
    inside: float  # a better best price, or the best one leaves


class Trades(NamedTuple):
    """What is traded."""

    per_message: float  # takers' orders per book message
    prints: float  # mean per taker's order
    median_usd: float  # of one print
    p90_usd: float


class Habit(NamedTuple):
    """One venue."""

    lag_s: float  # behind the fair price
    spread: float  # fraction of the price
    clock_s: float  # diffs come on such a clock; 0: every change is sent at once, in bursts
    levels: tuple[float, float]  # per book message at that clock: median and 90th percentile
    levels_max: int  # in one message
    mix: Mix
    distances: Knots  # behind the touch: share of changes nearer than so many basis points
    quotes: float  # quotes per diff of a clocked venue
    bursts: float  # share of messages that follow another at once
    trades: Trades


BINANCE: Final = Habit(
    0.02, 0.4e-4, 0.1, (15, 70), 2000, Mix(0.300, 0.270, 0.300, 0.066, 0.03, 0.01),
    ((0, 0.05), (0.165, 1), (0.604, 10), (0.954, 100), (1, 2000)), 4.0, 0.0,
    Trades(0.75, 3.0, 30, 3000))
BINANCE_US: Final = Habit(
    0.50, 3.0e-4, 0.1, (1.9, 4.6), 200, Mix(0.29, 0.10, 0.29, 0.008, 0.11, 0.12),
    ((0, 0.05), (0.203, 1), (0.706, 10), (0.944, 100), (1, 1500)), 2.0, 0.0,
    Trades(0.06, 1.2, 60, 900))
BINANCE_USDM: Final = Habit(
    0.01, 0.2e-4, 0.052, (37, 143), 2000, Mix(0.150, 0.650, 0.150, 0.030, 0.02, 0.005),
    ((0, 0.05), (0.068, 1), (0.625, 10), (0.880, 100), (1, 9000)), 4.0, 0.0,
    Trades(0.65, 4.1, 500, 10_000))
OKX: Final = Habit(
    0.20, 0.5e-4, 0.1, (2.0, 5.2), 100, Mix(0.29, 0.29, 0.29, 0.0, 0.07, 0.06),
    ((0, 0.05), (0.077, 1), (0.296, 10), (0.633, 100), (1, 9000)), 2.0, 0.0,
    Trades(0.05, 1.3, 15, 500))
KRAKEN: Final = Habit(
    0.25, 1.0e-4, 0.0, (1.0, 2.0), 3, Mix(0.31, 0.20, 0.31, 0.0, 0.06, 0.05),
    ((0, 0.05), (0.093, 1), (0.414, 10), (0.782, 100), (1, 3000)), 0.0, 0.51,
    Trades(0.03, 2.0, 300, 5000))
COINBASE: Final = Habit(
    0.12, 0.6e-4, 0.0, (1.0, 1.0), 1, Mix(0.18, 0.45, 0.18, 0.0, 0.10, 0.06),
    ((0, 0.05), (0.023, 1), (0.305, 10), (0.795, 100), (1, 500)), 0.0, 0.41,
    Trades(0.04, 1.2, 60, 1300))

HABITS: Final = {
    "binance": BINANCE,
    "binance-us": BINANCE_US,
    "binance-usdm": BINANCE_USDM,
    "okx": OKX,
    "okx-us": OKX._replace(lag_s=0.30, spread=1.0e-4),
    "kraken": KRAKEN,
    "coinbase": COINBASE,
    "coinbase-exchange": COINBASE._replace(lag_s=0.10),
}
