"""Invented messages look like recorded ones: the same keys, types and forms of numbers."""

import json
import re
from collections.abc import Iterable
from typing import Any

import pytest

from ops.sim.tape import Capture
from tests.ops.sim.recordings import shared
from tests.ops.sim.wire import Client, Venue, a_venue, run

NUMBER = re.compile(r"-?\d+(\.\d+)?")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Digits(str):
    """A JSON number as it stood in the text."""


def shape(value: Any) -> Any:
    """Reduce a parsed message to keys, types and the form of its texts."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return sorted({json.dumps(shape(item)) for item in value})[:1]
    if isinstance(value, Digits):
        return "number" if "." in value else "integer"
    if isinstance(value, str):
        for form, name in ((UUID, "uuid"), (TIME, "time"), (NUMBER, "number text")):
            if form.fullmatch(value):
                return name
        return "text"
    return type(value).__name__


def parse(text: bytes) -> Any:
    return json.loads(text, parse_float=Digits, parse_int=Digits)


def keys(message: Any) -> list[str]:
    """Name a kind of message by its keys and the words that tell it from others."""
    words = [str(message.get(word)) for word in ("type", "channel", "action", "event", "method")]
    arg = message.get("arg", {}).get("channel", "") if isinstance(message.get("arg"), dict) else ""
    stream = str(message.get("stream", "")).partition("@")[2].partition("@")[0]
    return [*words, arg, stream]


def kinds(frames: Iterable[bytes]) -> dict[str, list[Any]]:
    """Return for each kind of message the shapes met, with and without empty sides."""
    found: dict[str, list[Any]] = {}
    for frame in frames:
        message = parse(frame)
        shapes = found.setdefault(json.dumps(keys(message)), [])
        if (reduced := shape(message)) not in shapes:
            shapes.append(reduced)
    return found


async def invented(venue: Venue, *requests: dict[str, Any], path: str | None = None) -> list[bytes]:
    client: Client = await venue.connect(path)
    client.ask(*requests)
    await client.settle()
    for _ in range(30):
        venue.step(1.0)
        venue.world.servers[venue.name].beat(1)
    await client.settle()
    return client.frames


def compare(recorded: dict[str, list[Any]], ours: dict[str, list[Any]], least: int) -> None:
    """Each kind recorded and invented must have at least one shape in common, and no odd one."""
    common = recorded.keys() & ours.keys()
    assert len(common) >= least, (sorted(recorded), sorted(ours))
    for kind in common:
        for one in ours[kind]:
            if "[]" not in json.dumps(one):  # an empty side hides the shape of its levels
                assert one in recorded[kind], kind


def frames_of(name: str) -> list[bytes]:
    path = shared(name)
    return [entry.m.encode() for entry in Capture(path).entries()
            if entry.ch == "ws" and entry.dir == "in"][:6000]


@pytest.mark.parametrize(("capture", "venue_name", "symbol", "streams"), [
    ("binance.spot.20240808.jsonl.gz", "binance", "BTC/USDT",
     ("depth@100ms", "bookTicker", "trade")),
    ("binance.spot.20210405.jsonl.gz", "binance", "BTC/USDT",
     ("depth@100ms", "bookTicker", "aggTrade")),
    ("binance.usdm.20240808.jsonl.gz", "binance-usdm", "BTC/USDT:USDT",
     ("depth@100ms", "bookTicker", "trade")),
    ("binance.usdm.20210405.jsonl.gz", "binance-usdm", "BTC/USDT:USDT",
     ("depth@100ms", "bookTicker", "aggTrade")),
    ("binanceus.spot.20210405.jsonl.gz", "binance-us", "BTC/USDT",
     ("depth@100ms", "bookTicker", "aggTrade")),
])
def test_binance_messages_look_like_recorded_ones(
    capture: str, venue_name: str, symbol: str, streams: tuple[str, ...]
) -> None:
    recorded = kinds(frames_of(capture))

    async def body() -> None:
        async with a_venue(venue_name, symbol) as venue:
            params = [f"btcusdt@{stream}" for stream in streams]
            request = {"method": "SUBSCRIBE", "params": params, "id": 1}
            frames = await invented(venue, request, path="/stream")
            compare(recorded, kinds(frames[1:]), 3)

    run(body)


def test_kraken_messages_look_like_recorded_ones() -> None:
    recorded = kinds(frames_of("kraken.spot.20260802v2.jsonl.gz"))

    async def body() -> None:
        async with a_venue("kraken", "BTC/USD") as venue:
            params = {"channel": "book", "symbol": ["BTC/USD"], "depth": 25}
            frames = await invented(venue, {"method": "subscribe", "params": params})
            compare(recorded, kinds(frames), 5)

    run(body)


def test_okx_messages_look_like_recorded_ones_of_today_and_of_2022() -> None:
    today = kinds(frames_of("okx.spot.20260711mini.jsonl.gz"))
    before = kinds(frames_of("okx.mixed.20220227.jsonl.gz"))

    async def body() -> None:
        async with a_venue("okx", "BTC/USDT") as venue:
            args = [{"channel": name, "instId": "BTC-USDT"} for name in ("books", "tickers")]
            ours = kinds(await invented(venue, {"op": "subscribe", "args": args}))
            compare(today, ours, 3)
            tickers = [kind for kind in ours if "tickers" in kind and "subscribe" not in kind]
            assert tickers
            for kind in tickers:
                assert list(ours[kind][0]) == list(before[kind][0])

    run(body)


def test_coinbase_exchange_messages_look_like_recorded_ones() -> None:
    recorded = kinds(frames_of("coinbase.spot.20210417.jsonl.gz"))

    async def body() -> None:
        async with a_venue("coinbase-exchange", "BTC/USD") as venue:
            frames = await invented(venue, {
                "type": "subscribe", "product_ids": ["BTC-USD"],
                "channels": ["level2_batch", "matches", "ticker"]})
            compare(recorded, kinds(frames), 6)

    run(body)
