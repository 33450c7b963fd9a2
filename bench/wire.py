"""From a frame handed over by picows to a signal in the ring, with one process per stage.

    sim ──TCP, TLS or not──▶ feed:binance-usdm ──▶ book ──▶ detector ──▶ signals ring ──▶ here
     └──────────────────────▶ feed:binance ─────────▶ book ──┘

A made recording is played to a real engine: the perpetual's best bid alternately rises above the
spot market's best ask and falls back, for BTC by depth messages of 57 levels (the mean of the
recorded stream), for ETH by quotes.  Each rise is one signal, and its record holds the time of
every hop: received (the feed's picows callback begins), published (the book's index released),
seen (the detector's turn begins), signal (the record goes into the ring).  Frames come on
schedule, whatever became of those before.  Left out: the network and the TLS record that picows
takes apart before its callback.
"""

import argparse
import gzip
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.engine import NotReached, Started
from bench.harness import machine, parameter, report

SPOT: Final = "wss://stream.binance.com:9443/stream"
PERPETUAL: Final = "wss://fstream.binance.com/public/stream"
SNAPSHOTS: Final = {
    SPOT: "https://api.binance.com/api/v3/depth?symbol={}&limit=1000",
    PERPETUAL: "https://fapi.binance.com/fapi/v1/depth?symbol={}&limit=1000",
}
LEVELS: Final = 500  # per side of each book
CHANGED: Final = 28  # levels per side that a depth message changes beside the one that crosses
LEAD_NS: Final = 1_000_000_000  # from the tape's start to the first cross: books become LIVE
CALM_NS: Final = 100_000_000  # between two messages of the spot books, which stay as they are
COLLECT_S: Final = 0.2  # between two looks at the ring, so that looking disturbs little
WARM: Final = 100  # signals per kind that are not counted
PATIENCE_S: Final = 20.0  # without a new signal: the recording starts over at its end
HOPS: Final = (
    ("received -> published", "recv", "publish"), ("published -> seen", "publish", "seen"),
    ("seen -> signal", "seen", "signal"), ("received -> signal", "recv", "signal"),
)
KINDS: Final = {2: "depth", 3: "quote"}  # by the instrument that triggers, see CONFIG
CONFIG: Final = """
[venues.binance]
symbols = ["BTC/USDT", "ETH/USDT"]
taker-fee-ppm = 0
[venues.binance-usdm]
symbols = ["BTC/USDT:USDT", "ETH/USDT:USDT"]
taker-fee-ppm = 0
[pairs."BTC/USDT"]
price-decimals = 2
size-decimals = 4
[pairs."ETH/USDT"]
price-decimals = 2
size-decimals = 4
[detector]
edge-min-ppm = 100
edge-max-ppm = 1000000
notional-max.USDT = 10000.0
notional-min.USDT = 10.0
book-age-ms-max = 86_400_000.0
[execution]
edge-min-ppm = 100
[wait]
strategy = "{strategy}"
[machine]
pin = "auto"
[sim]
market = "captures"
captures = [{captures}]
tls = {tls}
"""


class Frame(NamedTuple):
    """One message of a venue, ``at_ns`` after the tape's start."""

    at_ns: int
    url: str
    text: str


def _levels(best: float, step: float) -> list[list[str]]:
    return [[f"{best + at * step:.2f}", f"{1 + at % 7}.0000"] for at in range(LEVELS)]


def _book(url: str, symbol: str, bid: float, ask: float) -> Frame:
    return Frame(0, SNAPSHOTS[url].format(symbol), json.dumps({
        "lastUpdateId": 1, "bids": _levels(bid, -0.5), "asks": _levels(ask, 0.5)}))


def _wrapped(symbol: str, stream: str, data: dict[str, object]) -> str:
    return json.dumps({"stream": f"{symbol.lower()}@{stream}", "data": {"s": symbol} | data},
                      separators=(",", ":"))


def _diff(number: int, bids: list[list[str]], asks: list[list[str]]) -> dict[str, object]:
    return {"e": "depthUpdate", "E": 1_723_161_255_208, "T": 1_723_161_255_208, "U": number + 1,
            "u": number + 1, "pu": number, "b": bids, "a": asks}


def spot(until_ns: int) -> Iterator[Frame]:
    """Yield the spot books and changes far behind their touch, so that they stay alive."""
    yield _book(SPOT, "BTCUSDT", 59_990.0, 60_000.0)
    yield _book(SPOT, "ETHUSDT", 2_990.0, 3_000.0)
    for number in range(1, until_ns // CALM_NS):
        for symbol, price in (("BTCUSDT", 59_800.0), ("ETHUSDT", 2_800.0)):
            diff = _diff(number, [[f"{price:.2f}", f"{1 + number % 9}.0000"]], [])
            del diff["pu"]
            yield Frame(number * CALM_NS, SPOT, _wrapped(symbol, "depth@100ms", diff))


def perpetual(moves: int, gap_ns: int) -> Iterator[Frame]:
    """Yield the perpetuals' books, then ``moves`` of each symbol, in turn: up, down, up, ..."""
    random = np.random.default_rng(seed=1)
    bids, asks = _levels(59_990.0, -0.5), _levels(60_200.0, 0.5)
    yield _book(PERPETUAL, "BTCUSDT", 59_990.0, 60_200.0)
    yield _book(PERPETUAL, "ETHUSDT", 2_990.0, 3_010.0)
    for number in range(1, moves + 1):
        is_up = number % 2
        at_ns = LEAD_NS + number * 2 * gap_ns
        sides = [
            [[side[at][0], f"{1 + (at + number) % 9}.5000"]
             for at in np.sort(random.choice(LEVELS, CHANGED, replace=False))]
            for side in (bids, asks)]
        sides[0].insert(0, ["60100.00", "2.0000" if is_up else "0.0000"])
        yield Frame(at_ns, PERPETUAL, _wrapped("BTCUSDT", "depth@100ms", _diff(number, *sides)))
        yield Frame(at_ns + gap_ns, PERPETUAL, _wrapped("ETHUSDT", "bookTicker", {
            "e": "bookTicker", "u": number + 1, "b": "3005.00" if is_up else "2990.00",
            "B": "2.0000", "a": "3010.00", "A": "2.0000", "T": 1_723_161_255_208,
            "E": 1_723_161_255_208}))


def write(path: Path, frames: Iterator[Frame]) -> Path:
    """Write a capture; return its path."""
    with gzip.open(path, "wt", compresslevel=1) as file:
        for at_ns, url, text in frames:
            channel = "ws" if url.startswith("wss") else "http"
            file.write(json.dumps({"t": 10**18 + at_ns, "ch": channel, "dir": "in", "url": url,
                                   "m": text}) + "\n")
    return path


def measure(folder: Path, strategy: str, n: int, gap_ns: int, *, tls: bool) -> NDArray[np.void]:
    """Play the made recording in ``folder``; return at least ``n`` warm signals of each kind."""
    moves = 2 * (n + WARM)
    captures = [
        write(folder / "binance.usdm.made.jsonl.gz", perpetual(moves, gap_ns)),
        write(folder / "binance.spot.made.jsonl.gz", spot(LEAD_NS + moves * 2 * gap_ns)),
    ]
    config = CONFIG.format(strategy=strategy, tls=str(tls).lower(),
                           captures=", ".join(f'"{path}"' for path in captures))
    found: list[NDArray[np.void]] = []
    missing = dict.fromkeys(KINDS, n + WARM)

    def complete() -> bool:
        found.append(engine.new_signals())
        for kind in KINDS:
            missing[kind] -= int(np.count_nonzero(found[-1]["trigger"] == kind))
        return max(missing.values()) <= 0

    with Started(config) as engine:
        engine.until("the engine running", engine.is_running)
        engine.until("a first signal", lambda: engine.view.signal_count > 0)
        while not complete():
            before = engine.view.signal_count
            engine.until("a new signal", lambda seen=before: engine.view.signal_count > seen,  # type: ignore[misc]
                         patience_s=PATIENCE_S)
            time.sleep(COLLECT_S)
        if engine.lost:
            raise NotReached(f"{engine.lost} signals were overwritten before they were read")
    return np.concatenate(found)


def main(argv: Sequence[str] | None = None) -> int:
    """Print one line per hop, kind of message and transport."""
    parser = argparse.ArgumentParser(prog="python -m bench.wire", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--strategy", choices=("spin", "yield", "park"), default="park",
                        help="how the detector waits (default: park)")
    parser.add_argument("--signals", type=int, default=parameter("signals", smoke=20, full=2000),
                        help="of each kind and transport")
    parser.add_argument("--gap-us", type=int, default=2_000, help="between two frames")
    wanted = parser.parse_args(argv)
    print(machine())
    for tls in (False, True):
        with tempfile.TemporaryDirectory() as folder:
            signals = measure(Path(folder), wanted.strategy, wanted.signals,
                              wanted.gap_us * 1000, tls=tls)
        for trigger, kind in KINDS.items():
            mine = signals[signals["trigger"] == trigger][WARM : WARM + wanted.signals]
            for name, start, end in HOPS:
                took_ns = mine[f"{end}_mono_ns"] - mine[f"{start}_mono_ns"]
                report(f"{'TLS' if tls else 'plain'} {kind}: {name}", took_ns,
                       wait=wanted.strategy)
    return 0


if __name__ == "__main__":
    sys.exit(main())
