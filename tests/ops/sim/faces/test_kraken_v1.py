"""Kraken's frozen v1: recorded shapes, and a checksum of its own digits after every update."""

import gzip
import itertools
import json
import re
import zlib
from typing import Any

import pytest

from tests.ops.sim.recordings import shared
from tests.ops.sim.wire import Client, Venue, a_venue, run

DIGITS = re.compile(r"\d+\.\d+")


def shape(value: Any) -> Any:
    """Reduce to keys, types and forms; of a list of levels or trades, to its first."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in sorted(value.items())}
    if isinstance(value, list):
        return [shape(item) for item in value[:1]] if value and isinstance(value[0], list) else [
            shape(item) for item in value]
    if isinstance(value, str):
        return "decimal" if DIGITS.fullmatch(value) else "text"
    return type(value).__name__


def frame_shape(frame: Any) -> Any:
    return [shape(item) for item in frame]


def subscribe(name: str, *pairs: str, **options: Any) -> dict[str, Any]:
    return {"event": "subscribe", "pair": list(pairs), "subscription": {"name": name} | options}


async def follow(venue: Venue, *requests: dict[str, Any]) -> tuple[Client, list[Any]]:
    client = await venue.connect("/")
    client.ask(*requests)
    await client.settle()
    return client, client.take()


class Replica:
    """A book of wire text, cut to its depth."""

    def __init__(self, snapshot: dict[str, Any], depth: int) -> None:
        self.depth = depth
        self.asks = {price: size for price, size, _ in snapshot["as"]}
        self.bids = {price: size for price, size, _ in snapshot["bs"]}

    def apply(self, maps: list[dict[str, Any]]) -> int:
        """Take an update in; return its checksum."""
        for each in maps:
            for key, side in (("a", self.asks), ("b", self.bids)):
                for price, size, *_ in each.get(key, ()):
                    if float(size):
                        side[price] = size
                    else:
                        side.pop(price, None)
        for side, falling in ((self.asks, False), (self.bids, True)):
            for price in sorted(side, key=float, reverse=falling)[self.depth :]:
                del side[price]
        return int(maps[-1]["c"])

    def checksum(self) -> int:
        """Return the CRC32 of the top ten as the sheet says."""
        text = ""
        for side, falling in ((self.asks, False), (self.bids, True)):
            for price in sorted(side, key=float, reverse=falling)[:10]:
                text += "".join(n.replace(".", "").lstrip("0") for n in (price, side[price]))
        return zlib.crc32(text.encode())


@pytest.mark.parametrize("depth", [10, 1000])
def test_every_update_has_the_checksum_of_v1s_own_digits(depth: int) -> None:
    async def body() -> None:
        async with a_venue("kraken", "BTC/USD") as venue:
            client, (status, ack, snapshot) = await follow(
                venue, subscribe("book", "XBT/USD", depth=depth))
            assert status["event"] == "systemStatus"
            assert (ack["status"], ack["channelName"], ack["pair"]) == (
                "subscribed", f"book-{depth}", "XBT/USD")
            assert snapshot[0] == ack["channelID"]
            replica, verified = Replica(snapshot[1], depth), 0
            for _ in range(15):
                venue.step(1.0)
                await client.settle()
                for number, *maps, channel, pair in client.take():
                    assert (number, channel, pair) == (
                        ack["channelID"], f"book-{depth}", "XBT/USD")
                    assert replica.apply(maps) == replica.checksum()
                    verified += 1
            assert verified > 200
            bids, asks = venue.truth("BTC/USD")
            assert set(map(float, replica.asks)) == set(sorted(map(float, asks))[:depth])
            assert set(map(float, replica.bids)) == set(sorted(map(float, bids))[-depth:])

    run(body)


def test_messages_have_the_shapes_of_the_recorded_ones() -> None:
    path = shared("kraken.spot.20210405v1.jsonl.gz")
    recorded = dict[str, list[Any]]()
    with gzip.open(path, "rt") as file:
        for line in itertools.islice(file, 20_000):
            entry = json.loads(line)
            frame = json.loads(entry["m"]) if entry.get("m", "")[:1] == "[" else None
            if isinstance(frame, list):
                shapes, told = recorded.setdefault(frame[-2], []), frame_shape(frame)
                if told not in shapes:
                    shapes.append(told)

    async def body() -> None:
        async with a_venue("kraken", "BTC/USD") as venue:
            client, first = await follow(
                venue, subscribe("book", "XBT/USD", depth=1000), subscribe("trade", "XBT/USD"),
                subscribe("ticker", "XBT/USD"), subscribe("spread", "XBT/USD"))
            for _ in range(20):
                venue.step(1.0)
            await client.settle()
            frames = [each for each in first + client.take() if isinstance(each, list)]
            kinds = {each[-2] for each in frames}
            assert kinds == {"book-1000", "trade", "ticker", "spread"}
            common = kinds & recorded.keys()
            assert len(common) >= 2, recorded.keys()
            for frame in frames:
                if frame[-2] in common:
                    assert frame_shape(frame) in recorded[frame[-2]], frame

    run(body)


def test_answers_heartbeats_and_refusals() -> None:
    async def body() -> None:
        async with a_venue("kraken", "BTC/USD", "ETH/USD") as venue:
            client, (_, good, _, bad) = await follow(
                venue, subscribe("ticker", "XBT/USD", "BTC/USD") | {"reqid": 4})
            assert good["subscription"] == {"name": "ticker"}
            assert bad == {"errorMessage": "Currency pair not supported BTC/USD", "pair": "BTC/USD",
                           "event": "subscriptionStatus", "status": "error", "reqid": 4}
            for request, error in (
                (subscribe("nope", "XBT/USD"), "Subscription name invalid"),
                (subscribe("book", "XBT/USD", depth=11), "Subscription depth not supported"),
                (subscribe("book", "XBT/USD", depth=True), "Subscription depth not supported"),
                ({"event": "subscribe", "subscription": {"name": "book"}}, "Pair(s) not found"),
                ({"event": "dance"}, "Unsupported event"), ([], "Malformed request"),
            ):
                client.ask(request)
                await client.settle()
                (answer,) = client.take()
                assert answer["errorMessage"] == error
            client.ask({"event": "ping", "reqid": 9}, {
                "event": "unsubscribe", "pair": ["XBT/USD"], "subscription": {"name": "ticker"}})
            venue.world.servers["kraken"].beat(1)
            await client.settle()
            beat, pong, gone = client.take()
            assert (beat, pong) == ({"event": "heartbeat"}, {"event": "pong", "reqid": 9})
            assert gone["status"] == "unsubscribed"
            venue.step(5.0)
            await client.settle()
            assert client.take() == []

    run(body)
