"""Every venue's REST tells the latest prints and the day, in its own words."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import pytest

from ops.sim.face import BUY, Update
from ops.sim.listing import Line
from tests.ops.sim.wire import Venue, a_venue, run


class Said(NamedTuple):
    """One print in a venue's words: id, price, size, and whether the buyer took."""

    trade_id: int
    price: float
    size: float
    buys: bool


def binance(row: dict[str, Any]) -> Said:
    return Said(row["id"], float(row["price"]), float(row["qty"]), not row["isBuyerMaker"])


def okx(row: dict[str, Any]) -> Said:
    return Said(int(row["tradeId"]), float(row["px"]), float(row["sz"]), row["side"] == "buy")


def kraken(row: list[Any]) -> Said:
    return Said(row[6], float(row[0]), float(row[1]), row[3] == "b")


def coinbase(row: dict[str, Any]) -> Said:
    return Said(int(row["trade_id"]), float(row["price"]), float(row["size"]),
                row["side"] == "SELL")  # the maker's


class Dialect(NamedTuple):
    """Where a venue answers its prints, and how a row is read."""

    venue: str
    symbol: str
    path: str
    rows: Callable[[Any], list[Any]]
    read: Callable[[Any], Said]
    newest_first: bool


DIALECTS: Final = [
    Dialect("binance", "BTC/USDT", "/api/v3/trades?symbol=BTCUSDT&limit=", lambda a: a[:],
            binance, newest_first=False),
    Dialect("binance-usdm", "BTC/USDT:USDT", "/fapi/v1/trades?symbol=BTCUSDT&limit=",
            lambda a: a[:], binance, newest_first=False),
    Dialect("okx", "BTC/USDT", "/api/v5/market/trades?instId=BTC-USDT&limit=",
            lambda a: a["data"], okx, newest_first=True),
    Dialect("kraken", "BTC/USD", "/0/public/Trades?pair=XBTUSD&count=",
            lambda a: a["result"]["XXBTZUSD"], kraken, newest_first=False),
    Dialect("coinbase", "BTC/USD", "/api/v3/brokerage/market/products/BTC-USD/ticker?limit=",
            lambda a: a["trades"], coinbase, newest_first=True),
]


def overheard(venue: Venue) -> list[Said]:
    """Return the list that fills with the prints that the face is given."""
    face, said = venue.world.servers[venue.name].face, list[Said]()
    publish = face.update

    def hear(line: Line, update: Update) -> None:
        said.extend(
            Said(each.trade_id, float(line.price(each.price)), float(line.size(each.size)),
                 each.side == BUY) for each in update.prints)
        publish(line, update)

    face.update = hear  # type: ignore[method-assign]
    return said


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda each: each.path.partition("?")[0])
def test_the_latest_prints_are_those_that_were_published(dialect: Dialect) -> None:
    async def body() -> None:
        async with a_venue(dialect.venue, dialect.symbol) as venue:
            said = overheard(venue)
            venue.step(20.0)
            assert len(said) > 30
            status, answer = await venue.get(dialect.path + "25")
            found = [dialect.read(row) for row in dialect.rows(answer)]
            assert status == 200
            assert (found[::-1] if dialect.newest_first else found) == said[-25:]
            for limit in ("0", "x"):
                _, answer = await venue.get(dialect.path + limit)
                assert answer.get("code") or answer.get("error")

    run(body)


@pytest.mark.parametrize(("venue_name", "symbol", "path", "words"), [
    ("binance", "BTC/USDT", "/api/v3/ticker/24hr?symbol=BTCUSDT",
     ("highPrice", "lowPrice", "lastPrice", "volume", "quoteVolume")),
    ("binance-usdm", "BTC/USDT:USDT", "/fapi/v1/ticker/24hr?symbol=BTCUSDT",
     ("highPrice", "lowPrice", "lastPrice", "volume", "quoteVolume")),
    ("okx", "BTC/USDT", "/api/v5/market/ticker?instId=BTC-USDT",
     ("high24h", "low24h", "last", "vol24h", "volCcy24h")),
])
def test_the_day_is_the_sum_of_the_prints(
    venue_name: str, symbol: str, path: str, words: tuple[str, ...]
) -> None:
    async def body() -> None:
        async with a_venue(venue_name, symbol) as venue:
            said = overheard(venue)
            _, before = await venue.get(path)
            venue.step(20.0)
            _, after = await venue.get(path)
            rows = [row["data"][0] if "data" in row else row for row in (before, after)]
            first, then = ({word: float(row[word]) for word in words} for row in rows)
            high, low, last, volume, turnover = words
            assert then[high] == max(first[high], *(each.price for each in said))
            assert then[low] == min(first[low], *(each.price for each in said))
            assert then[last] == said[-1].price
            assert then[volume] - first[volume] == pytest.approx(sum(each.size for each in said))
            assert then[turnover] - first[turnover] == pytest.approx(
                sum(each.size * each.price for each in said))

    run(body)


def test_binance_tells_one_ticker_or_all_and_streams_them_every_second() -> None:
    async def body() -> None:
        async with a_venue("binance", "BTC/USDT", "ETH/USDT") as venue:
            for kind in ("24hr", "price", "bookTicker"):
                _, every = await venue.get(f"/api/v3/ticker/{kind}")
                assert [row["symbol"] for row in every] == ["BTCUSDT", "ETHUSDT"]
                _, one = await venue.get(f"/api/v3/ticker/{kind}?symbol=BTCUSDT")
                assert one.keys() == every[0].keys()
            client = await venue.connect()
            client.ask({"method": "SUBSCRIBE", "id": 1,
                        "params": ["btcusdt@ticker", "ethusdt@miniTicker"]})
            await client.settle()
            for _ in range(10):
                venue.world.servers["binance"].face.tick()
            await client.settle()
            _, *events = client.take()
            whole, mini = events[0], next(e for e in events if "mini" in e["stream"])
            assert (whole["data"]["e"], whole["data"]["s"]) == ("24hrTicker", "BTCUSDT")
            assert (mini["data"]["e"], mini["data"]["s"]) == ("24hrMiniTicker", "ETHUSDT")
            assert set(mini["data"]) == set("eEscohlvq")
            assert set(whole["data"]) == set("eEspPwxcQbBaAohlvqOCFLn")

    run(body)


def test_okx_lists_no_derivatives_and_keeps_the_book_at_400_levels() -> None:
    async def body() -> None:
        async with a_venue("okx", "BTC/USDT") as venue:
            for kind in ("SWAP", "FUTURES", "OPTION", "MARGIN"):
                status, answer = await venue.get(f"/api/v5/public/instruments?instType={kind}")
                assert (status, answer["data"]) == (200, [])
            status, answer = await venue.get("/api/v5/public/instruments?instType=NO")
            assert answer["code"] == "51000"
            line = venue.world.servers["okx"].line("BTC/USDT")
            assert line is not None
            client = await venue.connect()
            client.ask({"op": "subscribe", "args": [
                {"channel": "books", "instId": "BTC-USDT"}]})
            held: dict[str, dict[str, str]] = {"bids": {}, "asks": {}}
            deepest = 0
            for _ in range(150):
                venue.step(2.0)
                await client.settle()
                for frame in client.take():
                    for side in held.keys() if "action" in frame else ():
                        for price, size, *_ in frame["data"][0][side]:
                            held[side][price] = size
                            if size == "0":
                                del held[side][price]
                truth = venue.world.truth("okx", "BTC/USDT")
                assert truth is not None
                assert held["bids"] == dict(truth.bids[:400])
                assert held["asks"] == dict(truth.asks[:400])
                deepest = max(deepest, len(truth.bids), len(truth.asks))
            assert deepest > 400

    run(body)


def test_coinbases_old_app_answers_beside_advanced_trade() -> None:
    async def body() -> None:
        async with a_venue("coinbase", "BTC/USD", "ETH/USD") as venue:
            _, fiat = await venue.get("/v2/currencies")
            _, crypto = await venue.get("/v2/currencies/crypto")
            _, rates = await venue.get("/v2/exchange-rates")
            _, now = await venue.get("/v2/time")
            assert [row["id"] for row in fiat["data"]] == ["USD"]
            assert [row["code"] for row in crypto["data"]] == ["BTC", "ETH"]
            assert set(rates["data"]["rates"]) == {"USD", "BTC", "ETH"}
            assert now["data"]["epoch"] > 1_700_000_000

    run(body)


def test_kraken_names_assets_and_answers_by_its_long_keys() -> None:
    async def body() -> None:
        async with a_venue("kraken", "BTC/USD", "ETH/BTC", "BTC/USDT", "DOGE/USD") as venue:
            _, answer = await venue.get("/0/public/AssetPairs")
            assert {key: row["altname"] for key, row in answer["result"].items()} == {
                "XXBTZUSD": "XBTUSD", "XETHXXBT": "ETHXBT", "XBTUSDT": "XBTUSDT",
                "XDGUSD": "XDGUSD"}
            _, answer = await venue.get("/0/public/Assets")
            assert set(answer["result"]) == {"XXBT", "XETH", "ZUSD", "USDT", "XXDG"}
            for name in ("XXBTZUSD", "XBTUSD", "XBT/USD", "BTC/USD"):
                _, answer = await venue.get(f"/0/public/Ticker?pair={name}")
                assert list(answer["result"]) == ["XXBTZUSD"]

    run(body)
