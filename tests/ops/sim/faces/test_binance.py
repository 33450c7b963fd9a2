"""The Binance face against a plain replayer that follows the venue's own algorithm."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from tests.ops.sim.faces.binance_client import a_trader
from tests.ops.sim.wire import Book, Client, Venue, a_venue, plain, run


def streams(*names: str) -> dict[str, Any]:
    return {"method": "SUBSCRIBE", "params": list(names), "id": 1}


def splice(diffs: Sequence[dict[str, Any]], snapshot: dict[str, Any], *, perpetual: bool) -> Book:
    """Do steps 3 to 5 of the venue's page on managing a local book."""
    book, last = Book(), snapshot["lastUpdateId"]
    book.apply(snapshot["bids"], snapshot["asks"])
    kept = [diff for diff in diffs if diff["u"] >= last + (not perpetual)]
    for number, diff in enumerate(kept):
        if number:
            assert (diff["pu"] if perpetual else diff["U"] - 1) == last
        else:
            assert diff["U"] <= snapshot["lastUpdateId"] + (not perpetual) <= diff["u"]
        book.apply(diff["b"], diff["a"])
        last = diff["u"]
    return book


async def follow(venue: Venue, client: Client, symbol: str, path: str) -> tuple[list[Any], Book]:
    """Take diffs before, while and after a snapshot is taken; splice them."""
    perpetual = venue.name == "binance-usdm"
    client.ask(streams(f"{symbol.lower()}@depth@100ms"))
    await client.settle()
    venue.step(2.0)
    _, snapshot = await venue.get(path)
    for _ in range(10):
        venue.step(2.0)
    await client.settle()
    diffs = [frame["data"] for frame in client.take() if "data" in frame]
    return diffs, splice(diffs, snapshot, perpetual=perpetual)


@pytest.mark.parametrize(("name", "symbol", "prefix"), [
    ("binance", "BTC/USDT", "/api/v3"),
    ("binance-us", "BTC/USDT", "/api/v3"),
    ("binance-usdm", "BTC/USDT:USDT", "/fapi/v1"),
])
def test_a_spliced_book_equals_the_truth_after_hundreds_of_diffs(
    name: str, symbol: str, prefix: str
) -> None:
    async def body() -> None:
        async with a_venue(name, symbol, "ETH/USDT" + symbol[8:]) as venue:
            client = await venue.connect()
            path = f"{prefix}/depth?symbol=BTCUSDT&limit=1000"
            diffs, book = await follow(venue, client, "BTCUSDT", path)
            assert len(diffs) > 300
            assert book.both() == venue.truth(symbol)
            truth = venue.world.truth(name, symbol)
            assert truth is not None
            assert diffs[-1]["u"] == truth.last_id

    run(body)


def test_a_snapshot_between_two_diffs_holds_what_no_diff_has_carried_yet() -> None:
    async def body() -> None:
        async with a_venue("binance", "BTC/USDT") as venue:
            client = await venue.connect()
            client.ask(streams("btcusdt@depth"))
            await client.settle()
            line = venue.world.servers["binance"].line("BTCUSDT")
            assert line is not None
            while True:  # until changes wait for the next diff
                venue.world.flow.step(1_000_000)  # type: ignore[union-attr]
                if line.last_id > 50_000_000_000 and line.last_id != venue_sent(venue):
                    break
            _, snapshot = await venue.get("/api/v3/depth?symbol=BTCUSDT&limit=1000")
            venue.step(3.0)
            await client.settle()
            diffs = [frame["data"] for frame in client.take() if "data" in frame]
            inside = [d for d in diffs if d["U"] <= snapshot["lastUpdateId"] < d["u"]]
            assert inside
            assert splice(diffs, snapshot, perpetual=False).both() == venue.truth("BTCUSDT")

    run(body)


def venue_sent(venue: Venue) -> int:
    face = venue.world.servers["binance"].face
    return int(face._state["BTCUSDT"].sent_id)  # type: ignore[attr-defined]  # noqa: SLF001


def test_quotes_run_ahead_of_diffs_and_name_the_touch_at_their_id() -> None:
    async def body() -> None:
        async with a_venue("binance", "BTC/USDT") as venue:
            client = await venue.connect("/stream?streams=btcusdt@bookTicker/btcusdt@depth@100ms")
            await client.settle()
            _, snapshot = await venue.get("/api/v3/depth?symbol=BTCUSDT&limit=5000")
            book, last, checked, ahead = Book(), snapshot["lastUpdateId"], 0, 0
            book.apply(snapshot["bids"], snapshot["asks"])
            venue.step(30.0)
            await client.settle()
            quote: dict[str, Any] = {}
            for frame in client.take():
                if frame["stream"].endswith("bookTicker"):
                    quote = frame["data"]
                    ahead += quote["u"] > last
                    continue
                diff = frame["data"]
                book.apply(diff["b"], diff["a"])
                last = diff["u"]
                if quote.get("u") == last:
                    checked += 1
                    assert max(map(float, book.bids)) == float(quote["b"])
                    assert min(map(float, book.asks)) == float(quote["a"])
            assert checked > 50
            assert ahead > 50

    run(body)


def test_prints_lie_at_the_touch_and_m_tells_the_taker() -> None:
    async def body() -> None:
        async with a_venue("binance", "BTC/USDT") as venue:
            client = await venue.connect("/ws/btcusdt@trade/btcusdt@aggTrade")
            await client.settle()
            venue.step(20.0)
            await client.settle()
            frames = client.take()
            trades = [frame for frame in frames if frame["e"] == "trade"]
            assert len(trades) > 20
            assert [t["t"] for t in trades] == list(range(trades[0]["t"], trades[-1]["t"] + 1))
            assert {t["m"] for t in trades} == {True, False}
            sums = [frame for frame in frames if frame["e"] == "aggTrade"]
            assert [s["a"] for s in sums] == list(range(sums[0]["a"], sums[0]["a"] + len(sums)))
            covered = [t for s in sums for t in range(s["f"], s["l"] + 1)]
            assert covered == [t["t"] for t in trades]

    run(body)


def test_raw_paths_bring_bare_events_and_combined_ones_name_the_stream() -> None:
    async def body() -> None:
        async with a_venue("binance", "BTC/USDT") as venue:
            raw = await venue.connect("/ws/btcusdt@depth@100ms")
            combined = await venue.connect("/stream?streams=btcusdt@depth@100ms")
            await raw.settle()
            await combined.settle()
            venue.step(1.0)
            await raw.settle()
            await combined.settle()
            events, wrapped = raw.take(), combined.take()
            assert events[0]["e"] == "depthUpdate"
            assert wrapped == [{"stream": "btcusdt@depth@100ms", "data": e} for e in events]

    run(body)


@pytest.mark.parametrize(("request_text", "answer"), [
    (b'{"method":"SUBSCRIBE","params":["nobody@depth","BTCUSDT@depth"],"id":7}',
     {"result": None, "id": 7}),
    (b'{"method":"LIST_SUBSCRIPTIONS","id":"x"}', {"result": [], "id": "x"}),
    (b"not json", {"code": 3}),
    (b"[1]", {"code": 3}),
    (b'{"method":"ORDER","id":1}', {"code": 2, "id": 1}),
    (b'{"method":"SUBSCRIBE","params":"btcusdt@depth","id":1}', {"code": 2, "id": 1}),
    (b"\xff\xfe", {"code": 3}),
])
def test_requests_get_the_documented_answer(request_text: bytes, answer: dict[str, Any]) -> None:
    async def body() -> None:
        async with a_venue("binance", "BTC/USDT") as venue:
            client = await venue.connect()
            client.ask(request_text)
            await client.settle()
            (got,) = client.take()
            assert got.items() >= answer.items()
            venue.step(1.0)  # an unknown or upper-case stream stays silent
            await client.settle()
            assert not client.frames

    run(body)


def test_too_many_requests_in_a_second_cost_the_connection() -> None:
    async def body() -> None:
        async with a_venue("binance", "BTC/USDT") as venue:
            client = await venue.connect()
            client.ask(*[{"method": "LIST_SUBSCRIPTIONS", "id": n} for n in range(20)])
            await client.closed.wait()
            assert len(client.frames) <= 10  # five a second, and a second may turn in between

    run(body)


def test_usdm_splits_books_and_prints_over_two_paths() -> None:
    async def body() -> None:
        async with a_venue("binance-usdm", "BTC/USDT:USDT") as venue:
            kinds = "btcusdt@depth@100ms", "btcusdt@bookTicker", "btcusdt@aggTrade"
            seen = {}
            for path in ("/public/stream", "/market/stream", "/stream"):
                client = await venue.connect(path)
                client.ask(streams(*kinds))
                await client.settle()
                seen[path] = client
            venue.step(20.0)
            events = {}
            for path, client in seen.items():
                await client.settle()
                events[path] = {frame["data"]["e"] for frame in client.take() if "data" in frame}
            assert events["/public/stream"] == {"depthUpdate", "bookTicker"}
            assert events["/market/stream"] == {"aggTrade"}
            assert events["/stream"] == {"depthUpdate", "bookTicker", "aggTrade"}

    run(body)


def test_rest_refuses_in_the_venues_words() -> None:
    async def body() -> None:
        async with a_venue("binance", "BTC/USDT") as venue:
            for path, code in (
                ("/depth", -1102), ("/depth?symbol=NOPE", -1121),
                ("/exchangeInfo?symbol=NOPE", -1121),
                ("/depth?symbol=BTCUSDT&limit=many", -1100),
                ("/depth?symbol=BTCUSDT&limit=0", -1130),
                ("/depth?symbol=BTCUSDT&depth=5", -1104),
                ("/exchangeInfo?symbols=BTCUSDT", -1100),
            ):
                status, answer = await venue.get("/api/v3" + path)
                assert (status, answer["code"]) == (400, code), path
            assert (await venue.get("/nowhere"))[0] == 404
            _, times = await venue.get("/api/v3/time")
            assert abs(times["serverTime"] - venue.world.servers["binance"].face.now_ms()) < 60_000

    run(body)


def test_the_catalogue_names_tick_and_lot_of_every_number_sent() -> None:
    async def body() -> None:
        async with a_venue("binance", "BTC/USDT", "ETH/BTC") as venue:
            names = json.dumps(["BTCUSDT", "ETHBTC"], separators=(",", ":"))
            _, answer = await venue.get(f"/api/v3/exchangeInfo?symbols={names}")
            for row in answer["symbols"]:
                filters = {each["filterType"]: each for each in row["filters"]}
                tick = float(filters["PRICE_FILTER"]["tickSize"])
                _, book = await venue.get(f"/api/v3/depth?symbol={row['symbol']}")
                for price, _ in book["bids"]:
                    assert abs(float(price) / tick - round(float(price) / tick)) < 1e-6

    run(body)


def test_slow_diffs_and_whole_tops_of_the_book_equal_the_truth() -> None:
    async def body() -> None:
        async with a_venue("binance", "BTC/USDT") as venue:
            slow = await venue.connect("/ws/btcusdt@depth")
            fast = await venue.connect("/ws/btcusdt@depth@100ms")
            tops = await venue.connect("/ws/btcusdt@depth5/btcusdt@depth20@100ms")
            for client in (slow, fast, tops):
                await client.settle()
            _, snapshot = await venue.get("/api/v3/depth?symbol=BTCUSDT&limit=5000")
            for _ in range(6):
                venue.step(5.0)
            for client in (slow, fast, tops):
                await client.settle()
            diffs, many, books = slow.take(), fast.take(), tops.take()
            assert 4 * len(diffs) < len(many)
            assert splice(diffs, snapshot, perpetual=False).both() == venue.truth("BTCUSDT")
            bids, asks = venue.truth("BTCUSDT")
            for levels in (5, 20):
                last = [each for each in books if len(each["bids"]) == levels][-1]
                assert last.keys() == {"lastUpdateId", "bids", "asks"}
                assert [plain(price) for price, _ in last["bids"]] == sorted(
                    bids, key=float, reverse=True)[:levels]
                assert [plain(price) for price, _ in last["asks"]] == sorted(
                    asks, key=float)[:levels]

    run(body)


def test_streams_stamp_in_microseconds_where_the_url_says_so() -> None:
    async def body() -> None:
        async with a_venue("binance", "BTC/USDT") as venue:
            names = "streams=btcusdt@trade/btcusdt@depth@100ms"
            client = await venue.connect(f"/stream?timeUnit=MICROSECOND&{names}")
            await client.settle()
            venue.step(10.0)
            await client.settle()
            frames = client.take()
            assert {frame["stream"] for frame in frames} == {
                "btcusdt@trade", "btcusdt@depth@100ms"}
            stamps = [frame["data"][name] for frame in frames for name in "ET"
                      if name in frame["data"]]
            assert {len(str(stamp)) for stamp in stamps} == {16}

    run(body)


def test_a_venue_that_goes_down_says_so_on_every_connection() -> None:
    async def body() -> None:
        async with a_venue("binance", "BTC/USDT") as venue:
            clients = [await venue.connect(path) for path in ("/ws", "/stream", "/ws-api/v3")]
            for client in clients:
                await client.settle()
            clients[0].ask({"method": "LIST_SUBSCRIPTIONS", "id": 1})
            await clients[0].settle()
            assert clients[0].take() == [{"result": [], "id": 1}]
            await venue.call("POST", "/fault", {"venue": "binance", "kind": "maintenance"})
            for client in clients:
                await client.closed.wait()
            raw, combined, wrapped = [client.take()[-1] for client in clients]
            assert raw["e"] == "serverShutdown"
            assert combined == {"stream": "!serverShutdown", "data": raw}
            assert wrapped == {"event": raw}
            status, answer = await venue.get("/api/v3/ping")
            assert (status, answer["code"]) == (503, -1016)

    run(body)


def test_a_connection_ends_after_a_day_and_after_too_many_streams_or_attempts() -> None:
    async def body() -> None:
        async with a_venue("binance", "BTC/USDT") as venue:
            server = venue.world.servers["binance"]
            floor = server.face.floor
            old = await venue.connect("/ws/btcusdt@trade")
            now_ns = floor.mono_ns()
            floor.mono_ns = lambda: now_ns + 86_401 * 10**9  # type: ignore[method-assign]
            server.beat(1)
            await old.closed.wait()
            for _ in range(300):
                client = await venue.connect("/ws-api/v3")
                client.transport.disconnect()
            refused = await venue.connect("/ws")
            await refused.closed.wait()

    run(body)


@pytest.mark.parametrize(("fault", "status", "code"), [
    ({"kind": "http_429"}, 429, -1003), ({"kind": "http_418", "ms": 5000}, 418, -1003),
    ({"kind": "http_500"}, 500, -1001),
])
def test_faults_speak_as_the_venue_does(
    fault: dict[str, Any], status: int, code: int
) -> None:
    async def body() -> None:
        async with a_venue("binance", "BTC/USDT") as venue:
            await venue.call("POST", "/fault", {"venue": "binance", "count": 1} | fault)
            got, answer = await venue.get("/api/v3/time")
            assert (got, answer["code"]) == (status, code)
            assert ("IP banned until" in answer["msg"]) == (status == 418)

    run(body)


def test_each_symbols_trades_are_numbered_without_holes_clients_trades_too() -> None:
    async def body() -> None:
        async with a_trader("binance", "BTC/USDT", "ETH/USDT") as trader:
            venue = trader.venue
            symbols = ("btcusdt", "ethusdt")
            client = await venue.connect(
                "/stream?streams=" + "/".join(f"{symbol}@trade" for symbol in symbols))
            await client.settle()
            for _ in range(5):
                venue.step(4.0)
                for symbol in symbols:
                    filled = await trader.order(
                        symbol.upper(), side="BUY", type="MARKET", quantity="0.05")
                    assert filled.body["status"] == "FILLED"
            await client.settle()
            frames = [frame["data"] for frame in client.take()]
            for symbol in symbols:
                ids = [each["t"] for each in frames if each["s"] == symbol.upper()]
                assert len(ids) > 20
                assert ids == list(range(ids[0], ids[0] + len(ids)))
                mine = (await trader.ask("GET", "/myTrades", symbol=symbol.upper())).body
                assert len(mine) >= 5
                assert {each["id"] for each in mine} <= set(ids)
                last = await trader.ask(
                    "GET", "/myTrades", symbol=symbol.upper(), fromId=mine[-2]["id"])
                assert [each["id"] for each in last.body] == [each["id"] for each in mine[-2:]]

    run(body)


def test_small_tickers_come_by_rest_and_for_all_symbols_on_one_stream() -> None:
    async def body() -> None:
        async with a_venue("binance", "BTC/USDT", "ETH/USDT") as venue:
            client = await venue.connect("/ws/!miniTicker@arr")
            venue.step(5.0)
            _, mini = await venue.get("/api/v3/ticker/24hr?type=MINI&symbol=BTCUSDT")
            assert mini.keys() == {
                "symbol", "openPrice", "highPrice", "lowPrice", "lastPrice", "volume",
                "quoteVolume", "openTime", "closeTime", "firstId", "lastId", "count"}
            _, wrong = await venue.get("/api/v3/ticker/24hr?type=TINY")
            assert wrong == {"code": -1139, "msg": "Invalid ticker type."}
            for _ in range(10):
                venue.world.servers["binance"].tick()
            await client.settle()
            rows = client.take()[-1]
            assert [(row["e"], row["s"]) for row in rows] == [
                ("24hrMiniTicker", "BTCUSDT"), ("24hrMiniTicker", "ETHUSDT")]
            assert rows[0]["c"] == mini["lastPrice"]

    run(body)
