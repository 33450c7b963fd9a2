"""Binance.com and Binance.US in figures: limits, weights, self-trade modes, filter names.

Source: shared/venues/binance.md; binance-spot-api-docs:rest-api.md @ a5e0bc3 (.com) and
binance-us-api-docs:rest-api.md @ 6b62304 (.US), 2026-11-21.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from ops.sim.faces.binance.limits import Limit

DEPTH_STEPS: Final = (100, 500, 1000)


class Figures(NamedTuple):
    """What differs between the two houses."""

    limits: tuple[Limit, ...]
    stp: tuple[str, tuple[str, ...]]  # default, allowed
    notional: str
    band: str
    weights: Mapping[str, int]
    depth_weights: tuple[int, int, int, int]  # up to 100, 500, 1000 levels, and more
    free_orders: bool  # order entry that succeeds costs no weight
    listen_keys: bool  # the user stream is opened by a listen key, not over the WebSocket API
    retry_orders: bool  # a 429 for too many orders says when to try again


COM: Final = Figures(
    limits=(
        Limit("REQUEST_WEIGHT", "MINUTE", 1, 6000), Limit("ORDERS", "SECOND", 10, 50),
        Limit("ORDERS", "DAY", 1, 160_000), Limit("RAW_REQUESTS", "MINUTE", 5, 300_000),
    ),
    stp=("EXPIRE_MAKER",
         ("NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT", "TRANSFER")),
    notional="NOTIONAL", band="PERCENT_PRICE_BY_SIDE",
    weights={
        "exchangeInfo": 20, "trades": 25, "historicalTrades": 25, "aggTrades": 4, "price": 2,
        "prices": 4, "ticker": 2, "some tickers": 40, "tickers": 80, "order": 4, "openOrders": 6,
        "openOrders all": 80, "allOrders": 20, "account": 20, "myTrades": 20,
        "myTrades of an order": 5, "order count": 40, "prevented": 20, "prevented match": 2,
        "commission": 20, "rates": 20, "amendments": 4, "amend": 4, "myFilters": 40,
    },
    depth_weights=(5, 25, 50, 250), free_orders=True, listen_keys=False, retry_orders=True,
)
US: Final = Figures(
    limits=(
        Limit("REQUEST_WEIGHT", "MINUTE", 1, 1200), Limit("ORDERS", "SECOND", 10, 100),
        Limit("ORDERS", "DAY", 1, 200_000), Limit("RAW_REQUESTS", "MINUTE", 5, 6100),
    ),
    stp=("EXPIRE_MAKER", ("EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH")),
    notional="MIN_NOTIONAL", band="PERCENT_PRICE",
    weights={
        **COM.weights,
        "exchangeInfo": 10, "trades": 1, "historicalTrades": 5, "aggTrades": 1, "price": 1,
        "prices": 2, "ticker": 1, "some tickers": 20, "tickers": 40, "order": 2, "openOrders": 3,
        "openOrders all": 40, "allOrders": 10, "account": 10, "myTrades": 10,
        "myTrades of an order": 10, "order count": 20, "prevented": 10, "prevented match": 1,
    },
    depth_weights=(1, 5, 10, 50), free_orders=False, listen_keys=True, retry_orders=False,
)


def depth_weight(figures: Figures, values: Mapping[str, str]) -> int:
    """Return what a book of the wanted depth costs."""
    text = values.get("limit", "100")
    limit = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 100
    step = sum(limit > most for most in DEPTH_STEPS)
    return figures.depth_weights[step]
