"""The Advanced Trade face: one number over all messages of a connection."""

from collections.abc import Sequence
from typing import Any

import pytest

from tests.ops.sim.wire import Book, a_venue, run

MARKET = "/api/v3/brokerage/market"


def subscribe(channel: str, *natives: str, kind: str = "subscribe") -> dict[str, Any]:
    return {"type": kind, "channel": channel, "product_ids": natives}


def replay(frames: Sequence[dict[str, Any]], native: str) -> Book:
    book = Book()
    for frame in frames:
        for event in frame["events"] if frame["channel"] == "l2_data" else ():
            if event["product_id"] != native:
                continue
            if event["type"] == "snapshot":
                book = Book()
            for row in event["updates"]:
                side = {"bid": book.bids, "offer": book.asks}[row["side"]]
                book.set(side, row["price_level"], row["new_quantity"])
    return book


def test_books_equal_the_truth_and_no_number_is_left_out() -> None:
    async def body() -> None:
        async with a_venue("coinbase", "BTC/USD", "ETH/USD") as venue:
            client, other = await venue.connect(), await venue.connect()
            client.ask({"type": "subscribe", "channel": "heartbeats"},
                       subscribe("level2", "BTC-USD", "ETH-USD"),
                       subscribe("market_trades", "BTC-USD"), subscribe("ticker", "ETH-USD"))
            other.ask(subscribe("level2", "ETH-USD"))
            for second in range(20):
                await client.settle()
                await other.settle()
                venue.step(1.0)
                venue.world.servers["coinbase"].beat(second)
            await client.settle()
            await other.settle()
            frames, others = client.take(), other.take()
            for each in (frames, others):
                assert [f["sequence_num"] for f in each] == list(range(len(each)))
            assert len(frames) > 500
            assert replay(frames, "BTC-USD").both() == venue.truth("BTC-USD")
            assert replay(frames, "ETH-USD").both() == venue.truth("ETH/USD")
            assert replay(others, "ETH-USD").both() == venue.truth("ETH/USD")
            beats = [f["events"][0]["heartbeat_counter"] for f in frames
                     if f["channel"] == "heartbeats"]
            assert beats == list(range(20))

    run(body)


def test_market_trades_name_the_maker() -> None:
    async def body() -> None:
        async with a_venue("coinbase", "BTC/USD") as venue:
            client = await venue.connect()
            client.ask(subscribe("market_trades", "BTC-USD"), subscribe("level2", "BTC-USD"))
            await client.settle()
            book, trades = Book(), 0
            venue.step(30.0)
            await client.settle()
            for frame in client.take():
                if frame["channel"] == "l2_data":
                    for row in frame["events"][0]["updates"]:
                        side = {"bid": book.bids, "offer": book.asks}[row["side"]]
                        book.set(side, row["price_level"], row["new_quantity"])
                elif frame["channel"] == "market_trades" and (
                        frame["events"][0]["type"] == "update"):
                    trade = frame["events"][0]["trades"][0]
                    maker = book.asks if trade["side"] == "SELL" else book.bids
                    assert float(trade["price"]) in map(float, maker)  # it rested there before
                    trades += 1
            assert trades > 10

    run(body)


def test_unsubscribe_then_subscribe_brings_a_new_snapshot() -> None:
    async def body() -> None:
        async with a_venue("coinbase", "BTC/USD") as venue:
            client = await venue.connect()
            client.ask(subscribe("level2", "BTC-USD"))
            await client.settle()
            client.ask(subscribe("level2", "BTC-USD", kind="unsubscribe"))
            await client.settle()
            venue.step(5.0)
            client.ask(subscribe("level2", "BTC-USD"))
            await client.settle()
            frames = client.take()
            kinds = [f["events"][0].get("type", "ack") for f in frames]
            assert kinds == ["snapshot", "ack", "ack", "snapshot", "ack"]
            assert [f["sequence_num"] for f in frames] == [0, 1, 2, 3, 4]
            assert frames[2]["events"] == [{"subscriptions": {}}]
            assert replay(frames, "BTC-USD").both() == venue.truth("BTC-USD")

    run(body)


@pytest.mark.parametrize("text", [
    b"[", b'{"type":"dance"}', b'{"type":"subscribe","channel":"nope"}',
    b'{"type":"subscribe","channel":"level2"}',
    b'{"type":"subscribe","channel":"level2","product_ids":"BTC-USD"}',
    b'{"type":"subscribe","channel":"level2","product_ids":["NO-PE"]}',
])
def test_what_is_not_understood_is_an_error_and_the_connection_lives(text: bytes) -> None:
    async def body() -> None:
        async with a_venue("coinbase", "BTC/USD") as venue:
            client = await venue.connect()
            client.ask(text, subscribe("level2", "BTC-USD"))
            await client.settle()
            error, snapshot, _ = client.take()
            assert error["type"] == "error"
            assert snapshot["channel"] == "l2_data"

    run(body)


def test_rest_products_and_book() -> None:
    async def body() -> None:
        async with a_venue("coinbase", "BTC/USD", "ETH/USD") as venue:
            query = "product_type=SPOT&product_ids=ETH-USD&product_ids=BTC-USD"
            path = f"{MARKET}/products?{query}"
            _, answer = await venue.get(path)
            assert {row["product_id"] for row in answer["products"]} == {"BTC-USD", "ETH-USD"}
            _, answer = await venue.get(f"{MARKET}/products/BTC-USD")
            assert answer["price_increment"] == "0.1"
            _, answer = await venue.get(f"{MARKET}/product_book?product_id=BTC-USD&limit=2")
            assert len(answer["pricebook"]["bids"]) == 2
            assert (await venue.get(f"{MARKET}/products/NO-PE"))[0] == 404
            assert (await venue.get(f"{MARKET}/product_book?product_id=NO-PE"))[0] == 400

    run(body)
