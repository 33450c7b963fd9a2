"""ccxt over REST: markets, time, books, prints and tickers equal the simulator's truth."""

import itertools
import time
from decimal import Decimal
from typing import Any

import pytest

from engine.model.quanta import from_quanta
from ops.sim.rules import MONEY_DECIMALS
from tests.clients.proofs import VENUES, proves
from tests.clients.stage import Stage, Trade, a_stage, run, same_book


def number(text: str) -> float:
    return float(Decimal(text))


def check_market(stage: Stage, symbol: str, market: dict[str, Any]) -> None:
    """Compare the steps and minima that the client read with those that orders are held to."""
    line, floor = stage.line(symbol), stage.world.servers[stage.name].face.floor
    filters, listed = floor.filters(line.native), floor.exchange.listed[line.native].symbol
    assert market["precision"]["price"] == number(line.tick)
    assert market["precision"]["amount"] == number(line.lot)
    assert market["limits"]["amount"]["min"] == number(
        from_quanta(filters.size_min, listed.size_decimals))
    if filters.notional_min:
        assert market["limits"]["cost"]["min"] == number(
            from_quanta(filters.notional_min, MONEY_DECIMALS))
    assert market["active"]
    assert market["swap"] == (stage.name == "binance-usdm")


@proves("ccxt", {
    "fetch_time": "within 2 s of this machine's clock",
    "fetch_markets": "symbols, tick, lot, smallest size and notional that orders are held to",
    "fetch_order_book": "every level asked for",
    "fetch_trades": "ids, takers, prices and sizes of all prints",
    "fetch_ticker": "best prices, last, high, low, volume of the day",
}, *VENUES)
def test_what_is_asked_over_rest_is_the_truth(venue: str) -> None:
    async def body() -> None:
        async with a_stage(venue) as stage:
            client, symbol = stage.client, stage.symbols[0]
            assert abs(await client.fetch_time() - time.time() * 1000) < 2000
            await client.load_markets()
            for each in stage.symbols:
                check_market(stage, each, client.markets[each])
            while len(stage.witness.trades[symbol]) < 50:
                stage.venue.step(1.0)
            assert same_book(await client.fetch_order_book(symbol, 100), stage.book(symbol, 100))
            check_trades(stage, symbol, await client.fetch_trades(symbol))
            check_ticker(stage, symbol, await client.fetch_ticker(symbol))

    run(body)


def check_trades(stage: Stage, symbol: str, trades: list[dict[str, Any]]) -> None:
    """Compare the client's list with the prints since the start; one more was before."""
    truth = {int(key): taker_or_maker(stage.name, trade)
             for key, trade in stage.witness.trades[symbol].items()}
    told = 0
    for each in trades:
        first, last = ids_of(each)
        if first < min(truth):
            continue
        prints = [truth[number] for number in range(first, last + 1) if number in truth]
        assert {(trade.side, trade.price) for trade in prints} == {(each["side"], each["price"])}
        assert sum(trade.size for trade in prints) == pytest.approx(each["amount"], abs=1e-9)
        told += len(prints)
    assert told == len(truth) or (len(trades) >= 100 and told >= 100)  # as many as it asks for


def ids_of(trade: dict[str, Any]) -> tuple[int, int]:
    """Return the first and last print of a row: Binance's are sums of a taker's at one price."""
    info = trade["info"]
    if isinstance(info, dict) and "f" in info:
        return int(info["f"]), int(info["l"])
    return int(trade["id"]), int(trade["id"])


def taker_or_maker(venue: str, trade: Trade) -> Trade:
    """Name the side as ccxt does: Coinbase's, which is the maker's, it passes on as it is."""
    if venue != "coinbase":
        return trade
    return trade._replace(side="sell" if trade.side == "buy" else "buy")


def check_ticker(stage: Stage, symbol: str, ticker: dict[str, Any]) -> None:
    book, trades = stage.book(symbol, 1), list(stage.witness.trades[symbol].values())
    assert ticker["last"] == trades[-1].price
    prices, volume = [each.price for each in trades], sum(each.size for each in trades)
    if ticker["high"] is not None:  # Coinbase's answer has no day
        assert ticker["high"] >= max(prices)
        assert ticker["low"] <= min(prices)
        assert -1e-9 < ticker["baseVolume"] - volume < 2  # the trade before we opened
    if stage.name != "binance-usdm":  # the venue's 24hr ticker has no quote there
        assert ticker["bid"] == book["bids"][0][0]
        assert ticker["ask"] == book["asks"][0][0]


@proves("ccxt", {
    "fetch_funding_rate": "mark price near the book's, next settlement ahead, rate as streamed",
    "fetch_funding_rate_history": "settlements of the past, eight hours apart",
}, "binance-usdm")
def test_funding_is_told(venue: str) -> None:
    async def body() -> None:
        async with a_stage(venue) as stage:
            client, symbol = stage.client, stage.symbols[0]
            stage.venue.step(2.0)
            rate = await client.fetch_funding_rate(symbol)
            best = stage.book(symbol, 1)
            assert rate["markPrice"] == pytest.approx(best["bids"][0][0], rel=1e-3)
            assert abs(rate["fundingRate"]) < 0.01
            assert 0 < rate["fundingTimestamp"] - time.time() * 1000 <= 8 * 3_600_000
            history = await client.fetch_funding_rate_history(symbol)
            times = [each["timestamp"] for each in history]
            assert len(times) == 100  # as many as the venue gives unasked
            assert 0 < time.time() * 1000 - times[-1] <= 8 * 3_600_000
            assert times == sorted(times)
            assert all(later - earlier == 8 * 3_600_000
                       for earlier, later in itertools.pairwise(times))

    run(body)
