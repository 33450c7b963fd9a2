"""The Exchange face: no numbers on the book, maker's side in matches, taker's in tickers."""

from typing import Any

import pytest

from tests.ops.sim.wire import Book, a_venue, run


def subscribe(*channels: object, native: str = "BTC-USD") -> dict[str, Any]:
    return {"type": "subscribe", "product_ids": [native], "channels": list(channels)}


def test_the_book_equals_the_truth_after_hundreds_of_updates() -> None:
    async def body() -> None:
        async with a_venue("coinbase-exchange", "BTC/USD") as venue:
            client = await venue.connect()
            client.ask(subscribe("level2_batch"))
            await client.settle()
            venue.step(20.0)
            await client.settle()
            ack, snapshot, *updates = client.take()
            assert ack["channels"] == [{"name": "level2_batch", "product_ids": ["BTC-USD"]}]
            book = Book()
            book.apply(snapshot["bids"], snapshot["asks"])
            for update in updates:
                for side, price, size in update["changes"]:
                    book.set({"buy": book.bids, "sell": book.asks}[side], price, size)
            assert len(updates) > 300
            assert book.both() == venue.truth("BTC-USD")

    run(body)


def test_a_match_and_its_ticker_name_opposite_sides() -> None:
    async def body() -> None:
        async with a_venue("coinbase-exchange", "BTC/USD") as venue:
            client = await venue.connect()
            client.ask(subscribe({"name": "matches", "product_ids": ["BTC-USD"]}, "ticker",
                                 "heartbeat"))
            await client.settle()
            venue.step(10.0)
            venue.world.servers["coinbase-exchange"].beat(1)
            await client.settle()
            frames = client.take()
            assert [f["type"] for f in frames[:3]] == ["subscriptions", "last_match", "ticker"]
            pairs = list(zip(frames[3:-1:2], frames[4:-1:2], strict=True))
            assert len(pairs) > 10
            for match, ticker in pairs:
                assert (match["type"], ticker["type"]) == ("match", "ticker")
                assert match["trade_id"] == ticker["trade_id"]
                assert {match["side"], ticker["side"]} == {"buy", "sell"}
            sequences = [f["sequence"] for f in frames[1:]]
            assert sequences == sorted(sequences)
            assert frames[-1]["type"] == "heartbeat"

    run(body)


@pytest.mark.parametrize(("text", "reason"), [
    (b'{"type":"subscribe","product_ids":["BTC-USD"],"channels":["level2"]}', "authentication"),
    (b'{"type":"subscribe","product_ids":["NO-PE"],"channels":["ticker"]}', "NO-PE"),
    (b'{"type":"subscribe","product_ids":["BTC-USD"],"channels":["nope"]}', "nope"),
    (b'{"type":"subscribe","product_ids":["BTC-USD"]}', "channels"),
    (b'{"type":"subscribe","product_ids":"BTC-USD","channels":["ticker"]}', "product_ids"),
    (b'{"type":"dance"}', "dance"),
])
def test_what_cannot_be_subscribed_is_refused_with_the_reason(text: bytes, reason: str) -> None:
    async def body() -> None:
        async with a_venue("coinbase-exchange", "BTC/USD") as venue:
            client = await venue.connect()
            client.ask(text, b"garbage")
            await client.settle()
            error, garbage = client.take()
            assert error["type"] == garbage["type"] == "error"
            assert reason in error["reason"]

    run(body)


def test_rest_products_and_book() -> None:
    async def body() -> None:
        async with a_venue("coinbase-exchange", "BTC/USD", "ETH/BTC") as venue:
            _, products = await venue.get("/products")
            assert [row["id"] for row in products] == ["BTC-USD", "ETH-BTC"]
            _, book = await venue.get("/products/BTC-USD/book?level=2")
            bids, asks = venue.truth("BTC-USD")
            assert [len(book["bids"]), len(book["asks"])] == [len(bids), len(asks)]
            assert (await venue.get("/products/NO-PE"))[0] == 404
            assert (await venue.get("/products/BTC-USD/book?level=3"))[0] == 400
            assert (await venue.get("/time"))[0] == 200

    run(body)
