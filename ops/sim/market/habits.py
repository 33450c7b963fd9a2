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
    sweeps: float  # share of moves of the price that are trades; the others are withdrawals


class Habit(NamedTuple):
    """One venue."""

    lag_s: float  # behind the fair price
    spread: float  # fraction of the price
    clock_s: float  # diffs come on such a clock; 0: every change is sent at once, in bursts
    is_common: bool  # one clock beats for all lines
    levels: tuple[float, float]  # per book message at that clock: median and 90th percentile
    levels_max: int  # in one message
    mix: Mix
    distances: Knots  # behind the touch: share of changes nearer than so many basis points
    quotes: float  # quotes per diff of a clocked venue
    bursts: float  # share of messages that follow another at once
    trades: Trades
    level_usd: tuple[float, float] = (1500, 5400)  # at the touch: median and 90th percentile


BINANCE: Final = Habit(
    lag_s=0.02, spread=0.4e-4, clock_s=0.1, is_common=True, levels=(13, 90), levels_max=2000,
    mix=Mix(new=0.29, resize=0.33, delete=0.29, ghost=0.0, touch=0.01, inside=0.005),
    distances=((0, 0.05), (0.165, 1), (0.62, 10), (0.90, 28), (0.96, 100), (1, 2000)), quotes=4.0,
    bursts=0.0, trades=Trades(0.53, 3.0, 28, 1500, 0.12),
    level_usd=(3300, 47_000))
BINANCE_US: Final = Habit(
    lag_s=0.50, spread=3.0e-4, clock_s=0.1, is_common=True, levels=(1.5, 4.2), levels_max=200,
    mix=Mix(new=0.30, resize=0.03, delete=0.30, ghost=0.008, touch=0.0, inside=0.18),
    distances=((0, 0.05), (0.203, 1), (0.706, 10), (0.944, 100), (1, 1500)), quotes=0.4,
    bursts=0.0, trades=Trades(0.05, 1.2, 50, 900, 0.03))
BINANCE_USDM: Final = Habit(
    lag_s=0.01, spread=0.2e-4, clock_s=0.052, is_common=False, levels=(41, 260), levels_max=2000,
    mix=Mix(new=0.09, resize=0.81, delete=0.09, ghost=0.0, touch=0.0, inside=0.0),
    distances=((0, 0.05), (0.068, 1), (0.70, 10), (0.915, 100), (0.93, 139), (1, 9300)), quotes=4.0,
    bursts=0.0, trades=Trades(0.62, 4.1, 550, 7000, 0.12),
    level_usd=(7000, 90_000))
OKX: Final = Habit(
    lag_s=0.20, spread=0.5e-4, clock_s=0.1, is_common=False, levels=(1.8, 5.0), levels_max=100,
    mix=Mix(new=0.23, resize=0.52, delete=0.23, ghost=0.0, touch=0.0, inside=0.0),
    distances=((0, 0.05), (0.02, 1), (0.25, 10), (0.60, 100), (0.85, 5000), (1, 9000)),
    quotes=0.3, bursts=0.0, trades=Trades(0.15, 1.3, 15, 500, 0.05))
KRAKEN: Final = Habit(
    lag_s=0.25, spread=1.0e-4, clock_s=0.0, is_common=False, levels=(1.0, 1.3), levels_max=2,
    mix=Mix(new=0.23, resize=0.50, delete=0.23, ghost=0.0, touch=0.02, inside=0.0),
    distances=((0, 0.05), (0.20, 1), (0.965, 7), (0.99, 100), (1, 3000)), quotes=0.0,
    bursts=0.60, trades=Trades(0.05, 2.0, 300, 5000, 0.05))
COINBASE: Final = Habit(
    lag_s=0.12, spread=0.6e-4, clock_s=0.0, is_common=False, levels=(1.0, 1.0), levels_max=1,
    mix=Mix(new=0.08, resize=0.84, delete=0.08, ghost=0.0, touch=0.0, inside=0.0),
    distances=((0, 0.05), (0.023, 1), (0.305, 10), (0.795, 100), (1, 500)), quotes=0.0,
    bursts=0.38, trades=Trades(0.05, 1.2, 60, 1300, 0.05))

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
