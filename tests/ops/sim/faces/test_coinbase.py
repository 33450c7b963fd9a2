"""The Advanced Trade face: one number over all messages of a connection."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from picows import WSMsgType

from engine.model.fault import Fault, Kind
from ops.sim.face import BUY, Update
from ops.sim.listing import Line
from tests.ops.sim.coinbase_trader import Trader, frozen
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


def test_market_trades_name_the_maker_newest_first_and_miss_none() -> None:
    async def body() -> None:
        async with a_venue("coinbase", "BTC/USD") as venue:
            client, takers = await venue.connect(), dict[str, int]()
            face = venue.world.servers["coinbase"].face
            publish: Callable[[Line, Update], None] = face.update

            def see(line: Line, update: Update) -> None:
                takers.update({str(each.trade_id): each.side for each in update.prints})
                publish(line, update)

            face.update = see  # type: ignore[method-assign]
            client.ask(subscribe("market_trades", "BTC-USD"))
            await client.settle()
            snapshot, _ = client.take()
            for _ in range(10):
                venue.step(3.0)  # pauses: what waits is sent
            await client.settle()
            batches = [each["events"][0]["trades"] for each in client.take()]
            assert any(len(batch) > 1 for batch in batches)
            for batch in batches:
                ids = [int(each["trade_id"]) for each in batch]
                assert ids == sorted(ids, reverse=True)
            told = {each["trade_id"]: each["side"] for batch in batches for each in batch}
            assert told == {trade_id: "SELL" if taker == BUY else "BUY"
                            for trade_id, taker in takers.items()}
            assert not set(told) & {each["trade_id"] for each in snapshot["events"][0]["trades"]}
            assert len(told) > 10

    run(body)


def test_prints_wait_for_a_quarter_of_a_second() -> None:
    async def body() -> None:
        async with a_venue("coinbase", "BTC/USD") as venue:
            clock, trader = frozen(venue), Trader(venue)
            face = venue.world.servers["coinbase"].face
            face.tick()
            client = await venue.connect()
            client.ask(subscribe("market_trades", "BTC-USD"))
            await client.settle()
            client.take()
            for _ in range(2):
                await trader.placed("SELL", "market_market_ioc", base_size="0.0001")
            clock.advance(249_000_000)
            face.tick()
            await client.settle()
            assert client.take() == []
            clock.advance(1_000_000)
            face.tick()
            await client.settle()
            (batch,) = client.take()
            assert len(batch["events"][0]["trades"]) == 2

    run(body)


def test_a_connection_that_is_told_nothing_is_closed() -> None:
    async def body() -> None:
        async with a_venue("coinbase", "BTC/USD") as venue:
            quiet, alive = await venue.connect(), await venue.connect()
            quiet.ask(subscribe("level2", "BTC-USD"))
            alive.ask(subscribe("level2", "BTC-USD"), subscribe("heartbeats"))
            await quiet.settle()
            await alive.settle()
            for second in range(92):
                venue.world.servers["coinbase"].beat(1_000 + second)
            await quiet.closed.wait()
            await alive.settle()
            assert not alive.closed.is_set()

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
    b'{"type":"subscribe","channel":["level2"],"product_ids":["BTC-USD"]}',
    b'{"type":["subscribe"],"channel":"level2","product_ids":["BTC-USD"]}',
    b'{"type":"subscribe","channel":"level2","product_ids":["BTC-USD"],"jwt":{"a":1}}', b"\xff",
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


def test_strangers_may_send_eight_messages_a_second_and_users_more() -> None:
    async def body() -> None:
        async with a_venue("coinbase", "BTC/USD") as venue:
            clock, trader = frozen(venue), Trader(venue)
            client, other = await venue.connect(), await venue.connect()
            client.ask(*[subscribe("ticker", "BTC-USD")] * 5, *[b"["] * 3)
            await client.settle()
            client.take()
            other.ask(subscribe("ticker", "BTC-USD"), b"[",
                      subscribe("ticker", "BTC-USD") | {"jwt": trader.token()})
            await other.settle()
            refused, again, snapshot, _ = other.take()
            assert refused == again == {"type": "error", "message": "rate limit exceeded"}
            assert snapshot["channel"] == "ticker"
            clock.advance(10**9)
            other.ask(subscribe("ticker", "BTC-USD"))
            await other.settle()
            assert [each["channel"] for each in other.take()] == ["subscriptions"]

    run(body)


def test_ticker_batch_and_status_come_every_five_seconds() -> None:
    async def body() -> None:
        async with a_venue("coinbase", "BTC/USD") as venue:
            client = await venue.connect()
            client.ask(subscribe("ticker_batch", "BTC-USD"), subscribe("status"))
            await client.settle()
            first = client.take()
            assert [each["channel"] for each in first] == [
                "ticker_batch", "subscriptions", "status", "subscriptions"]
            (product,) = first[2]["events"][0]["products"]
            assert (product["id"], product["status"]) == ("BTC-USD", "online")
            for second in range(1, 11):
                venue.world.servers["coinbase"].beat(second)
            await client.settle()
            frames = client.take()
            assert [each["channel"] for each in frames] == ["ticker_batch", "status"] * 2
            (ticker,) = frames[0]["events"][0]["tickers"]
            assert not {"best_bid", "best_ask"} & set(ticker)
            venue.world.servers["coinbase"].face.floor.faults.add(
                Fault("coinbase", Kind.HALT))
            venue.world.servers["coinbase"].face.floor.tick()
            await client.settle()
            (status,) = client.take()
            assert status["events"][0]["products"][0]["status_message"] == "trading disabled"

    run(body)


def test_the_catalogue_tells_the_filters_in_force() -> None:
    async def body() -> None:
        async with a_venue("coinbase", "BTC/USD") as venue:
            before = (await venue.get(f"{MARKET}/products/BTC-USD"))[1]
            floor = venue.world.servers["coinbase"].face.floor
            floor.faults.add(Fault("coinbase", Kind.FILTERS))
            floor.tick()
            after = (await venue.get(f"{MARKET}/products/BTC-USD"))[1]
            assert (before["price_increment"], after["price_increment"]) == ("0.1", "1")
            assert (before["base_increment"], after["base_increment"]) == (
                "0.00000001", "0.0000001")
            assert before["quote_min_size"] == "1"

    run(body)


def test_oversized_and_binary_frames_close_the_connection_and_the_venue_lives() -> None:
    async def body() -> None:
        async with a_venue("coinbase", "BTC/USD") as venue:
            client = await venue.connect()
            client.ask(b"x" * (2 << 20))
            await client.closed.wait()
            client = await venue.connect()
            client.transport.send(WSMsgType.BINARY, b"x")
            await client.closed.wait()
            client = await venue.connect()
            client.ask(subscribe("level2", "BTC-USD"))
            await client.settle()
            assert client.take()[0]["channel"] == "l2_data"

    run(body)


def test_candles_hold_every_print_and_follow_it() -> None:
    async def body() -> None:
        async with a_venue("coinbase", "BTC/USD") as venue:
            client = await venue.connect()
            client.ask(subscribe("candles", "BTC-USD"))
            venue.step(20.0)
            now_s = venue.world.servers["coinbase"].face.floor.now_ns() // 10**9
            path = f"{MARKET}/products/BTC-USD/candles?start={now_s - 600}&end={now_s}"
            _, minutes = await venue.get(f"{path}&granularity=ONE_MINUTE")
            _, ticker = await venue.get(f"{MARKET}/products/BTC-USD/ticker?limit=1000")
            prices = [float(each["price"]) for each in ticker["trades"]]
            assert max(prices) == max(float(each["high"]) for each in minutes["candles"])
            assert min(prices) == min(float(each["low"]) for each in minutes["candles"])
            assert prices[0] == float(minutes["candles"][0]["close"])
            assert sum(float(each["size"]) for each in ticker["trades"]) == pytest.approx(
                sum(float(each["volume"]) for each in minutes["candles"]))
            await client.settle()
            client.take()
            for second in range(3):
                venue.world.servers["coinbase"].beat(second)
            await client.settle()
            (frame,) = client.take()
            (candle,) = frame["events"][0]["candles"]
            assert candle["close"] == minutes["candles"][0]["close"]
            for query in ("granularity=YEAR", "granularity=ONE_MINUTE&start=1",
                          f"granularity=ONE_MINUTE&start=1&end={now_s}"):
                url = f"{MARKET}/products/BTC-USD/candles?{query}"
                assert (await venue.get(url))[0] == 400

    run(body)
