"""Accounts at the simulated USD-M: money, positions, settings, funding, history."""

from typing import Any

import pytest

from engine.config import Sim
from tests.ops.sim.faces.binance_usdm_client import BTC, Trader, a_trader
from tests.ops.sim.wire import plain, run

RISK_V2 = {
    "symbol", "positionAmt", "entryPrice", "breakEvenPrice", "markPrice", "unRealizedProfit",
    "liquidationPrice", "leverage", "maxNotionalValue", "marginType", "isolatedMargin",
    "isAutoAddMargin", "positionSide", "notional", "isolatedWallet", "updateTime"}
RISK_V3 = {
    "symbol", "positionSide", "positionAmt", "entryPrice", "breakEvenPrice", "markPrice",
    "unRealizedProfit", "liquidationPrice", "isolatedMargin", "notional", "marginAsset",
    "isolatedWallet", "initialMargin", "maintMargin", "positionInitialMargin",
    "openOrderInitialMargin", "adl", "bidNotional", "askNotional", "updateTime"}
TOTALS = {
    "totalInitialMargin", "totalMaintMargin", "totalWalletBalance", "totalUnrealizedProfit",
    "totalMarginBalance", "totalPositionInitialMargin", "totalOpenOrderInitialMargin",
    "totalCrossWalletBalance", "totalCrossUnPnl", "availableBalance", "maxWithdrawAmount",
    "assets", "positions"}
ASSET = {
    "asset", "walletBalance", "unrealizedProfit", "marginBalance", "maintMargin", "initialMargin",
    "positionInitialMargin", "openOrderInitialMargin", "crossWalletBalance", "crossUnPnl",
    "availableBalance", "maxWithdrawAmount", "updateTime"}


async def get(trader: Trader, path: str, **params: Any) -> Any:
    reply = await trader.ask("GET", path, **params)
    assert reply.status == 200, reply.body
    return reply.body


def test_answers_have_the_documented_keys() -> None:
    async def body() -> None:
        async with a_trader(BTC, "ETH/USDT:USDT") as (trader, _):
            await trader.order(side="SELL", type="MARKET", quantity="0.0500")
            assert [set(row) for row in await get(trader, "v2/positionRisk")] == [RISK_V2] * 2
            assert [set(row) for row in await get(trader, "v3/positionRisk")] == [RISK_V3]
            third = await get(trader, "v3/account")
            assert set(third) == TOTALS
            assert [set(row) for row in third["assets"]] == [ASSET]
            assert set(third["positions"][0]) == {
                "symbol", "positionSide", "positionAmt", "unrealizedProfit", "isolatedMargin",
                "notional", "isolatedWallet", "initialMargin", "maintMargin", "updateTime"}
            second = await get(trader, "v2/account")
            assert set(second) == TOTALS | {
                "feeTier", "feeBurn", "canTrade", "canDeposit", "canWithdraw", "updateTime",
                "multiAssetsMargin", "tradeGroupId"}
            assert set(second["assets"][0]) == ASSET | {"marginAvailable"}
            assert [row["symbol"] for row in second["positions"]] == ["BTCUSDT", "ETHUSDT"]
            for path in ("v2/balance", "v3/balance"):
                (wallet,) = await get(trader, path)
                assert set(wallet) == {
                    "accountAlias", "asset", "balance", "crossWalletBalance", "crossUnPnl",
                    "availableBalance", "maxWithdrawAmount", "marginAvailable", "updateTime"}
            (fill,) = {frozenset(row) for row in await get(
                trader, "v1/userTrades", symbol="BTCUSDT")}
            assert fill == {
                "buyer", "commission", "commissionAsset", "id", "maker", "orderId", "price",
                "qty", "quoteQty", "realizedPnl", "side", "positionSide", "symbol", "time"}

    run(body)


def test_a_shorts_profit_margins_and_wallet_follow_the_mark() -> None:
    async def body() -> None:
        async with a_trader() as (trader, clock):
            await trader.order(side="SELL", type="MARKET", quantity="0.5000")
            bid, _ = trader.touch()
            await trader.order(side="BUY", quantity="0.1000", price=f"{bid - 500:.1f}")
            trader.venue.step(30.0)
            clock.advance(1)
            trader.face.tick()
            bid, ask = trader.touch()
            (row,) = await get(trader, "v3/positionRisk")
            _, premium = await trader.venue.get("/fapi/v1/premiumIndex?symbol=BTCUSDT")
            assert row["markPrice"] == premium["markPrice"]
            assert float(row["markPrice"]) == pytest.approx((bid + ask) / 2, rel=0.01)
            entry, mark = float(row["entryPrice"]), float(row["markPrice"])
            assert float(row["unRealizedProfit"]) == pytest.approx(0.5 * (entry - mark))
            assert float(row["notional"]) == pytest.approx(-0.5 * mark)
            assert float(row["positionInitialMargin"]) == pytest.approx(0.5 * entry / 20)
            assert float(row["breakEvenPrice"]) < entry
            total = await get(trader, "v3/account")
            held = float(total["totalPositionInitialMargin"]) + float(
                total["totalOpenOrderInitialMargin"])
            free, locked = map(float, trader.truth().balances["USDT"])
            assert float(total["totalWalletBalance"]) == pytest.approx(free + locked)
            assert held == pytest.approx(locked)
            loss = min(0.0, float(total["totalUnrealizedProfit"]))
            assert float(total["availableBalance"]) == pytest.approx(free + loss)

    run(body)


def test_leverage_is_the_margin_that_is_held() -> None:
    async def body() -> None:
        async with a_trader(sim=Sim(balances={"USDT": 50_000.0})) as (trader, _):
            await trader.order(side="BUY", type="MARKET", quantity="1.0000")
            (row,) = await get(trader, "v2/positionRisk")
            assert row["leverage"] == "20"
            set_to = await trader.ask("POST", "v1/leverage", symbol="BTCUSDT", leverage=2)
            assert set_to.body == {
                "symbol": "BTCUSDT", "leverage": 2, "maxNotionalValue": "500000000"}
            (row,) = await get(trader, "v3/positionRisk")
            assert float(row["positionInitialMargin"]) == pytest.approx(
                float(row["entryPrice"]) / 2)
            low = await trader.ask("POST", "v1/leverage", symbol="BTCUSDT", leverage=1)
            assert low.code == (400, -2028)
            for leverage, code in ((0, -4028), (126, -4028), ("many", -1100), ("", -1105)):
                odd = await trader.ask(
                    "POST", "v1/leverage", symbol="BTCUSDT", leverage=leverage)
                assert odd.code == (400, code)
            (config,) = await get(trader, "v1/symbolConfig", symbol="BTCUSDT")
            assert config["leverage"] == 2

    run(body)


def test_margin_types_change_only_without_orders_and_position() -> None:
    async def body() -> None:
        async with a_trader() as (trader, _):
            async def change(kind: str) -> Any:
                return (await trader.ask(
                    "POST", "v1/marginType", symbol="BTCUSDT", marginType=kind)).body["code"]

            assert await change("CROSSED") == -4046
            assert await change("BOTH") == -1130
            assert await change("ISOLATED") == 200
            placed = await trader.order(side="BUY", quantity="0.0100", price="63000")
            assert await change("CROSSED") == -4047
            await trader.ask(
                "DELETE", "v1/order", symbol="BTCUSDT", orderId=placed.body["orderId"])
            await trader.order(side="BUY", type="MARKET", quantity="0.0100")
            assert await change("CROSSED") == -4048
            (row,) = await get(trader, "v2/positionRisk")
            assert row["marginType"] == "isolated"
            assert float(row["isolatedWallet"]) == pytest.approx(float(row["entryPrice"]) / 2000)
            (wallet,) = await get(trader, "v2/balance")
            assert float(wallet["balance"]) - float(wallet["crossWalletBalance"]) == pytest.approx(
                float(row["isolatedWallet"]))

    run(body)


def test_one_way_and_single_asset_are_the_only_modes() -> None:
    async def body() -> None:
        async with a_trader() as (trader, _):
            assert await get(trader, "v1/positionSide/dual") == {"dualSidePosition": False}
            assert await get(trader, "v1/multiAssetsMargin") == {"multiAssetsMargin": False}

            async def change(path: str, **params: Any) -> Any:
                return (await trader.ask("POST", path, **params)).body["code"]

            assert await change("v1/positionSide/dual", dualSidePosition="false") == -4059
            assert await change("v1/positionSide/dual", dualSidePosition="true") == -4084
            assert await change("v1/positionSide/dual") == -1102
            assert await change("v1/multiAssetsMargin", multiAssetsMargin="false") == -4171
            assert await change("v1/multiAssetsMargin", multiAssetsMargin="true") == -4084
            await trader.order(side="BUY", type="MARKET", quantity="0.0100")
            assert await change("v1/positionSide/dual", dualSidePosition="true") == -4068
            await trader.order(side="BUY", quantity="0.0100", price="63000")
            assert await change("v1/positionSide/dual", dualSidePosition="true") == -4067
            config = await get(trader, "v1/accountConfig")
            assert (config["dualSidePosition"], config["multiAssetsMargin"]) == (False, False)

    run(body)


def test_fees_are_told_as_they_are_charged() -> None:
    async def body() -> None:
        async with a_trader() as (trader, _):
            rates = await get(trader, "v1/commissionRate", symbol="BTCUSDT")
            assert rates == {
                "symbol": "BTCUSDT", "makerCommissionRate": "0.0002",
                "takerCommissionRate": "0.0005", "rpiCommissionRate": "0.00005"}
            await trader.order(side="BUY", type="MARKET", quantity="0.0100")
            for row in await get(trader, "v1/userTrades", symbol="BTCUSDT"):
                assert float(row["commission"]) == pytest.approx(float(row["quoteQty"]) * 0.0005)
            brackets = await get(trader, "v1/leverageBracket", symbol="BTCUSDT")
            assert brackets["brackets"][0]["initialLeverage"] == 125

    run(body)


def test_funding_is_charged_at_eight_hours_at_the_rate_that_was_told() -> None:
    async def body() -> None:
        async with a_trader(BTC, "ETH/USDT:USDT") as (trader, clock):
            await trader.order(side="BUY", type="MARKET", quantity="2.0000")
            stream = await trader.listen()
            _, premium = await trader.venue.get("/fapi/v1/premiumIndex?symbol=BTCUSDT")
            due_ms = premium["nextFundingTime"]
            assert due_ms % (8 * 3600 * 1000) == 0
            before = trader.truth().balances["USDT"]
            clock.advance((due_ms - trader.face.now_ms()) / 1000 + 0.5)
            trader.face.tick()
            rate, mark = float(premium["lastFundingRate"]), float(premium["markPrice"])
            owed = 2 * mark * rate
            after = trader.truth().balances["USDT"]
            assert sum(map(float, before)) - sum(map(float, after)) == pytest.approx(owed)
            (row,) = await get(trader, "v1/income", incomeType="FUNDING_FEE")
            assert float(row["income"]) == pytest.approx(-owed)
            assert set(row) == {"symbol", "incomeType", "income", "asset", "info", "time",
                                "tranId", "tradeId"}
            _, history = await trader.venue.get("/fapi/v1/fundingRate?symbol=BTCUSDT")
            assert history == [{
                "symbol": "BTCUSDT", "fundingRate": premium["lastFundingRate"],
                "fundingTime": due_ms, "markPrice": premium["markPrice"]}]
            _, both = await trader.venue.get("/fapi/v1/fundingRate")
            assert {each["symbol"] for each in both} == {"BTCUSDT", "ETHUSDT"}
            await stream.settle()
            (frame,) = [each for each in stream.take() if each["e"] == "ACCOUNT_UPDATE"]
            assert (frame["a"]["m"], frame["a"]["P"]) == ("FUNDING_FEE", [])
            (wallet,) = frame["a"]["B"]
            assert float(wallet["bc"]) == pytest.approx(-owed)
            assert float(wallet["wb"]) == pytest.approx(sum(map(float, after)))
            trader.face.funding.every(3600)
            _, terms = await trader.venue.get("/fapi/v1/fundingInfo")
            assert {row["fundingIntervalHours"] for row in terms} == {1}
            clock.advance(3600)
            trader.face.tick()
            assert len(await get(trader, "v1/income", incomeType="FUNDING_FEE")) == 2

    run(body)


def test_history_is_found_by_id_and_by_time() -> None:
    async def body() -> None:
        async with a_trader() as (trader, clock):
            ids = []
            for _ in range(4):
                placed = await trader.order(side="BUY", type="MARKET", quantity="0.0010")
                ids.append(placed.body["orderId"])
                clock.advance(10)
            named = {"symbol": "BTCUSDT"}
            found = await get(trader, "v1/allOrders", **named, orderId=ids[1], limit=2)
            assert [row["orderId"] for row in found] == ids[1:3]
            newest = await get(trader, "v1/allOrders", **named, limit=2)
            assert [row["orderId"] for row in newest] == ids[2:]
            fills = await get(trader, "v1/userTrades", **named)
            assert [row["orderId"] for row in fills] == ids
            after = await get(trader, "v1/userTrades", **named, fromId=fills[2]["id"])
            assert [row["id"] for row in after] == [row["id"] for row in fills[2:]]
            one = await get(trader, "v1/userTrades", **named, orderId=ids[2])
            assert [row["orderId"] for row in one] == [ids[2]]
            span = {"startTime": fills[1]["time"], "endTime": fills[2]["time"]}
            between = await get(trader, "v1/userTrades", **named, **span)
            assert [row["orderId"] for row in between] == ids[1:3]
            fees = await get(trader, "v1/income", incomeType="COMMISSION", limit=3, page=2)
            assert [row["tradeId"] for row in fees] == [str(fills[3]["id"])]
            clock.advance(8 * 86_400)
            assert await get(trader, "v1/allOrders", **named) == []
            for params, code in (
                ({"fromId": 1, "startTime": 1}, -1128), ({"limit": 1001}, -1130),
                ({"startTime": 0, "endTime": 8 * 86_400_000}, -4165),
                ({"startTime": 5, "endTime": 4}, -1023),
            ):
                odd = await trader.ask("GET", "v1/userTrades", **named, **params)
                assert odd.code == (400, code)

    run(body)


def test_two_accounts_trade_with_each_other_and_know_nothing_of_each_other() -> None:
    async def body() -> None:
        async with a_trader() as (main, _):
            other = Trader(main.venue, "other", "ed25519")
            bid, ask = main.touch()
            price = f"{(bid + ask) / 2:.1f}"
            made = await main.order(side="SELL", quantity="0.0200", price=price)
            taken = await other.order(side="BUY", quantity="0.0200", price=price)
            assert taken.body["status"] == "FILLED"
            unknown = await other.ask(
                "GET", "v1/order", symbol="BTCUSDT", orderId=made.body["orderId"])
            assert unknown.code == (400, -2013)
            assert (main.truth().positions, other.truth().positions) == (
                {"BTCUSDT": "-0.02"}, {"BTCUSDT": "0.02"})
            (mine,) = await get(main, "v1/userTrades", symbol="BTCUSDT")
            (theirs,) = await get(other, "v1/userTrades", symbol="BTCUSDT")
            assert mine["id"] == theirs["id"]
            assert (mine["maker"], theirs["maker"]) == (True, False)
            assert plain(mine["commission"]) != plain(theirs["commission"])

    run(body)
