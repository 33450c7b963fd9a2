"""Orders at the simulated USD-M, over real sockets, against what the matching engine holds."""

import json
from typing import Any

import pytest

from engine.model.fault import Fault, Kind
from tests.ops.sim.faces.binance_usdm_client import NAME, a_trader
from tests.ops.sim.wire import plain, run

ROW = {  # developers.binance.com, New Order and Query Order; activatePrice is a trailing stop's
    "clientOrderId", "cumQuote", "executedQty", "orderId", "avgPrice", "origQty", "price",
    "reduceOnly", "side", "positionSide", "status", "stopPrice", "closePosition", "symbol",
    "timeInForce", "type", "origType", "updateTime", "workingType", "priceProtect", "priceMatch",
    "selfTradePreventionMode", "goodTillDate"}


def test_a_limit_order_rests_is_queried_by_both_ids_and_cancelled() -> None:
    async def body() -> None:
        async with a_trader() as (trader, _):
            bid, _ = trader.touch()
            price = f"{bid - 100:.1f}"
            placed = await trader.order(
                side="BUY", quantity="0.0100", price=price, newClientOrderId="first:1")
            assert placed.status == 200
            assert placed.body["status"] == "NEW"
            assert placed.body["clientOrderId"] == "first:1"
            assert (placed.body["price"], placed.body["origQty"]) == (price, "0.0100")
            order_id = placed.body["orderId"]
            for name, value in (("orderId", order_id), ("origClientOrderId", "first:1")):
                for path in ("v1/order", "v1/openOrder"):
                    found = await trader.ask("GET", path, symbol="BTCUSDT", **{name: value})
                    assert found.body["orderId"] == order_id
                    assert found.body["time"] <= found.body["updateTime"]
            open_orders = await trader.ask("GET", "v1/openOrders")
            assert [row["orderId"] for row in open_orders.body] == [order_id]
            bids, _ = trader.venue.truth("BTCUSDT")
            assert plain(price) in bids
            gone = await trader.ask("DELETE", "v1/order", symbol="BTCUSDT", orderId=order_id)
            assert (gone.body["status"], gone.body["clientOrderId"]) == ("CANCELED", "first:1")
            again = await trader.ask("DELETE", "v1/order", symbol="BTCUSDT", orderId=order_id)
            assert again.code == (400, -2011)
            missing = await trader.ask("GET", "v1/openOrder", symbol="BTCUSDT", orderId=order_id)
            assert missing.code == (400, -2013)
            history = await trader.ask("GET", "v1/allOrders", symbol="BTCUSDT")
            assert [row["status"] for row in history.body] == ["CANCELED"]

    run(body)


def test_order_answers_have_the_documented_keys() -> None:
    async def body() -> None:
        async with a_trader() as (trader, _):
            order = {"side": "BUY", "quantity": "0.0100", "price": "63000"}
            for answer in ("ACK", "RESULT"):
                placed = await trader.order(**order, newOrderRespType=answer)
                assert set(placed.body) == ROW | {"cumQty"}
            named = {"symbol": "BTCUSDT", "orderId": placed.body["orderId"]}
            found = await trader.ask("GET", "v1/order", **named)
            assert set(found.body) == ROW | {"time"}
            gone = await trader.ask("DELETE", "v1/order", **named)
            assert set(gone.body) == ROW | {"cumQty"}
            numbers = {name: placed.body[name] for name in (
                "price", "avgPrice", "origQty", "executedQty", "cumQty", "cumQuote", "stopPrice")}
            assert numbers == {
                "price": "63000.0", "avgPrice": "0.0", "origQty": "0.0100",
                "executedQty": "0.0000", "cumQty": "0.0000", "cumQuote": "0.00000",
                "stopPrice": "0.0"}
            assert (await trader.ask("POST", "v1/order/test", symbol="BTCUSDT", **order,
                                     type="LIMIT", timeInForce="GTC")).body == {}
            assert len(trader.truth().orders) == 2

    run(body)


def test_a_market_order_opens_a_position_and_a_reduce_only_one_closes_it() -> None:
    async def body() -> None:
        async with a_trader() as (trader, _):
            before = trader.truth().balances["USDT"][0]
            bought = await trader.order(side="BUY", type="MARKET", quantity="0.0500")
            assert (bought.body["status"], bought.body["executedQty"]) == ("FILLED", "0.0500")
            (row,) = (await trader.ask("GET", "v3/positionRisk")).body
            assert row["positionAmt"] == "0.0500"
            assert float(row["entryPrice"]) == pytest.approx(float(bought.body["avgPrice"]))
            too_much = await trader.order(
                side="SELL", type="MARKET", quantity="0.0600", reduceOnly="true")
            assert too_much.code == (400, -2022)
            closed = await trader.order(
                side="SELL", type="MARKET", quantity="0.0500", reduceOnly="true")
            assert (closed.body["status"], closed.body["reduceOnly"]) == ("FILLED", True)
            assert (await trader.ask("GET", "v3/positionRisk")).body == []
            trades = (await trader.ask("GET", "v1/userTrades", symbol="BTCUSDT")).body
            assert sum(float(each["qty"]) for each in trades) == pytest.approx(0.1)
            paid = sum(float(each["commission"]) - float(each["realizedPnl"]) for each in trades)
            after = trader.truth().balances["USDT"][0]
            assert float(before) - float(after) == pytest.approx(paid)
            (wallet,) = (await trader.ask("GET", "v3/balance")).body
            assert plain(wallet["balance"]) == after

    run(body)


@pytest.mark.parametrize(("change", "code"), [
    ({"symbol": "NOPE"}, -1121), ({"symbol": ""}, -1102), ({"side": "LONG"}, -1117),
    ({"type": "STOP_MARKET"}, -4120), ({"type": "ICEBERG"}, -1116),
    ({"timeInForce": "DAY"}, -1115), ({"timeInForce": ""}, -1105),
    ({"quantity": "0"}, -4003), ({"quantity": "-1"}, -4003), ({"quantity": "many"}, -1100),
    ({"quantity": "0.00001"}, -1111), ({"quantity": "0.0001", "price": "40000"}, -4164),
    ({"price": "0"}, -4001), ({"price": "63000.55"}, -1111), ({"price": "90000"}, -4016),
    ({"quantity": "9000000"}, -4005), ({"side": "SELL", "price": "60000"}, -4024),
    ({"quantity": "5000"}, -2019), ({"positionSide": "LONG"}, -4061),
    ({"positionSide": "UP"}, -4060), ({"reduceOnly": "maybe"}, -1130),
    ({"reduceOnly": "true"}, -2022), ({"newClientOrderId": "white space"}, -4015),
    ({"newClientOrderId": "x" * 37}, -4015), ({"newOrderRespType": "FULL"}, -1136),
    ({"priceMatch": "BEST"}, -5037), ({"priceMatch": "QUEUE"}, -1106),
    ({"selfTradePreventionMode": "DECREMENT"}, -5039), ({"stopPrice": "1"}, -1106),
    ({"timeInForce": "GTD"}, -1102), ({"timeInForce": "GTD", "goodTillDate": 5}, -5040),
    ({"goodTillDate": 5}, -1106), ({"colour": "red"}, -1104), ({"closePosition": "true"}, -1106),
    ({"side": "SELL", "timeInForce": "GTX", "price": "62500"}, -5022),
    ({"side": "SELL", "timeInForce": "FOK", "price": "66000"}, -5021),
])
def test_what_is_wrong_with_an_order_is_said_in_the_venues_code(
    change: dict[str, Any], code: int
) -> None:
    async def body() -> None:
        async with a_trader() as (trader, _):
            order = {"side": "BUY", "quantity": "0.0100", "price": "63000"} | change
            reply = await trader.order(**order)
            assert reply.code == (400, code), reply.body
            assert trader.truth().orders == []

    run(body)


def test_an_order_is_modified_loses_its_place_or_is_cancelled_by_the_modification() -> None:
    async def body() -> None:
        async with a_trader() as (trader, _):
            bid, ask = trader.touch()
            placed = await trader.order(
                side="BUY", quantity="0.0300", price=f"{bid - 50:.1f}", timeInForce="GTX")
            named = {"symbol": "BTCUSDT", "orderId": placed.body["orderId"], "side": "BUY"}
            same = await trader.ask(
                "PUT", "v1/order", **named, quantity="0.03", price=f"{bid - 50:.1f}")
            assert same.code == (400, -5027)
            changed = await trader.ask(
                "PUT", "v1/order", **named, quantity="0.0200", price=f"{bid - 60:.1f}")
            assert changed.body.items() >= {
                "status": "NEW", "origQty": "0.0200", "price": f"{bid - 60:.1f}",
                "timeInForce": "GTX", "selfTradePreventionMode": "NONE"}.items()
            wrong = await trader.ask(
                "PUT", "v1/order", **(named | {"side": "SELL"}), quantity="0.01", price="63500")
            assert wrong.code == (400, -1130)
            for change, code in (
                ({"quantity": "0.00001", "price": "63500"}, -1111),
                ({"quantity": "0.01"}, -1102), ({"quantity": "0.01", "price": "90000"}, -4016),
            ):
                refused = await trader.ask("PUT", "v1/order", **named, **change)
                assert refused.code == (400, code)
            taken = await trader.ask(
                "PUT", "v1/order", **named, quantity="0.02", price=f"{ask + 20:.1f}")
            assert taken.body["status"] == "CANCELED"  # post-only, and it would have taken
            gone = await trader.ask(
                "PUT", "v1/order", **named, quantity="0.02", price=f"{bid - 60:.1f}")
            assert gone.code == (400, -2013)

    run(body)


def test_times_in_force_end_as_documented() -> None:
    async def body() -> None:
        async with a_trader() as (trader, _):
            _, ask = trader.touch()
            _, asks = trader.venue.truth("BTCUSDT")
            best = asks[plain(str(ask))]
            ioc = await trader.order(
                side="BUY", quantity=f"{float(best) + 1:.4f}", price=f"{ask:.1f}",
                timeInForce="IOC")
            assert ioc.body.items() >= {
                "status": "EXPIRED", "timeInForce": "IOC", "avgPrice": plain(str(ask))}.items()
            assert plain(ioc.body["executedQty"]) == best
            fok = await trader.order(
                side="BUY", quantity="0.0010", price=f"{ask + 50:.1f}", timeInForce="FOK")
            assert fok.body["status"] == "FILLED"
            acked = await trader.order(
                side="BUY", quantity="0.0010", type="MARKET", newOrderRespType="ACK")
            assert (acked.body["status"], acked.body["executedQty"]) == ("NEW", "0.0000")
            found = await trader.ask(
                "GET", "v1/order", symbol="BTCUSDT", orderId=acked.body["orderId"])
            assert found.body["status"] == "FILLED"

    run(body)


def test_a_good_till_date_and_a_countdown_cancel_by_themselves() -> None:
    async def body() -> None:
        async with a_trader() as (trader, clock):
            bid, _ = trader.touch()
            until_ms = trader.face.now_ms() + 700_000
            order = {"side": "BUY", "quantity": "0.0100", "price": f"{bid - 100:.1f}"}
            dated = await trader.order(**order, timeInForce="GTD", goodTillDate=until_ms)
            assert dated.body["timeInForce"] == "GTD"
            assert dated.body["goodTillDate"] == until_ms // 1000 * 1000
            await trader.order(**order)
            for ms in (60_000, 5_000):
                armed = await trader.ask(
                    "POST", "v1/countdownCancelAll", symbol="BTCUSDT", countdownTime=ms)
                assert armed.body == {"symbol": "BTCUSDT", "countdownTime": str(ms)}
            clock.advance(4)
            trader.face.tick()
            assert [row.status for row in trader.truth().orders] == ["open", "open"]
            clock.advance(2)
            trader.face.tick()
            assert [row.status for row in trader.truth().orders] == ["cancelled"] * 2
            await trader.ask("POST", "v1/countdownCancelAll", symbol="BTCUSDT", countdownTime=5000)
            await trader.ask("POST", "v1/countdownCancelAll", symbol="BTCUSDT", countdownTime=0)
            until_ms = trader.face.now_ms() + 700_000
            await trader.order(**order, timeInForce="GTD", goodTillDate=until_ms)
            clock.advance(690)
            trader.face.tick()
            assert trader.truth().orders[-1].status == "open"
            clock.advance(11)
            trader.face.tick()
            assert trader.truth().orders[-1].status == "cancelled"

    run(body)


def test_batches_answer_each_order_by_itself() -> None:
    async def body() -> None:
        async with a_trader() as (trader, _):
            bid, _ = trader.touch()

            def one(**change: Any) -> dict[str, Any]:
                return {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "quantity": "0.0100",
                        "timeInForce": "GTC", "price": f"{bid - 100:.1f}"} | change

            orders = [one(newClientOrderId="a"), one(reduceOnly="true"), one(quantity=0.02),
                      one(newClientOrderId="a")]
            placed = (await trader.ask(
                "POST", "v1/batchOrders", batchOrders=json.dumps(orders))).body
            assert [row.get("code") for row in placed] == [None, -2022, None, -4116]
            ids = [row["orderId"] for row in placed if "orderId" in row]
            changed = (await trader.ask("PUT", "v1/batchOrders", batchOrders=json.dumps([
                {"symbol": "BTCUSDT", "side": "BUY", "orderId": each, "quantity": "0.0300",
                 "price": f"{bid - 90:.1f}"} for each in [*ids, 1]]))).body
            assert [row.get("origQty") for row in changed] == ["0.0300", "0.0300", None]
            gone = (await trader.ask(
                "DELETE", "v1/batchOrders", symbol="BTCUSDT",
                orderIdList=json.dumps([ids[0], 1], separators=(",", ":")))).body
            assert [row.get("status", row.get("code")) for row in gone] == ["CANCELED", -2011]
            many = await trader.ask(
                "POST", "v1/batchOrders", batchOrders=json.dumps([one()] * 6))
            assert many.code == (400, -4082)
            for text in ("{}", "[1]", "nothing"):
                odd = await trader.ask("POST", "v1/batchOrders", batchOrders=text)
                assert odd.code == (400, -1130)
            await trader.order(side="BUY", quantity="0.0100", price=f"{bid - 80:.1f}")
            done = await trader.ask("DELETE", "v1/allOpenOrders", symbol="BTCUSDT")
            assert done.body == {
                "code": 200, "msg": "The operation of cancel all open order is done."}
            assert {row.status for row in trader.truth().orders} == {"cancelled"}

    run(body)


def test_a_price_may_be_the_books() -> None:
    async def body() -> None:
        async with a_trader() as (trader, _):
            bids, asks = trader.venue.truth("BTCUSDT")
            bid_prices = sorted(map(float, bids), reverse=True)
            queue = await trader.order(side="BUY", quantity="0.0010", priceMatch="QUEUE_5")
            assert float(queue.body["price"]) == bid_prices[4]
            assert queue.body["priceMatch"] == "QUEUE_5"
            taken = await trader.order(side="BUY", quantity="0.0010", priceMatch="OPPONENT")
            assert float(taken.body["avgPrice"]) == min(map(float, asks))
            market = await trader.order(
                side="BUY", type="MARKET", quantity="0.0010", priceMatch="QUEUE")
            assert market.code == (400, -5038)

    run(body)


@pytest.mark.parametrize(("mode", "maker_status", "taker_status"), [
    ("EXPIRE_MAKER", "EXPIRED_IN_MATCH", "NEW"), ("EXPIRE_TAKER", "NEW", "EXPIRED_IN_MATCH"),
    ("EXPIRE_BOTH", "EXPIRED_IN_MATCH", "EXPIRED_IN_MATCH"), (None, "EXPIRED_IN_MATCH", "NEW"),
    ("NONE", "FILLED", "FILLED"),
])
def test_self_trade_prevention_goes_by_the_takers_mode(
    mode: str | None, maker_status: str, taker_status: str
) -> None:
    async def body() -> None:
        async with a_trader() as (trader, _):
            bid, ask = trader.touch()
            price = f"{(bid + ask) / 2:.1f}"
            maker = await trader.order(side="SELL", quantity="0.0010", price=price)
            more = {} if mode is None else {"selfTradePreventionMode": mode}
            taker = await trader.order(side="BUY", quantity="0.0010", price=price, **more)
            assert taker.body["status"] == taker_status
            assert taker.body["selfTradePreventionMode"] == (mode or "EXPIRE_MAKER")
            found = await trader.ask(
                "GET", "v1/order", symbol="BTCUSDT", orderId=maker.body["orderId"])
            assert found.body["status"] == maker_status

    run(body)


def test_a_resting_reduce_only_order_ends_with_the_position() -> None:
    async def body() -> None:
        async with a_trader() as (trader, _):
            await trader.order(side="BUY", type="MARKET", quantity="0.0500")
            _, ask = trader.touch()
            resting = await trader.order(
                side="SELL", quantity="0.0500", price=f"{ask + 500:.1f}", reduceOnly="true")
            assert resting.body.items() >= {"status": "NEW", "reduceOnly": True}.items()
            second = await trader.order(
                side="SELL", quantity="0.0100", price=f"{ask + 600:.1f}", reduceOnly="true")
            assert second.code == (400, -2022)
            await trader.order(side="SELL", type="MARKET", quantity="0.0500")
            found = await trader.ask(
                "GET", "v1/order", symbol="BTCUSDT", orderId=resting.body["orderId"])
            assert found.body["status"] == "EXPIRED"

    run(body)


def test_a_halted_contract_takes_nothing_and_says_so() -> None:
    async def body() -> None:
        async with a_trader() as (trader, _):
            bid, _ = trader.touch()
            order = {"side": "BUY", "quantity": "0.0100", "price": f"{bid - 100:.1f}"}
            placed = await trader.order(**order)
            watcher = await trader.venue.connect("/market/ws/!contractInfo")
            await watcher.settle()
            trader.venue.world.faults.add(Fault(NAME, Kind.HALT))
            trader.face.floor.tick()
            named = {"symbol": "BTCUSDT", "orderId": placed.body["orderId"]}
            assert (await trader.order(**order)).code == (400, -1122)
            assert (await trader.ask("DELETE", "v1/order", **named)).code == (400, -1122)
            amended = await trader.ask(
                "PUT", "v1/order", **named, side="BUY", quantity="0.02", price="63000")
            assert amended.code == (400, -5024)
            _, catalogue = await trader.venue.get("/fapi/v1/exchangeInfo")
            assert catalogue["symbols"][0]["status"] == "SETTLING"
            trader.venue.world.faults.clear(NAME)
            trader.face.floor.tick()
            assert (await trader.order(**order)).status == 200
            await watcher.settle()
            assert [frame["cs"] for frame in watcher.take()] == ["SETTLING", "TRADING"]

    run(body)


def test_coarser_filters_are_told_and_hold() -> None:
    async def body() -> None:
        async with a_trader() as (trader, _):
            trader.venue.world.faults.add(Fault(NAME, Kind.FILTERS))
            trader.face.floor.tick()
            _, catalogue = await trader.venue.get("/fapi/v1/exchangeInfo")
            filters = {row["filterType"]: row for row in catalogue["symbols"][0]["filters"]}
            assert filters["PRICE_FILTER"]["tickSize"] == "1.0"
            assert filters["LOT_SIZE"]["stepSize"] == "0.0010"
            order = {"side": "BUY", "quantity": "0.0100", "price": "63000"}
            assert (await trader.order(**order | {"price": "63000.5"})).code == (400, -4014)
            assert (await trader.order(**order | {"quantity": "0.0101"})).code == (400, -4023)
            assert (await trader.order(**order)).status == 200

    run(body)


def test_an_answer_lost_to_a_5xx_leaves_the_order_to_be_found() -> None:
    async def body() -> None:
        async with a_trader() as (trader, _):
            trader.venue.world.faults.add(Fault(NAME, Kind.ANSWER_5XX, count=1))
            lost = await trader.order(
                side="BUY", quantity="0.0100", price="63000", newClientOrderId="look")
            assert lost.code == (503, -1000)
            found = await trader.ask(
                "GET", "v1/order", symbol="BTCUSDT", origClientOrderId="look")
            assert found.body["status"] == "NEW"

    run(body)
