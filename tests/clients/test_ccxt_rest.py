"""ccxt over REST: markets, time, books, prints and tickers equal the simulator's truth."""

import time
from decimal import Decimal
from typing import Any

from tests.clients.proofs import VENUES, proves
from tests.clients.stage import Stage, Trade, a_stage, run, same_book


def number(text: str) -> float:
    return float(Decimal(text))


def check_market(stage: Stage, symbol: str, market: dict[str, Any]) -> None:
    """Compare the steps that the client read with those of the line."""
    line = stage.line(symbol)
    assert market["precision"]["price"] == number(line.tick)
    assert market["precision"]["amount"] == number(line.lot)
    assert market["active"]
    assert market["swap"] == (stage.name == "binance-usdm")


@proves("ccxt", {
    "fetch_time": "within 2 s of this machine's clock",
    "fetch_markets": "symbols, ticks and lots",
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
            stage.venue.step(10.0)
            assert len(stage.witness.trades[symbol]) > 50
            assert same_book(await client.fetch_order_book(symbol, 100), stage.book(symbol, 100))
            check_trades(stage, symbol, await client.fetch_trades(symbol))
            check_ticker(stage, symbol, await client.fetch_ticker(symbol))

    run(body)


def check_trades(stage: Stage, symbol: str, trades: list[dict[str, Any]]) -> None:
    """Compare the client's list with the prints since the start; one more was before."""
    found = {each["id"]: Trade(each["side"], each["price"], each["amount"]) for each in trades}
    expected = {key: taker_or_maker(stage.name, trade)
                for key, trade in stage.witness.trades[symbol].items()}
    newest = list(expected)[-len(trades):]
    assert len(newest) >= 50
    assert {key: found[key] for key in newest} == {key: expected[key] for key in newest}


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
        assert volume <= ticker["baseVolume"] <= volume + 2  # the trade before we opened
    if stage.name != "binance-usdm":  # the venue's 24hr ticker has no quote there
        assert ticker["bid"] == book["bids"][0][0]
        assert ticker["ask"] == book["asks"][0][0]
