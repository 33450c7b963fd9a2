"""The user channel: who may follow it, what comes first, and what its faults leave whole."""

from typing import Any

import pytest

from engine.model.fault import Fault, Kind
from ops.sim.credentials import ED25519
from tests.ops.sim.coinbase_trader import Trader, rows, unlimited
from tests.ops.sim.wire import a_venue, run

FAR_BELOW = "30000"


def user(jwt: str | None, *products: str, kind: str = "subscribe") -> dict[str, Any]:
    return {"type": kind, "channel": "user", "product_ids": products} | (
        {"jwt": jwt} if jwt is not None else {})


@pytest.mark.parametrize("jwt", [None, "", "nonsense", "a.b.c"])
def test_without_a_good_token_nobody_follows_orders(jwt: str | None) -> None:
    async def body() -> None:
        async with a_venue("coinbase", "BTC/USD") as venue:
            client = await venue.connect()
            client.ask(user(jwt))
            await client.settle()
            assert client.take() == [{"type": "error", "message": "authentication failure"}]
            client.ask(user(Trader(venue).token()))
            await client.settle()
            assert [each["channel"] for each in client.take()] == ["user", "subscriptions"]

    run(body)


def test_a_bad_token_fails_on_public_channels_too() -> None:
    async def body() -> None:
        async with a_venue("coinbase", "BTC/USD") as venue:
            client, trader = await venue.connect(), Trader(venue, kind=ED25519)
            ticker = {"type": "subscribe", "channel": "ticker", "product_ids": ["BTC-USD"]}
            client.ask(ticker | {"jwt": trader.token(exp=1)}, ticker | {"jwt": trader.token()})
            await client.settle()
            error, snapshot, _ = client.take()
            assert error == {"type": "error", "message": "authentication failure"}
            assert snapshot["channel"] == "ticker"

    run(body)


def test_open_orders_come_first_fifty_at_a_time() -> None:
    async def body() -> None:
        async with a_venue("coinbase", "BTC/USD", "ETH/USD") as venue:
            trader = Trader(venue)
            unlimited(venue)
            floor = venue.world.servers["coinbase"].face.floor
            ids = []
            for number in range(60):
                price = str(30_000 + number)
                ids.append(await trader.placed(
                    "BUY", "limit_limit_gtc", base_size="0.001", limit_price=price))
            await trader.placed(
                "BUY", "limit_limit_gtc", "ETH-USD", base_size="1", limit_price="1000")
            client = await trader.stream()
            *snapshots, ack = client.take()
            assert [len(each["events"][0]["orders"]) for each in snapshots] == [50, 11]
            assert {each["events"][0]["type"] for each in snapshots} == {"snapshot"}
            assert [row["order_id"] for row in rows(snapshots)][:60] == ids
            assert len(ack["events"][0]["subscriptions"]["user"]) == 1
            of_eth = await trader.stream("ETH-USD")
            snapshot, ack = of_eth.take()
            assert [row["product_id"] for row in rows([snapshot])] == ["ETH-USD"]
            assert ack["events"] == [{"subscriptions": {"user": ["ETH-USD"]}}]
            assert len(floor.exchange.open_orders("main")) == 61

    run(body)


def test_clients_hear_of_their_own_orders_and_products_alone() -> None:
    async def body() -> None:
        async with a_venue("coinbase", "BTC/USD", "ETH/USD") as venue:
            main, other = Trader(venue), Trader(venue, "other")
            everything, of_eth = await main.stream(), await main.stream("ETH-USD")
            others = await other.stream()
            for client in (everything, of_eth, others):
                client.take()
            limits = {"base_size": "1", "limit_price": "1000"}
            await main.placed("BUY", "limit_limit_gtc", "BTC-USD", **limits)
            await main.placed("BUY", "limit_limit_gtc", "ETH-USD", **limits)
            await other.placed("BUY", "limit_limit_gtc", "ETH-USD", **limits)
            heard = []
            for client in (everything, of_eth, others):
                await client.settle()
                heard.append([(each["client_order_id"], each["product_id"])
                              for each in rows(client.take()) if each["status"] == "OPEN"])
            assert heard == [
                [("main-1", "BTC-USD"), ("main-2", "ETH-USD")], [("main-2", "ETH-USD")],
                [("other-1", "ETH-USD")]]

    run(body)


def test_subscribing_all_products_takes_the_place_of_some() -> None:
    async def body() -> None:
        async with a_venue("coinbase", "BTC/USD", "ETH/USD") as venue:
            trader = Trader(venue)
            client = await trader.stream("BTC-USD")
            client.ask(user(trader.token()), user(trader.token(), "ETH-USD"))
            await client.settle()
            client.take()
            await trader.placed("BUY", "limit_limit_gtc", base_size="1", limit_price=FAR_BELOW)
            await client.settle()
            assert [each["status"] for each in rows(client.take())] == ["PENDING", "OPEN"]
            client.ask(user(trader.token(), kind="unsubscribe"))
            await client.settle()
            assert client.take()[0]["events"] == [{"subscriptions": {}}]
            await trader.placed("BUY", "limit_limit_gtc", base_size="1", limit_price=FAR_BELOW)
            await client.settle()
            assert client.take() == []

    run(body)


def test_one_number_counts_orders_books_and_heartbeats_alike() -> None:
    async def body() -> None:
        async with a_venue("coinbase", "BTC/USD") as venue:
            trader = Trader(venue)
            client = await trader.stream()
            client.ask({"type": "subscribe", "channel": "heartbeats"},
                       {"type": "subscribe", "channel": "level2", "product_ids": ["BTC-USD"]})
            for second in range(5):
                await trader.placed("BUY", "market_market_ioc", quote_size="100")
                venue.step(1.0)
                venue.world.servers["coinbase"].beat(second)
            await client.settle()
            frames = client.take()
            assert [each["sequence_num"] for each in frames] == list(range(len(frames)))
            assert {each["channel"] for each in frames} == {
                "user", "l2_data", "heartbeats", "subscriptions"}

    run(body)


def test_a_fill_row_of_totals_grows_with_every_trade() -> None:
    async def body() -> None:
        async with a_venue("coinbase", "BTC/USD") as venue:
            trader = Trader(venue)
            client = await trader.stream()
            client.take()
            asks = sorted(venue.truth("BTC-USD")[1].items(), key=lambda level: float(level[0]))
            size = sum(float(shown) for _, shown in asks[:3])
            order_id = await trader.placed(
                "BUY", "limit_limit_gtc", base_size=f"{size:.8f}", limit_price=asks[2][0])
            await client.settle()
            told = rows(client.take())
            assert [each["status"] for each in told[:2]] == ["PENDING", "OPEN"]
            assert [each["number_of_fills"] for each in told[2:]] == ["1", "2", "3"]
            done = [float(each["cumulative_quantity"]) for each in told]
            assert done == sorted(done)
            assert done[-1] == pytest.approx(size)
            fills = (await trader.get("/orders/historical/fills"))["fills"]
            assert sum(float(each["commission"]) for each in fills) == pytest.approx(
                float(told[-1]["total_fees"]))
            assert {each["order_id"] for each in fills} == {order_id}

    run(body)


@pytest.mark.parametrize(("kind", "expected"), [
    (Kind.FILL_DUPLICATE, ["PENDING", "FILLED", "FILLED"]),
    (Kind.FILL_LOST, ["PENDING"]),
    (Kind.FILL_BEFORE_ACK, ["FILLED", "PENDING"]),
])
def test_faults_of_fills_leave_no_hole_in_the_numbers(kind: Kind, expected: list[str]) -> None:
    async def body() -> None:
        async with a_venue("coinbase", "BTC/USD") as venue:
            trader = Trader(venue)
            client = await trader.stream()
            venue.world.faults.add(Fault("coinbase", kind, count=1))
            await trader.placed("BUY", "market_market_ioc", base_size="0.0001")
            await client.settle()
            frames = client.take()
            assert [each["sequence_num"] for each in frames] == list(range(len(frames)))
            assert [each["status"] for each in rows(frames)] == expected

    run(body)
