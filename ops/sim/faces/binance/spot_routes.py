"""What Binance spot serves: REST paths and WebSocket API methods, their weights and security."""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from ops.sim.faces.binance.door import Ask, Route, Security
from ops.sim.faces.binance.errors import BAD_LISTEN_KEY, GONE, Refused
from ops.sim.faces.binance.listen_keys import ListenKeys
from ops.sim.faces.binance.spot_account import AccountQueries
from ops.sim.faces.binance.spot_market import MarketQueries
from ops.sim.faces.binance.spot_table import Figures, depth_weight
from ops.sim.faces.binance.spot_trading import Trading
from ops.sim.floor import Floor

TICKERS_FEW: Final = 20  # symbols that cost no more than one
TICKERS_MANY: Final = 100
ROOT: Final = "/api/v3"
Serve = Callable[[Ask], object]


class Served(NamedTuple):
    """One operation by both of its names."""

    rest: str  # "GET /order", below the root
    ws: str
    route: Route


class Routes:
    """Puts names, weights and what answers together."""

    def __init__(
        self, figures: Figures, floor: Floor, market: MarketQueries, account: AccountQueries,
        trading: Trading, keys: ListenKeys,
    ) -> None:
        self._figures, self._floor, self._keys = figures, floor, keys
        self._served = [
            *self._public(market), *self._private(account), *self._entry(trading),
            *self._streams(),
        ]

    def rest(self) -> Mapping[str, Route]:
        """Return the routes by "METHOD path"."""
        return {served.rest.replace(" ", " " + ROOT, 1): served.route for served in self._served}

    def ws(self) -> Mapping[str, Route]:
        """Return the routes by method of the WebSocket API."""
        return {served.ws: served.route for served in self._served}

    def _public(self, market: MarketQueries) -> list[Served]:
        weights = self._figures.weights

        def one_or_all(values: Mapping[str, str]) -> int:
            return weights["price" if "symbol" in values else "prices"]

        def day_or_all(values: Mapping[str, str]) -> int:
            if "symbol" in values:
                return weights["ticker"]
            count = values["symbols"].count(",") + 1 if "symbols" in values else TICKERS_MANY + 1
            few, some = count <= TICKERS_FEW, count <= TICKERS_MANY
            return weights["ticker" if few else "some tickers" if some else "tickers"]

        def depth(values: Mapping[str, str]) -> int:
            return depth_weight(self._figures, values)

        return [
            Served("GET /ping", "ping", Route(market.ping)),
            Served("GET /time", "time", Route(market.time)),
            Served("GET /exchangeInfo", "exchangeInfo",
                   Route(market.exchange_info, weights["exchangeInfo"])),
            Served("GET /depth", "depth", Route(market.depth, depth)),
            Served("GET /trades", "trades.recent", Route(market.trades, weights["trades"])),
            Served("GET /historicalTrades", "trades.historical",
                   Route(market.trades, weights["historicalTrades"])),
            Served("GET /aggTrades", "trades.aggregate",
                   Route(market.aggregates, weights["aggTrades"])),
            Served("GET /ticker/24hr", "ticker.24hr", Route(market.days, day_or_all)),
            Served("GET /ticker/price", "ticker.price", Route(market.prices, one_or_all)),
            Served("GET /ticker/bookTicker", "ticker.book", Route(market.quotes, one_or_all)),
            Served("GET /myFilters", "myFilters",
                   Route(market.filters, weights["myFilters"], Security.SIGNED)),
        ]

    def _private(self, account: AccountQueries) -> list[Served]:
        weights = self._figures.weights

        def read(rest: str, ws: str, serve: Serve, weight: str, other: str = "",
                 where: str = "") -> Served:
            def weigh(values: Mapping[str, str]) -> int:
                return weights[other if other and where in values else weight]
            return Served(f"GET /{rest}", ws, Route(serve, weigh, Security.SIGNED))

        return [
            read("account", "account.status", account.account, "account"),
            read("account/commission", "account.commission", account.commission, "rates"),
            read("rateLimit/order", "account.rateLimits.orders", account.order_limits,
                 "order count"),
            read("order", "order.status", account.order, "order"),
            read("openOrders", "openOrders.status", account.open_orders, "openOrders all",
                 "openOrders", "symbol"),
            read("allOrders", "allOrders", account.all_orders, "allOrders"),
            read("order/amendments", "order.amendments", account.amendments, "amendments"),
            read("myTrades", "myTrades", account.trades, "myTrades", "myTrades of an order",
                 "orderId"),
            read("myPreventedMatches", "myPreventedMatches", account.prevented, "prevented",
                 "prevented match", "preventedMatchId"),
        ]

    def _entry(self, trading: Trading) -> list[Served]:
        weights, free = self._figures.weights, self._figures.free_orders

        def entry(serve: Serve, *, counts: bool = False) -> Route:
            return Route(serve, 1, Security.SIGNED, entry=True, free=free, counts=counts)

        def test(values: Mapping[str, str]) -> int:
            rates = values.get("computeCommissionRates", "").lower() == "true"
            return weights["commission"] if rates else 1

        served = [
            Served("POST /order", "order.place", entry(trading.place, counts=True)),
            Served("POST /order/test", "order.test", Route(trading.test, test, Security.SIGNED)),
            Served("DELETE /order", "order.cancel", entry(trading.cancel)),
            Served("DELETE /openOrders", "openOrders.cancelAll", entry(trading.cancel_all)),
            Served("POST /order/cancelReplace", "order.cancelReplace",
                   entry(trading.replace, counts=True)),
        ]
        if not self._figures.listen_keys:
            served.append(Served(
                "PUT /order/amend/keepPriority", "order.amend.keepPriority",
                Route(trading.amend, weights["amend"], Security.SIGNED, entry=True)))
        return served

    # --- listen keys ---------------------------------------------------------------------------

    def _streams(self) -> list[Served]:
        """Serve listen keys, or say that there are none any more."""
        kept = self._figures.listen_keys
        security = Security.KEY if kept else Security.NONE
        return [Served(f"{method} /userDataStream", ws,
                       Route(serve if kept else _gone, 1, security))
                for method, ws, serve in (
                    ("POST", "userDataStream.start", self._start),
                    ("PUT", "userDataStream.ping", self._renew),
                    ("DELETE", "userDataStream.stop", self._stop))]

    def _start(self, ask: Ask) -> object:
        ask.params.done()
        return {"listenKey": self._keys.open(ask.account, self._floor.mono_ns())}

    def _renew(self, ask: Ask) -> object:
        return self._known(ask, self._keys.renew)

    def _stop(self, ask: Ask) -> object:
        return self._known(ask, self._keys.close)

    def _known(self, ask: Ask, act: Callable[[str, int], bool]) -> object:
        key = ask.params.required("listenKey")
        ask.params.done()
        if not act(key, self._floor.mono_ns()):
            raise Refused(BAD_LISTEN_KEY)
        return {}


def _gone(_ask: Ask) -> object:
    raise Refused(GONE)
