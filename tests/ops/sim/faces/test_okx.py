"""The OKX face: linked updates after an in-stream snapshot, and the venue's error codes."""

import json
from typing import Any

import pytest

from engine.model.instrument import Pair
from ops.sim.book import ASK, BID
from ops.sim.faces.okx import checksum
from ops.sim.listing import Line
from tests.ops.sim.wire import Book, a_venue, run


def subscribe(*channels: str, native: str = "BTC-USDT") -> dict[str, Any]:
    return {"op": "subscribe", "args": [{"channel": name, "instId": native} for name in channels]}


def price_of(level: tuple[str, str]) -> float:
    return float(level[0])


@pytest.mark.parametrize("name", ["okx", "okx-us"])
def test_the_linked_book_equals_the_truth_after_hundreds_of_updates(name: str) -> None:
    async def body() -> None:
        async with a_venue(name, "BTC/USDT", "ETH/USDT") as venue:
            client = await venue.connect()
            client.ask(subscribe("books"))
            await client.settle()
            venue.step(30.0)
            await client.settle()
            ack, snapshot, *updates = client.take()
            assert ack["event"] == "subscribe"
            assert (snapshot["action"], snapshot["data"][0]["prevSeqId"]) == ("snapshot", -1)
            book, last = Book(), -1
            for message in [snapshot, *updates]:
                row = message["data"][0]
                assert row["prevSeqId"] == last
                assert row["checksum"] == 0
                book.apply(row["bids"], row["asks"])
                last = row["seqId"]
            assert len(updates) > 300
            assert book.both() == venue.truth("BTC/USDT")

    run(body)


def test_a_late_subscriber_starts_where_the_others_stand() -> None:
    async def body() -> None:
        async with a_venue("okx", "BTC/USDT") as venue:
            early, late = await venue.connect(), await venue.connect()
            early.ask(subscribe("books"))
            await early.settle()
            for _ in range(20):
                venue.world.flow.step(37_000_000)  # type: ignore[union-attr]
                late.ask(subscribe("books"))  # again and again: each brings a snapshot
                await late.settle()
            venue.step(2.0)
            await early.settle()
            await late.settle()
            numbers = [f["data"][0]["seqId"] for f in early.take() if "data" in f]
            book, last = Book(), 0
            for frame in late.take():
                if "data" not in frame:
                    continue
                row = frame["data"][0]
                if frame["action"] == "snapshot":
                    book = Book()
                    assert row["seqId"] in numbers
                else:
                    assert row["prevSeqId"] == last
                last = row["seqId"]
                book.apply(row["bids"], row["asks"])
            assert book.both() == venue.truth("BTC-USDT")

    run(body)


def test_quotes_are_the_touch_and_prints_name_the_taker() -> None:
    async def body() -> None:
        async with a_venue("okx", "BTC/USDT") as venue:
            client = await venue.connect()
            client.ask(subscribe("bbo-tbt", "trades", "tickers"))
            await client.settle()
            venue.step(20.0)
            await client.settle()
            frames = [frame for frame in client.take() if "data" in frame]
            by = {name: [f["data"][0] for f in frames if f["arg"]["channel"] == name]
                  for name in ("bbo-tbt", "trades", "tickers")}
            bids, asks = venue.truth("BTC/USDT")
            quote = by["bbo-tbt"][-1]
            assert tuple(quote["bids"][0][:2]) == max(bids.items(), key=price_of)
            assert tuple(quote["asks"][0][:2]) == min(asks.items(), key=price_of)
            assert 50 < len(by["tickers"]) <= len(by["bbo-tbt"]) + len(by["trades"])
            assert by["tickers"][-1]["bidPx"] == quote["bids"][0][0]
            assert {row["side"] for row in by["trades"]} == {"buy", "sell"}

    run(body)


@pytest.mark.parametrize(("text", "code"), [
    (b'{"op":"subscribe","args":[{"channel":"books","instId":"NO-PE"}]}', "60018"),
    (b'{"op":"subscribe","args":[{"channel":"nothing","instId":"BTC-USDT"}]}', "60018"),
    (b'{"op":"subscribe","args":[{"channel":"books-l2-tbt","instId":"BTC-USDT"}]}', "60011"),
    (b'{"op":"subscribe","args":["books"]}', "60012"),
    (b'{"op":"subscribe","args":[]}', "60012"),
    (b'{"op":"dance"}', "60012"),
    (b"{", "60012"),
    (b"\xff", "60012"),
])
def test_what_is_not_understood_gets_the_documented_code(text: bytes, code: str) -> None:
    async def body() -> None:
        async with a_venue("okx", "BTC/USDT") as venue:
            client = await venue.connect()
            client.ask(text, b"ping")
            await client.settle()
            error, pong = client.frames
            assert json.loads(error).items() >= {"event": "error", "code": code}.items()
            assert pong == b"pong"

    run(body)


def test_rest_books_and_instruments_answer_in_the_venues_envelope() -> None:
    async def body() -> None:
        async with a_venue("okx", "BTC/USDT") as venue:
            _, answer = await venue.get("/api/v5/public/instruments?instType=SPOT")
            (row,) = answer["data"]
            assert (row["instId"], row["tickSz"], row["state"]) == ("BTC-USDT", "0.1", "live")
            _, answer = await venue.get("/api/v5/market/books?instId=BTC-USDT&sz=3")
            book = answer["data"][0]
            assert [len(book["asks"]), len(book["bids"])] == [3, 3]
            assert book["seqId"] == 70_000_000_000
            for path, code in (("/market/books?instId=X", "51001"),
                               ("/public/instruments", "51000"),
                               ("/public/instruments?instType=SPOT&instId=X", "51001"),
                               ("/market/books?instId=BTC-USDT&sz=401", "51000")):
                assert (await venue.get("/api/v5" + path))[1]["code"] == code

    run(body)


def test_the_old_checksum_is_that_of_the_sheets_worked_example() -> None:
    line = Line("okx", Pair.parse("BTC/USDT"), "BTC-USDT", price_decimals=1, size_decimals=0)
    for price, size in ((33661, 7), (33660, 6)):
        line.book.set(BID, price, size)
    for price, size in ((33668, 9), (33680, 8), (33720, 8)):
        line.book.set(ASK, price, size)
    assert checksum(line) == 1362239393


def test_a_newcomer_who_asks_for_nothing_is_dropped() -> None:
    async def body() -> None:
        async with a_venue("okx", "BTC/USDT") as venue:
            server = venue.world.servers["okx"]
            client, other = await venue.connect(), await venue.connect()
            other.ask(subscribe("books"))
            await other.settle()
            for connection in server.connections:
                connection.state["opened_ns"] -= 31 * 10**9
            server.beat(1)
            await client.closed.wait()
            await other.settle()
            assert not other.closed.is_set()

    run(body)


