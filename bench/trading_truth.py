"""The engine's books against the local servers' while a client of ours trades there.

    Trader ──signed REST orders──▶ binance, binance-usdm ◀──feeds── engine
       └─ holds still while the books are compared with the truth, level by level

Clients' orders are part of what a venue shows: resting ones appear in the books of the feeds,
what they take is gone from them.  Orders come near the touch, a fifth of them through it, as
often as the venues' limits allow for days.
"""

import argparse
import hashlib
import hmac
import random
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlencode

import msgspec

from bench.engine import Started
from bench.harness import machine, parameter, tell
from bench.sim_truth import DRAIN_S, compare
from engine.runtime.process import read_config
from shm.book import BookSegment
from shm.layout import BookState
from shm.segment import Segment

ROOTS: Final = {"binance": "/api/v3", "binance-usdm": "/fapi/v1"}
EVERY_S: Final = 0.2  # an order; the venues allow 100 and 300 in ten seconds
RESTING_MAX: Final = 20
CONFIG: Final = """
[venues.binance]
symbols = ["BTC/USDT"]
[venues.binance-usdm]
symbols = ["BTC/USDT:USDT"]
[sim]
messages-per-s = 200.0
[detector]
edge-min-ppm = 100
edge-max-ppm = 1000000
notional-max.USDT = 25000.0
notional-min.USDT = 10.0
book-age-ms-max = 2000.0
[execution]
edge-min-ppm = 100
"""


class Trader(threading.Thread):
    """Trades by signed REST calls until it is told to leave; ``with held()`` it holds still."""

    def __init__(self, folder: Path, seed: int) -> None:
        """Find addresses and keys in a run's folder."""
        super().__init__(name="trader", daemon=True)
        read = msgspec.json.decode
        self._rest = {venue: urls["rest"] for venue, urls in read(
            (folder / "endpoints.json").read_bytes()).items() if venue in ROOTS}
        keys = read((folder / "credentials.json").read_bytes())
        self._keys: dict[str, tuple[str, str]] = {
            venue: (keys[venue][0]["key"], keys[venue][0]["secret"]) for venue in self._rest}
        self._random = random.Random(seed)  # noqa: S311  not a secret
        self._turn, self._left = threading.Lock(), threading.Event()
        self.placed = self.filled = self.refused = 0

    def __enter__(self) -> Self:
        """Begin."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave."""
        self._left.set()
        self.join()

    def held(self) -> threading.Lock:
        """Return what keeps it still while it is held."""
        return self._turn

    def run(self) -> None:
        """Do something at every venue, again and again."""
        while not self._left.wait(EVERY_S):
            with self._turn:
                for venue in self._rest:
                    self._deed(venue)

    def _deed(self, venue: str) -> None:
        """Cancel one of too many orders, or place one near the touch or through it."""
        resting = self._call(venue, "GET", "/openOrders", {"symbol": "BTCUSDT"}) or []
        if len(resting) >= RESTING_MAX:
            order = self._random.choice(resting)
            self._call(venue, "DELETE", "/order",
                       {"symbol": "BTCUSDT", "orderId": order["orderId"]})
            return
        touch = self._call(venue, "GET", "/ticker/bookTicker", {"symbol": "BTCUSDT"}, signed=False)
        side = self._random.choice(("BUY", "SELL"))
        takes = self._random.random() < 0.2
        best = float(touch["askPrice" if (side == "BUY") == takes else "bidPrice"])
        away = 0.0 if takes else self._random.uniform(0, 0.0002) * (1 if side == "SELL" else -1)
        placed = self._call(venue, "POST", "/order", {
            "symbol": "BTCUSDT", "side": side, "type": "LIMIT", "quantity": "0.010",
            "price": f"{best * (1 + away):.1f}", "timeInForce": "IOC" if takes else "GTC",
            "newOrderRespType": "RESULT"})
        self.placed += placed is not None
        self.filled += placed is not None and float(placed["executedQty"]) > 0

    def _call(
        self, venue: str, method: str, path: str, params: Mapping[str, object], *,
        signed: bool = True,
    ) -> Any:
        """Return the parsed answer, None for a refusal."""
        key, secret = self._keys[venue]
        query = urlencode(params)
        if signed:
            query = urlencode({**params, "timestamp": time.time_ns() // 1_000_000})
            signature = hmac.new(secret.encode(), query.encode(), hashlib.sha256).hexdigest()
            query += f"&signature={signature}"
        request = urllib.request.Request(  # noqa: S310  (our own local servers)
            f"{self._rest[venue]}{ROOTS[venue]}{path}?{query}", method=method,
            headers={"X-MBX-APIKEY": key})
        try:
            with urllib.request.urlopen(request, timeout=DRAIN_S) as answer:  # noqa: S310
                return msgspec.json.decode(answer.read())
        except urllib.error.HTTPError as refusal:
            refusal.read()
            self.refused += 1
            return None


def trade(rounds: int, seed: int) -> tuple[int, Trader]:
    """Run an engine, trade beside it, compare so many times; return the levels compared.

    Raise Untrue for a book of the engine that is not the venue's.
    """
    with Started(CONFIG) as engine:
        engine.until("the engine running", engine.is_running)
        config = read_config(engine.run.path)
        segments = [Segment.attach(engine.run, f"books.{venue}") for venue in config.venues]
        books = [BookSegment(each.words, each.depth, len(venue.symbols))
                 for each, venue in zip(segments, config.venues.values(), strict=True)]

        def live() -> bool:
            return all(BookState(int(state)) is BookState.LIVE
                       for each in books for state in each.records["status"]["state"])

        engine.until("every book live", live)
        levels = 0
        with Trader(engine.run.path, seed) as trader:
            for _ in range(rounds):
                due = time.monotonic() + 1.0
                engine.until("the next look", lambda due=due: time.monotonic() >= due)  # type: ignore[misc]
                with trader.held():
                    levels += compare(engine.run.path, config, books)
        return levels, trader


def main(argv: Sequence[str] | None = None) -> int:
    """Trade and compare; an Untrue book ends it."""
    parser = argparse.ArgumentParser(prog="python -m bench.trading_truth", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=parameter("rounds", 3, 60),
                        help="seconds of trading, each with a comparison (default: 60)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(argv)
    print(machine())
    levels, trader = trade(options.rounds, options.seed)
    tell("trading truth", target="every level equal", met=True, rounds=options.rounds,
         levels=levels, orders=trader.placed, filled=trader.filled, refused=trader.refused)
    return 0


if __name__ == "__main__":
    sys.exit(main())
