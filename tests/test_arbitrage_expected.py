"""Spot against perpetual on recorded traffic: windows, counts and times equal an independent truth.

The rule, from ``expected/arb.20240808.json``: merge both captures on t, the first-named market
first at equal t; after every event, once both sides are known, test
``sell_bid * 10000 >= buy_ask * (10000 + bps)``; a window runs until the next merged event after
which it does not hold.  For books the events are the applied diffs, buffered ones at the time of
the snapshot.  The books are kept here by dicts, so that this proves the detector alone.
"""

import gzip
import heapq
import os
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import pytest

from engine.market.touch import Source
from engine.model.quanta import to_quanta
from tests.engine.detect.world import World, make_config

SHARED = Path(os.environ.get("TRYPTO_SHARED", Path(__file__).parent.parent.parent / "shared"))
CAPTURES = SHARED / "captures"
EXPECTED = CAPTURES / "expected" / "arb.20240808.json"
MARKETS = ("spot", "usdm")
SYMBOLS = {"BTCUSDT": "BTC/USDT", "ETHUSDT": "ETH/USDT"}
THRESHOLDS_BPS = (1, 2, 5, 10)
PRICE_DECIMALS, SIZE_DECIMALS = 2, 8
LATER_NS = 2**62  # feeds that beat then are alive at any recorded time

pytestmark = pytest.mark.skipif(not EXPECTED.exists(), reason="needs ../shared/captures")

Level = tuple[int, int]


class Event(NamedTuple):
    """One event of one market that can move a touch, in quanta."""

    t: int
    market: int
    symbol: str
    bid: Level
    ask: Level
    update_id: int
    is_quote: bool


def quanta(level: list[str]) -> Level:
    return to_quanta(level[0], PRICE_DECIMALS), to_quanta(level[1], SIZE_DECIMALS)


class DictBook:
    """Binance's splice and diffs on two dicts."""

    def __init__(self) -> None:
        self.bids: dict[int, int] = {}
        self.asks: dict[int, int] = {}
        self.last_id = 0
        self.waiting: list[dict[str, Any]] = []

    def load(self, body: dict[str, Any]) -> None:
        """Take a snapshot."""
        self.bids, self.asks = (dict(map(quanta, body[side])) for side in ("bids", "asks"))
        self.last_id = body["lastUpdateId"]

    def take(self, diff: dict[str, Any]) -> bool:
        """Apply a diff, keep it for the snapshot, or drop it; return whether it was applied."""
        if not self.last_id:
            self.waiting.append(diff)
            return False
        # before the snapshot: spot u <= lastUpdateId; USD-M, that has pu, u < lastUpdateId
        if diff["u"] < self.last_id + ("pu" not in diff):
            return False
        for side, text in ((self.bids, "b"), (self.asks, "a")):
            for price, size in map(quanta, diff[text]):
                if size:
                    side[price] = size
                else:
                    side.pop(price, None)
        self.last_id = diff["u"]
        return True

    @property
    def touch(self) -> tuple[Level, Level]:
        """Return best bid and best ask with their sizes."""
        bid, ask = max(self.bids), min(self.asks)
        return (bid, self.bids[bid]), (ask, self.asks[ask])


def events(market: int) -> Iterator[Event]:
    """Yield the events of one capture in file order."""
    books = {symbol: DictBook() for symbol in SYMBOLS}
    with gzip.open(CAPTURES / f"binance.{MARKETS[market]}.20240808.jsonl.gz") as capture:
        for line in capture:
            frame = orjson.loads(line)
            body = orjson.loads(frame["m"])
            if frame["ch"] == "http":
                symbol = next(each for each in SYMBOLS if each in frame["url"])
                books[symbol].load(body)
                diffs = books[symbol].waiting
            else:
                data = body["data"]
                symbol = data["s"]
                if "@bookTicker" in body["stream"]:
                    yield Event(frame["t"], market, symbol, quanta([data["b"], data["B"]]),
                                quanta([data["a"], data["A"]]), data["u"], is_quote=True)
                diffs = [data] if "@depth" in body["stream"] else []
            for diff in diffs:
                if books[symbol].take(diff):
                    yield Event(frame["t"], market, symbol, *books[symbol].touch, diff["u"],
                                is_quote=False)


@pytest.fixture(scope="module")
def merged() -> list[Event]:
    return list(heapq.merge(events(0), events(1), key=lambda event: event.t))


@pytest.fixture(scope="module")
def truth() -> dict[str, Any]:
    pairs: dict[str, Any] = orjson.loads(EXPECTED.read_bytes())["pairs"]
    return pairs


@pytest.mark.parametrize("source", [Source.QUOTE, Source.BOOK])
@pytest.mark.parametrize("symbol", SYMBOLS)
def test_every_window_of_the_recorded_day_is_found_with_its_exact_duration(
    merged: list[Event], truth: dict[str, Any], symbol: str, source: Source
) -> None:
    name = "bookTicker" if source == Source.QUOTE else "book"
    want = truth[f"{name}.spot:{symbol}.usdm:{symbol}"]
    perpetual = f"{SYMBOLS[symbol]}:USDT"
    venues = {"spot": [SYMBOLS[symbol]], "usdm": [perpetual]}
    decimals = (PRICE_DECIMALS, SIZE_DECIMALS)
    worlds = [
        World(make_config(venues, edge_min_ppm=100 * bps, decimals=decimals))
        for bps in THRESHOLDS_BPS
    ]
    for world in worlds:
        world.beat(LATER_NS)
    crosses = [world.cross(source=source) for world in worlds]
    mine = [event for event in merged
            if event.symbol == symbol and event.is_quote == (source == Source.QUOTE)]
    for event in mine:
        for world, cross in zip(worlds, crosses, strict=True):
            if event.is_quote:
                world.quote(event.market, event.bid, event.ask, now_ns=event.t,
                            update_id=event.update_id)
            else:
                world.book(event.market, [event.bid], [event.ask], now_ns=event.t,
                           update_id=event.update_id)
            cross.scan(event.market, event.t)
    assert len(mine) == want["events"]
    assert mine[-1].t == want["last_t"]
    for pair, direction in enumerate(("usdm_bid>=spot_ask", "spot_bid>=usdm_ask")):
        expected = want["directions"][direction]
        for bps, cross in zip(THRESHOLDS_BPS, crosses, strict=True):
            found = cross.windows(pair, mine[-1].t)
            assert found.evaluated == want["evaluated"]
            assert {
                "entries": found.entries, "events_true": found.events_true,
                "ns_true": found.ns_true,
            } == expected["thresholds_bps"][str(bps)]
            for edge_ppm, text in ((found.edge_least, "min"), (found.edge_most, "max"),
                                   (found.edge_mean, "mean_per_event")):
                assert abs(Decimal(edge_ppm) / 100 - Decimal(expected["edge_bps"][text])) < (
                    Decimal("0.000001"))
