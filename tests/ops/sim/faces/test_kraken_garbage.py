"""Whatever a client sends, Kraken answers with JSON and stays up."""

import asyncio
import json
import random
from typing import Any

import pytest

from tests.ops.sim.faces.kraken_client import NONCES, Trader
from tests.ops.sim.faces.kraken_patience import unlimited
from tests.ops.sim.wire import a_venue, run

VALUES: list[Any] = [
    None, True, False, 0, 1, -1, 1.5, 1e-300, 10**30, "", "x", "1", "0.01", "1000", "buy", "sell",
    "limit", "market", "XBTUSD", "BTC/USD", "GTC", "GTD", "IOC", "+30", "post", "post,fcib",
    "viqc", "2099-01-01T00:00:00Z", "2026-01-01T00:00:00", "\u00b2", "\u0661", [], {}, ["x"], [1],
    [{"type": "buy"}], "OAAAAA-AAAAA-AAAAAA", "cancel-oldest", "cancel_oldest", 10, 60, "-",
    "1" * 400, "quote", "base", "all",
]
FIELDS = [
    "pair", "type", "ordertype", "volume", "price", "timeinforce", "expiretm", "oflags",
    "cl_ord_id", "userref", "stptype", "deadline", "validate", "leverage", "reduce_only",
    "starttm", "txid", "orders", "cl_ord_ids", "timeout", "trades", "start", "end", "ofs",
    "closetime", "asset", "id", "without_count", "order_qty", "limit_price", "post_only",
    "consolidate_taker",
]
METHODS = [
    "AddOrder", "AddOrderBatch", "AmendOrder", "EditOrder", "CancelOrder", "CancelOrderBatch",
    "CancelAll", "CancelAllOrdersAfter", "Balance", "TradeBalance", "OpenOrders",
    "ClosedOrders", "QueryOrders", "TradesHistory", "QueryTrades", "Ledgers", "QueryLedgers",
    "TradeVolume",
]
SOCKET_FIELDS = [
    "order_type", "side", "order_qty", "symbol", "limit_price", "limit_price_type",
    "time_in_force", "margin", "post_only", "reduce_only", "expire_time", "deadline",
    "cl_ord_id", "order_userref", "fee_preference", "stp_type", "cash_order_qty", "validate",
    "order_id", "orders", "timeout", "channel", "depth", "snapshot", "snap_trades",
    "ratecounter", "event_trigger",
]
SOCKET_METHODS = [
    "add_order", "amend_order", "edit_order", "cancel_order", "cancel_all",
    "cancel_all_orders_after", "batch_add", "batch_cancel", "subscribe", "unsubscribe",
    "ping",
]
GOOD = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "volume": "0.01", "price": "1000"}
GOOD_SOCKET = {"symbol": "BTC/USD", "side": "buy", "order_type": "limit", "order_qty": 0.01,
               "limit_price": 1000.0}


def some(chance: random.Random, names: list[str]) -> dict[str, Any]:
    return {name: chance.choice(VALUES) for name in chance.sample(names, chance.randint(0, 6))}


@pytest.mark.parametrize("seed", [1, 2])
def test_random_fields_get_an_answer_or_a_refusal_and_nothing_breaks(seed: int) -> None:
    async def body() -> None:
        with unlimited():
            async with a_venue("kraken", "BTC/USD") as venue:
                trader, chance = Trader(venue), random.Random(seed)
                socket, answered = await trader.connect(), 0
                for _ in range(200):
                    fields = some(chance, FIELDS)
                    if chance.random() < 0.5:
                        fields |= GOOD
                    method = chance.choice(METHODS)
                    answer = await trader.post_json(method, **fields)
                    assert isinstance(answer["error"], list)
                    answered += not answer["error"]
                    for _ in range(3):
                        params = some(chance, SOCKET_FIELDS) | {"token": socket.token}
                        if chance.random() < 0.5:
                            params |= GOOD_SOCKET
                        socket.client.ask({
                            "method": chance.choice(SOCKET_METHODS), "params": params,
                            "req_id": chance.choice(VALUES)})
                    for frame in await socket.frames():
                        assert "channel" in frame or "error" in frame or "method" in frame
                assert answered > 40
                assert not socket.client.closed.is_set()

    run(body)


def test_an_oversized_frame_or_body_is_cut_off_and_the_venue_goes_on() -> None:
    async def body() -> None:
        async with a_venue("kraken", "BTC/USD") as venue:
            trader = Trader(venue)
            client = await venue.connect()
            client.ask(json.dumps({"method": "ping", "params": "x" * (2 << 20)}).encode())
            await asyncio.wait_for(client.closed.wait(), 5)
            nonce = str(next(NONCES))
            status, _ = await trader.send(
                "Balance", f"nonce={nonce}&x={'y' * (2 << 20)}".encode(), nonce)
            assert status == 413
            assert (await trader.add())["error"] == []
            socket = await trader.connect()
            assert (await socket.add())["success"]

    run(body)
