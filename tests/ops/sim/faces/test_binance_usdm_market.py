"""The public side of the simulated USD-M: what every path answers and streams."""

from itertools import pairwise
from typing import Any

import pytest

from tests.ops.sim.faces.binance_usdm_client import BTC, NAME, Trader, a_trader
from tests.ops.sim.wire import Book, Client, run

ETH = "ETH/USDT:USDT"
DAY = {
    "symbol", "priceChange", "priceChangePercent", "weightedAvgPrice", "lastPrice", "lastQty",
    "openPrice", "highPrice", "lowPrice", "volume", "quoteVolume", "openTime", "closeTime",
    "firstId", "lastId", "count"}


async def get(trader: Trader, path: str) -> Any:
    status, body = await trader.venue.get("/fapi/v1/" + path)
    assert status == 200, body
    return body


async def frames(trader: Trader, client: Client, seconds: float) -> list[Any]:
    trader.venue.step(seconds)
    await client.settle()
    return client.take()


@pytest.mark.parametrize(("path", "keys"), [
    ("ticker/24hr", DAY), ("ticker/price", {"symbol", "price", "time"}),
    ("ticker/bookTicker",
     {"symbol", "bidPrice", "bidQty", "askPrice", "askQty", "time", "lastUpdateId"}),
    ("premiumIndex", {"symbol", "markPrice", "indexPrice", "estimatedSettlePrice",
                      "lastFundingRate", "interestRate", "nextFundingTime", "time"}),
])
def test_a_contract_or_all_are_told_in_the_documented_shape(path: str, keys: set[str]) -> None:
    async def body() -> None:
        async with a_trader(BTC, ETH) as (trader, _):
            trader.venue.step(30.0)
            one = await get(trader, path + "?symbol=ETHUSDT")
            both = await get(trader, path)
            assert set(one) == keys
            assert [set(row) for row in both] == [keys] * 2
            assert [row["symbol"] for row in both] == ["BTCUSDT", "ETHUSDT"]

    run(body)


def test_prints_are_remembered_as_trades_aggregates_and_a_day() -> None:
    async def body() -> None:
        async with a_trader() as (trader, _):
            client = await trader.venue.connect("/public/ws/btcusdt@trade")
            await client.settle()
            told = await frames(trader, client, 5.0)
            rows = await get(trader, "trades?symbol=BTCUSDT&limit=1000")
            assert [(row["id"], row["price"], row["qty"], row["isBuyerMaker"]) for row in rows] == [
                (each["t"], each["p"], each["q"], each["m"]) for each in told]
            day = await get(trader, "ticker/24hr?symbol=BTCUSDT")
            prices = [float(row["price"]) for row in rows]
            assert (day["count"], day["firstId"], day["lastId"]) == (
                len(rows), rows[0]["id"], rows[-1]["id"])
            assert (float(day["highPrice"]), float(day["lowPrice"])) == (max(prices), min(prices))
            assert (float(day["openPrice"]), float(day["lastPrice"])) == (prices[0], prices[-1])
            for total, key in (("volume", "qty"), ("quoteVolume", "quoteQty")):
                assert float(day[total]) == pytest.approx(sum(float(row[key]) for row in rows))
            sums = await get(trader, "aggTrades?symbol=BTCUSDT&limit=1000")
            assert sum(float(row["q"]) for row in sums) == pytest.approx(float(day["volume"]))
            later = await get(trader, f"aggTrades?symbol=BTCUSDT&fromId={sums[3]['a']}&limit=2")
            assert later == sums[3:5]
            old = await trader.raw(
                "GET", "v1/historicalTrades", f"symbol=BTCUSDT&fromId={rows[5]['id']}&limit=3",
                trader.key.key)
            assert old.body == rows[5:8]

    run(body)


def test_the_catalogue_tells_what_the_engine_demands() -> None:
    async def body() -> None:
        async with a_trader() as (trader, _):
            (row,) = (await get(trader, "exchangeInfo"))["symbols"]
            assert row.items() >= {
                "symbol": "BTCUSDT", "contractType": "PERPETUAL", "status": "TRADING",
                "marginAsset": "USDT", "pricePrecision": 1, "quantityPrecision": 4,
                "timeInForce": ["GTC", "IOC", "FOK", "GTX", "GTD"]}.items()
            filters = {each["filterType"]: each for each in row["filters"]}
            listed = trader.face.floor.filters("BTCUSDT")
            assert filters["PRICE_FILTER"]["tickSize"] == "0.1"
            assert filters["LOT_SIZE"]["minQty"] == "0.0001"
            assert filters["MIN_NOTIONAL"]["notional"] == "5"
            assert filters["MAX_NUM_ORDERS"]["limit"] == listed.open_orders_max
            assert (filters["PERCENT_PRICE"]["multiplierUp"],
                    filters["PERCENT_PRICE"]["multiplierDown"]) == ("1.0500", "0.9500")

    run(body)


@pytest.mark.parametrize(("path", "code"), [
    ("depth", -1102), ("depth?symbol=NOPE", -1121), ("depth?symbol=BTCUSDT&limit=7", -4021),
    ("trades?symbol=BTCUSDT&limit=1001", -1130), ("trades?symbol=BTCUSDT&limit=x", -1100),
    ("klines?symbol=BTCUSDT", -1102), ("klines?symbol=BTCUSDT&interval=2m", -1120),
    ("nothing", 404), ("ticker/price?symbol=btcusdt", -1121),
    ("aggTrades?symbol=BTCUSDT&symbol=BTCUSDT", -1101), ("ping?colour=red", -1104),
])
def test_what_is_wrong_with_a_question_is_said_in_the_venues_code(path: str, code: int) -> None:
    async def body() -> None:
        async with a_trader() as (trader, _):
            status, answer = await trader.venue.get("/fapi/v1/" + path)
            assert (status if code == 404 else answer["code"]) == code

    run(body)


def test_candles_sum_up_the_minutes_and_close_once() -> None:
    async def body() -> None:
        async with a_trader() as (trader, clock):
            client = await trader.venue.connect("/market/ws/btcusdt@kline_1m")
            await client.settle()
            clock.advance(60 - trader.face.now_ms() / 1000 % 60)
            for _ in range(6):
                trader.venue.step(1.0)
                trader.face.tick()
                clock.advance(30)
            trader.face.tick()
            rows = await get(trader, "klines?symbol=BTCUSDT&interval=1m")
            assert [row[0] for row in rows] == [rows[0][0] + 60_000 * n for n in range(4)]
            day = await get(trader, "ticker/24hr?symbol=BTCUSDT")
            assert sum(float(row[5]) for row in rows) == pytest.approx(float(day["volume"]))
            assert sum(row[8] for row in rows) == day["count"]
            assert max(float(row[2]) for row in rows) == float(day["highPrice"])
            assert rows[-1][1:6] == [day["lastPrice"]] * 4 + ["0.0000"]  # nothing traded since
            assert all(0 <= float(row[9]) <= float(row[5]) for row in rows)
            (hour,) = await get(trader, "klines?symbol=BTCUSDT&interval=1d&limit=1")
            assert hour[8] == day["count"]
            await client.settle()
            told = [frame["k"] for frame in client.take()]
            closed = [each for each in told if each["x"]]
            assert [[each["t"], each["o"], each["h"], each["l"], each["c"], each["v"]]
                    for each in closed] == [row[:6] for row in rows[:3]]
            assert set(told[0]) == set("tTsifLochlvnxqVQB")

    run(body)


def test_open_interest_is_what_is_held() -> None:
    async def body() -> None:
        async with a_trader() as (trader, _):
            await trader.order(side="SELL", type="MARKET", quantity="0.0300")
            held = await get(trader, "openInterest?symbol=BTCUSDT")
            assert held["openInterest"] == "0.0300"

    run(body)


def test_mark_prices_come_every_second_or_three_with_the_rate_that_will_be_charged() -> None:
    async def body() -> None:
        async with a_trader(BTC, ETH) as (trader, clock):
            client = await trader.venue.connect(
                "/market/stream?streams=btcusdt@markPrice/btcusdt@markPrice@1s/!markPrice@arr@1s")
            await client.settle()
            for _ in range(6):
                clock.advance(1)
                trader.face.tick()
            await client.settle()
            got = client.take()
            by_stream = {name: [each["data"] for each in got if each["stream"] == name]
                         for name in {each["stream"] for each in got}}
            assert {name: len(rows) for name, rows in by_stream.items()} == {
                "btcusdt@markPrice": 2, "btcusdt@markPrice@1s": 6, "!markPrice@arr@1s": 6}
            mark = by_stream["btcusdt@markPrice"][-1]
            assert set(mark) == {"e", "E", "s", "p", "i", "P", "r", "T"}
            premium = await get(trader, "premiumIndex?symbol=BTCUSDT")
            assert (mark["p"], mark["r"], mark["T"]) == (
                premium["markPrice"], premium["lastFundingRate"], premium["nextFundingTime"])
            assert [each["s"] for each in by_stream["!markPrice@arr@1s"][0]] == [
                "BTCUSDT", "ETHUSDT"]

    run(body)


def test_tickers_and_the_best_levels_are_streamed() -> None:
    async def body() -> None:
        async with a_trader() as (trader, clock):
            market = await trader.venue.connect(
                "/market/ws/btcusdt@ticker/btcusdt@miniTicker/btcusdt@forceOrder")
            books = await trader.venue.connect("/public/ws/btcusdt@depth5@100ms/!bookTicker")
            await market.settle()
            await books.settle()
            told = await frames(trader, books, 20.0)
            clock.advance(1)
            trader.face.tick()
            await market.settle()
            rows = {each["e"]: each for each in market.take()}
            day = await get(trader, "ticker/24hr?symbol=BTCUSDT")
            assert set(rows) == {"24hrTicker", "24hrMiniTicker"}
            assert (rows["24hrTicker"]["c"], rows["24hrTicker"]["v"], rows["24hrTicker"]["n"]) == (
                day["lastPrice"], day["volume"], day["count"])
            assert set(rows["24hrTicker"]) == set("eEspPwcQohlvqOCFLn")
            partial = [each for each in told if each["e"] == "depthUpdate"]
            assert all(len(each["b"]) == len(each["a"]) == 5 for each in partial)
            assert [each["pu"] for each in partial[1:]] == [each["u"] for each in partial[:-1]]
            bids, asks = trader.venue.truth("BTCUSDT")
            assert float(partial[-1]["b"][0][0]) == max(map(float, bids))
            quote = [each for each in told if each["e"] == "bookTicker"][-1]
            assert float(quote["a"]) == min(map(float, asks))

    run(body)


@pytest.mark.parametrize(("stream", "ms"), [
    ("depth", 250), ("depth@500ms", 500), ("depth@100ms", 100)])
def test_diffs_of_every_speed_link_up_to_the_same_book(stream: str, ms: int) -> None:
    async def body() -> None:
        async with a_trader() as (trader, clock):
            client = await trader.venue.connect(f"/public/ws/btcusdt@{stream}")
            await client.settle()
            trader.venue.step(1.0)
            _, snapshot = await trader.venue.get("/fapi/v1/depth?symbol=BTCUSDT&limit=1000")
            for _ in range(40):
                trader.venue.world.flow.step(100_000_000)  # type: ignore[union-attr]
                clock.advance(0.1)
            trader.venue.step(0.1)
            await client.settle()
            book, last = Book(), 0
            book.apply(snapshot["bids"], snapshot["asks"])
            diffs = [diff for diff in client.take() if diff["u"] >= snapshot["lastUpdateId"]]
            for diff in diffs:
                assert not last or diff["pu"] == last
                last = diff["u"]
                book.apply(diff["b"], diff["a"])
            assert book.both() == trader.venue.truth("BTCUSDT")
            gaps = [later["E"] - diff["E"] for diff, later in pairwise(diffs[:-1])]
            assert min(gaps) >= ms - 100 * (ms == 100)
            assert len(diffs) > 3000 / ms

    run(body)


@pytest.mark.parametrize(("path", "heard"), [
    ("/public", {"depthUpdate", "bookTicker", "trade"}),
    ("/market", {"aggTrade", "24hrTicker", "markPriceUpdate"}),
    ("", {"depthUpdate", "bookTicker", "trade", "aggTrade"}),
])
def test_each_path_has_its_own_streams_and_is_silent_on_others(
    path: str, heard: set[str]
) -> None:
    async def body() -> None:
        async with a_trader() as (trader, clock):
            client = await trader.venue.connect(path + "/stream")
            kinds = ("depth@100ms", "bookTicker", "trade", "aggTrade", "ticker", "markPrice@1s",
                     "depth@10ms", "dance")
            client.ask({"method": "SUBSCRIBE", "id": 1,
                        "params": [f"btcusdt@{kind}" for kind in kinds]})
            await client.settle()
            assert client.take() == [{"result": None, "id": 1}]
            trader.venue.step(20.0)
            clock.advance(1)
            trader.face.tick()
            await client.settle()
            assert {frame["data"]["e"] for frame in client.take()} == heard
            client.ask({"method": "LIST_SUBSCRIPTIONS", "id": 2})
            await client.settle()
            assert len(client.take()[-1]["result"]) == len(heard)

    run(body)


def test_more_than_ten_messages_a_second_cost_a_stream_its_connection() -> None:
    async def body() -> None:
        async with a_trader() as (trader, _):
            client = await trader.venue.connect("/public/ws")
            client.ask(*[{"method": "LIST_SUBSCRIPTIONS", "id": n} for n in range(30)])
            await client.closed.wait()
            assert len(client.frames) <= 20
            assert trader.venue.name == NAME

    run(body)
