"""The Kraken face: every message's checksum, at every depth, from the wire's own digits."""

import json
import re
import zlib
from typing import Any

import pytest

from engine.model.instrument import Pair
from ops.sim.book import ASK, BID
from ops.sim.faces.kraken import checksum
from ops.sim.listing import Line
from tests.ops.sim.wire import Client, a_venue, run

LEVEL = re.compile(rb'\{"price":([0-9.]+),"qty":([0-9.]+)\}')


def subscribe(channel: str, *natives: str, **params: Any) -> dict[str, Any]:
    return {"method": "subscribe", "params": {"channel": channel, "symbol": natives} | params}


class Replica:
    """A book of wire text, cut to its depth after each message, with its checksum."""

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.sides: tuple[dict[float, tuple[str, str]], ...] = ({}, {})

    def apply(self, frame: bytes) -> None:
        """Take one book message in."""
        if b'"type":"snapshot"' in frame:
            self.sides = ({}, {})
        bids, asks = frame.split(b'"asks":', 1)
        for side, text in zip(self.sides, (bids, asks), strict=True):
            for price, size in LEVEL.findall(text):
                if float(size):
                    side[float(price)] = (price.decode(), size.decode())
                else:
                    side.pop(float(price), None)
        for side, falling in zip(self.sides, (True, False), strict=True):
            for price in sorted(side, reverse=falling)[self.depth :]:
                del side[price]

    def checksum(self) -> int:
        """Return the CRC32 of the top ten as the sheet says."""
        text = ""
        for side, falling in ((self.sides[1], False), (self.sides[0], True)):
            for price in sorted(side, reverse=falling)[:10]:
                text += "".join(n.replace(".", "").lstrip("0") for n in side[price])
        return zlib.crc32(text.encode())


def books(client: Client) -> list[bytes]:
    frames, client.frames = client.frames, []
    return [frame for frame in frames if frame.startswith(b'{"channel":"book"')]


@pytest.mark.parametrize("depth", [10, 25, 100, 1000])
def test_every_checksum_verifies_and_the_book_equals_the_truth_at_its_depth(depth: int) -> None:
    async def body() -> None:
        async with a_venue("kraken", "BTC/USD") as venue:
            client = await venue.connect()
            client.ask(subscribe("book", "BTC/USD", depth=depth))
            await client.settle()
            replica, verified = Replica(depth), 0
            for _ in range(20):
                venue.step(1.0)
                await client.settle()
                for frame in books(client):
                    replica.apply(frame)
                    assert replica.checksum() == json.loads(frame)["data"][0]["checksum"]
                    verified += 1
            assert verified > 300
            truth = venue.world.truth("kraken", "BTC/USD")
            assert truth is not None
            for side, rows, falling in ((0, truth.bids, True), (1, truth.asks, False)):
                best = sorted(replica.sides[side], reverse=falling)
                assert best == [float(price) for price, _ in rows][:depth]
                assert [float(replica.sides[side][price][1]) for price in best] == [
                    float(size) for _, size in rows][:depth]

    run(body)


def test_depths_of_one_symbol_live_side_by_side() -> None:
    async def body() -> None:
        async with a_venue("kraken", "BTC/USD") as venue:
            client = await venue.connect()
            other = await venue.connect()
            client.ask(subscribe("book", "BTC/USD", depth=10))
            await client.settle()
            venue.step(5.0)
            other.ask(subscribe("book", "BTC/USD", depth=100))
            await other.settle()
            venue.step(5.0)
            for one, depth in ((client, 10), (other, 100)):
                await one.settle()
                replica = Replica(depth)
                for frame in books(one):
                    replica.apply(frame)
                    assert replica.checksum() == json.loads(frame)["data"][0]["checksum"]

    run(body)


def test_acknowledgements_come_per_symbol_and_some_fail_singly() -> None:
    async def body() -> None:
        async with a_venue("kraken", "BTC/USD", "ETH/USD") as venue:
            client = await venue.connect()
            client.ask(subscribe("book", "BTC/USD", "XBT/USD", "ETH/USD", depth=25) | {"req_id": 9})
            await client.settle()
            status, *rest = client.take()
            assert status["channel"] == "status"
            answers = [frame for frame in rest if "method" in frame]
            assert [a["success"] for a in answers] == [True, False, True]
            assert [a["req_id"] for a in answers] == [9, 9, 9]
            assert answers[1]["error"] == "Currency pair not supported XBT/USD"
            assert [f["data"][0]["symbol"] for f in rest if f.get("type") == "snapshot"] == [
                "BTC/USD", "ETH/USD"]

    run(body)


@pytest.mark.parametrize(("text", "error"), [
    (b"{", "Malformed request"),
    (b'{"method":"dance"}', "Unsupported method"),
    (b'{"method":"subscribe","params":{"channel":"nope","symbol":["BTC/USD"]}}',
     "Unsupported channel"),
    (b'{"method":"subscribe","params":{"channel":"book","symbol":["BTC/USD"],"depth":11}}',
     "Subscription depth not supported"),
    (b'{"method":"subscribe","params":{"channel":"book","symbol":"BTC/USD"}}',
     "Symbol(s) not found"),
    (b'{"method":"subscribe","params":7}', "Unsupported channel"),
])
def test_what_is_not_understood_is_refused_and_the_connection_lives(
    text: bytes, error: str
) -> None:
    async def body() -> None:
        async with a_venue("kraken", "BTC/USD") as venue:
            client = await venue.connect()
            client.ask(text, {"method": "ping", "req_id": 3})
            await client.settle()
            _, refusal, pong = client.take()
            assert (refusal["error"], refusal["success"]) == (error, False)
            assert (pong["method"], pong["req_id"]) == ("pong", 3)

    run(body)


def test_prints_quotes_and_heartbeats() -> None:
    async def body() -> None:
        async with a_venue("kraken", "BTC/USD") as venue:
            client, silent = await venue.connect(), await venue.connect()
            client.ask(subscribe("trade", "BTC/USD"),
                       subscribe("ticker", "BTC/USD", event_trigger="bbo"))
            await client.settle()
            venue.step(20.0)
            venue.world.servers["kraken"].beat(1)
            await client.settle()
            await silent.settle()
            frames = client.take()
            trades = [f["data"][0] for f in frames if f.get("channel") == "trade"]
            ids = [trade["trade_id"] for trade in trades]
            assert ids == list(range(ids[0], ids[0] + len(ids)))
            ticker = [f["data"][0] for f in frames if f.get("channel") == "ticker"][-1]
            bids, asks = venue.truth("BTC/USD")
            assert (ticker["bid"], ticker["ask"]) == (
                max(map(float, bids)), min(map(float, asks)))
            assert frames[-1] == {"channel": "heartbeat"}
            assert {"channel": "heartbeat"} not in silent.take()

    run(body)


def test_rest_names_pairs_in_the_old_way() -> None:
    async def body() -> None:
        async with a_venue("kraken", "BTC/USD", "ETH/USD") as venue:
            _, answer = await venue.get("/0/public/AssetPairs?pair=XBTUSD,ETHUSD")
            assert [row["wsname"] for row in answer["result"].values()] == ["XBT/USD", "ETH/USD"]
            assert answer["result"]["XXBTZUSD"]["tick_size"] == "0.1"
            _, answer = await venue.get("/0/public/Depth?pair=XBTUSD&count=2")
            assert len(answer["result"]["XXBTZUSD"]["asks"]) == 2
            for path, error in (("Depth?pair=NOPE", "EQuery:Unknown asset pair"),
                                ("Dance", "EGeneral:Unknown method"),
                                ("Depth?pair=XBTUSD&count=0", "EGeneral:Invalid arguments:count")):
                assert (await venue.get("/0/public/" + path))[1] == {"error": [error]}

    run(body)


def test_the_checksum_is_that_of_the_sheets_worked_example() -> None:
    line = Line("kraken", Pair.parse("BTC/USD"), "BTC/USD", price_decimals=1, size_decimals=8)
    asks = ("45285.2/0.00100000, 45286.4/1.54571953, 45286.6/1.54571109, 45289.6/1.54560911, "
            "45290.2/0.15890660, 45291.8/1.54553491, 45294.7/0.04454749, 45296.1/0.35380000, "
            "45297.5/0.09945542, 45299.5/0.18772827")
    bids = ("45283.5/0.10000000, 45283.4/1.54582015, 45282.1/0.10000000, 45281.0/0.10000000, "
            "45280.3/1.54592586, 45279.0/0.07990000, 45277.6/0.03310103, 45277.5/0.30000000, "
            "45277.3/1.54602737, 45276.6/0.15445238")
    for side, text in ((ASK, asks), (BID, bids)):
        for level in text.replace(".", "").split(", "):
            price, size = map(int, level.split("/"))
            line.book.set(side, price, size)
    assert checksum(line) == 3310070434
    line.book.set(BID, 452840, 25000000)
    assert checksum(line) == 1770254428
