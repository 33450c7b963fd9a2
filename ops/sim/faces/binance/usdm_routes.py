"""What USD-M serves where, for which weight, to whom.

Source: developers.binance.com/docs/derivatives/usds-margined-futures, read 2026-11-21.
"""

from collections.abc import Callable, Mapping

from ops.sim.faces.binance.door import Ask, Route, Security
from ops.sim.faces.binance.usdm_account import Accounts
from ops.sim.faces.binance.usdm_config import Config
from ops.sim.faces.binance.usdm_history import History
from ops.sim.faces.binance.usdm_keys import Keys
from ops.sim.faces.binance.usdm_klines import Klines, klines_weight
from ops.sim.faces.binance.usdm_market import Market, depth_weight
from ops.sim.faces.binance.usdm_trade import Trading

Depth = Callable[[Ask], object]


def _or_all(one: int, everything: int) -> Callable[[Mapping[str, str]], int]:
    """Return the weight of a request that may name a symbol or mean all."""
    return lambda values: one if values.get("symbol") else everything


def routes_of(
    trading: Trading, history: History, accounts: Accounts, config: Config, keys: Keys,
    market: Market, klines: Klines, depth: Depth,
) -> dict[str, Route]:
    """Return all REST routes."""
    streams = {
        f"{verb} /fapi/v1/listenKey": Route(serve, 1, Security.KEY)
        for verb, serve in (("POST", keys.start), ("PUT", keys.keep), ("DELETE", keys.close))}
    return streams | _public(market, klines, depth) | _trade(trading, history) | _account(
        accounts, config, history)


def _public(market: Market, klines: Klines, depth: Depth) -> dict[str, Route]:
    routes = {
        "ping": Route(market.ping), "time": Route(market.time),
        "exchangeInfo": Route(market.catalogue), "depth": Route(depth, depth_weight),
        "klines": Route(klines.rows, klines_weight), "trades": Route(market.trades, 5),
        "historicalTrades": Route(market.old_trades, 20, Security.KEY),
        "aggTrades": Route(market.aggregates, 20),
        "ticker/24hr": Route(market.tickers, _or_all(1, 40)),
        "ticker/price": Route(market.prices, _or_all(1, 2)),
        "ticker/bookTicker": Route(market.quotes, _or_all(2, 5)),
        "premiumIndex": Route(market.premiums, _or_all(1, 10)),
        "fundingRate": Route(market.fundings), "fundingInfo": Route(market.funding_intervals),
        "openInterest": Route(market.open_interest),
    }
    found = {f"GET /fapi/v1/{name}": route for name, route in routes.items()}
    return found | {"GET /fapi/v2/ticker/price": routes["ticker/price"]}


def _trade(trading: Trading, history: History) -> dict[str, Route]:
    signed = Security.SIGNED

    def entry(serve: Callable[[Ask], object], weight: int = 1) -> Route:
        return Route(serve, weight, signed, entry=True, counts=True)

    routes = {
        "POST order": entry(trading.place, 0), "PUT order": entry(trading.modify, 0),
        "DELETE order": Route(trading.cancel, 1, signed, entry=True),
        "POST order/test": Route(trading.test, 1, signed),
        "POST batchOrders": entry(trading.place_batch, 5),
        "PUT batchOrders": entry(trading.modify_batch, 5),
        "DELETE batchOrders": Route(trading.cancel_batch, 1, signed, entry=True),
        "DELETE allOpenOrders": Route(trading.cancel_all, 1, signed, entry=True),
        "POST countdownCancelAll": Route(trading.countdown, 10, signed),
        "GET order": Route(trading.query, 1, signed),
        "GET openOrder": Route(trading.open_order, 1, signed),
        "GET openOrders": Route(trading.open_orders, _or_all(1, 40), signed),
        "GET allOrders": Route(history.orders, 5, signed),
        "GET userTrades": Route(history.fills, 5, signed),
    }
    return {f"{verb} /fapi/v1/{name}": route
            for (verb, name), route in zip(map(str.split, routes), routes.values(), strict=True)}


def _account(accounts: Accounts, config: Config, history: History) -> dict[str, Route]:
    signed = Security.SIGNED
    routes = {
        "GET /fapi/v2/account": Route(accounts.account_v2, 5, signed),
        "GET /fapi/v3/account": Route(accounts.account_v3, 5, signed),
        "GET /fapi/v2/balance": Route(accounts.balance, 5, signed),
        "GET /fapi/v3/balance": Route(accounts.balance, 5, signed),
        "GET /fapi/v2/positionRisk": Route(accounts.risk_v2, 5, signed),
        "GET /fapi/v3/positionRisk": Route(accounts.risk_v3, 5, signed),
    }
    settings = {
        "POST leverage": Route(config.set_leverage, 1, signed),
        "POST marginType": Route(config.set_margin_type, 1, signed),
        "GET positionSide/dual": Route(config.position_mode, 30, signed),
        "POST positionSide/dual": Route(config.set_position_mode, 1, signed),
        "GET multiAssetsMargin": Route(config.asset_mode, 30, signed),
        "POST multiAssetsMargin": Route(config.set_asset_mode, 1, signed),
        "GET commissionRate": Route(config.commission, 20, signed),
        "GET accountConfig": Route(config.account_config, 5, signed),
        "GET symbolConfig": Route(config.symbol_config, 5, signed),
        "GET leverageBracket": Route(config.brackets, 1, signed),
        "GET rateLimit/order": Route(config.order_limits, 1, signed),
        "GET income": Route(history.incomes, 30, signed),
    }
    for name, route in settings.items():
        verb, _, tail = name.partition(" ")
        routes[f"{verb} /fapi/v1/{tail}"] = route
    return routes


def methods_of(
    trading: Trading, _history: History, accounts: Accounts, _config: Config, keys: Keys,
    market: Market, depth: Depth,
) -> dict[str, Route]:
    """Return all methods of the WebSocket API."""
    key, signed = Security.KEY, Security.SIGNED
    return {
        "order.place": Route(trading.place, 0, signed, entry=True, counts=True),
        "order.modify": Route(trading.modify, 0, signed, entry=True, counts=True),
        "order.cancel": Route(trading.cancel, 1, signed, entry=True),
        "order.status": Route(trading.query, 1, signed),
        "account.balance": Route(accounts.balance, 5, signed),
        "v2/account.balance": Route(accounts.balance, 5, signed),
        "account.status": Route(accounts.account_v2, 5, signed),
        "v2/account.status": Route(accounts.account_v3, 5, signed),
        "account.position": Route(accounts.risk_v2, 5, signed),
        "v2/account.position": Route(accounts.risk_v3, 5, signed),
        "depth": Route(depth, depth_weight),
        "ticker.price": Route(market.prices, _or_all(1, 2)),
        "ticker.book": Route(market.quotes, _or_all(2, 5)),
        "userDataStream.start": Route(keys.start, 1, key),
        "userDataStream.ping": Route(keys.keep, 1, key),
        "userDataStream.stop": Route(keys.close, 1, key),
    }
