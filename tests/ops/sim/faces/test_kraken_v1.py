"""Kraken's WebSocket v1: the market of v2 in the old spelling, checksums and all."""

import json
import zlib
from typing import Any

import pytest

from tests.ops.sim.wire import Client, Venue, a_venue, run

Levels = dict[str, str]


def subscribe(name: str, *pairs: str, **params: Any) -> dict[str, Any]:
    return {"event": "subscribe", "pair": list(pairs), "subscription": {"name": name} | params}


def checksum(bids: Levels, asks: Levels) -> int:
    """Return the CRC32 of the top ten as the sheet says: raw texts, asks first."""
    best = [*sorted(asks.items(), key=price_of)[:10],
            *sorted(bids.items(), key=price_of, reverse=True)[:10]]
    digits = (text.replace(".", "").lstrip("0") for level in best for text in level)
    return zlib.crc32("".join(digits).encode())


def price_of(level: tuple[str, str]) -> float:
    return float(level[0])


async def opened(venue: Venue) -> Client:
    client = await venue.connect("/")
    await client.settle()
    (status,) = client.take()
    assert (status["event"], status["status"]) == ("systemStatus", "online")
    assert status["connectionID"] >= 1 << 63  # unsigned: the sheet's trap 13
    return client


def test_every_checksum_verifies_and_the_book_equals_the_truth() -> None:
    async def body() -> None:
        async with a_venue("kraken", "BTC/USD") as venue:
            client = await opened(venue)
            client.ask(subscribe("book", "XBT/USD", depth=1000))
            await client.settle()
            ack, snapshot = client.take()
            assert ack == {
                "channelID": snapshot[0], "channelName": "book-1000",
                "event": "subscriptionStatus", "pair": "XBT/USD", "status": "subscribed",
                "subscription": {"depth": 1000, "name": "book"}}
            sides = {name: {row[0]: row[1] for row in snapshot[1][name + "s"]} for name in "ab"}
            verified = 0
            for _ in range(20):
                venue.step(1.0)
                await client.settle()
                for frame in client.take():
                    if not isinstance(frame, list):
                        continue
                    assert frame[-2:] == ["book-1000", "XBT/USD"]
                    for part in frame[1:-2]:
                        for side in sides.keys() & part.keys():
                            for price, size, at in part[side]:
                                assert len(at.partition(".")[2]) == 6
                                sides[side][price] = size
                                if not float(size):
                                    del sides[side][price]
                    assert "c" not in frame[1] or len(frame) == 4
                    assert int(frame[-3]["c"]) == checksum(sides["b"], sides["a"])
                    verified += 1
            assert verified > 300
            bids, asks = venue.truth("BTC/USD")
            for side, truth in (("b", bids), ("a", asks)):
                assert {float(p): float(s) for p, s in sides[side].items()} == {
                    float(p): float(s) for p, s in truth.items()}

    run(body)


def test_prints_and_tickers_are_those_of_v2() -> None:
    async def body() -> None:
        async with a_venue("kraken", "BTC/USD") as venue:
            old, new = await opened(venue), await venue.connect()
            old.ask(subscribe("trade", "XBT/USD"), subscribe("ticker", "XBT/USD"))
            for channel in ("trade", "ticker"):
                new.ask({"method": "subscribe", "params": {
                    "channel": channel, "symbol": ["BTC/USD"], "event_trigger": "bbo"}})
            await old.settle()
            await new.settle()
            venue.step(20.0)
            await old.settle()
            await new.settle()
            frames = [frame for frame in old.take() if isinstance(frame, list)]
            trades = [frame[1][0] for frame in frames if frame[-2] == "trade"]
            others = [f["data"][0] for f in new.take() if f.get("channel") == "trade"]
            assert len(trades) > 20
            assert [(float(t[0]), float(t[1]), t[3], t[4]) for t in trades] == [
                (t["price"], t["qty"], t["side"][0], t["ord_type"][0]) for t in others]
            ticker = [frame[1] for frame in frames if frame[-2] == "ticker"][-1]
            bids, asks = venue.truth("BTC/USD")
            assert (float(ticker["b"][0]), float(ticker["a"][0])) == (
                max(map(float, bids)), min(map(float, asks)))
            assert isinstance(ticker["b"][1], int)
            assert set(ticker) == set("abcvptlho")  # the sheet's sample

    run(body)


@pytest.mark.parametrize(("text", "error"), [
    (b"{", "Malformed request"),
    (b'{"event":"dance"}', "Malformed request"),
    (b'{"event":"subscribe","pair":["XBT/USD"],"subscription":{"name":"no"}}',
     "Subscription name invalid"),
    (b'{"event":"subscribe","pair":["BTC/USD"],"subscription":{"name":"book"}}',
     "Currency pair not supported BTC/USD"),
    (b'{"event":"subscribe","pair":["XBT/USD"],"subscription":{"name":"book","depth":7}}',
     "Subscription depth not supported"),
    (b'{"event":"subscribe","pair":7,"subscription":7}', "Subscription name invalid"),
])
def test_what_is_not_understood_is_refused_and_the_connection_lives(
    text: bytes, error: str
) -> None:
    async def body() -> None:
        async with a_venue("kraken", "BTC/USD") as venue:
            client = await opened(venue)
            client.ask(text, {"event": "ping", "reqid": 3})
            await client.settle()
            refusal, pong = client.take()
            assert refusal["errorMessage"] == error
            assert pong == {"event": "pong", "reqid": 3}

    run(body)


def test_heartbeats_and_unsubscribing() -> None:
    async def body() -> None:
        async with a_venue("kraken", "BTC/USD") as venue:
            client = await opened(venue)
            client.ask(subscribe("book", "XBT/USD"))
            await client.settle()
            venue.world.servers["kraken"].beat(1)
            await client.settle()
            assert client.take()[-1] == {"event": "heartbeat"}
            client.ask(subscribe("book", "XBT/USD") | {"event": "unsubscribe", "reqid": 5})
            await client.settle()
            answer = client.take()[-1]
            assert (answer["status"], answer["reqid"]) == ("unsubscribed", 5)
            venue.step(5.0)
            await client.settle()
            assert json.dumps(client.take()).count("book-10") == 0

    run(body)
