"""What a client knows of its account, by events and by queries, is what the truth ledger says.

random operations ─▶ REST and v2 ─▶ face ─▶ matching engine ──────▶ the truth ledger
                                      └▶ executions, balances ─▶ a client's own state: equal
"""

import json
import random
from decimal import Decimal
from typing import Any

import pytest

from ops.sim.faces.kraken import ids, names
from tests.ops.sim.faces.kraken_client import Socket, Trader
from tests.ops.sim.faces.kraken_patience import unlimited
from tests.ops.sim.wire import Venue, a_venue, run

SYMBOLS = ("BTC/USD", "ETH/USD", "ETH/BTC")
STATUSES = {"new": "open", "partially_filled": "open", "filled": "filled", "canceled": "cancelled",
            "expired": "cancelled"}


def plain(number: Decimal | str) -> str:
    text = f"{Decimal(number):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


class Account:
    """One account as its v2 events tell it: rows merged by order, fills, balances."""

    def __init__(self, socket: Socket) -> None:
        self.socket = socket
        self.orders: dict[str, dict[str, Any]] = {}
        self.fills: dict[str, dict[str, Any]] = {}
        self.balances: dict[str, Decimal] = {}
        self.sequences: dict[str, int] = {}
        self.answers: list[Any] = []

    async def listen(self) -> None:
        """Take in what came; a hole in a sequence fails."""
        await self.socket.client.settle()
        frames, self.socket.client.frames = self.socket.client.frames, []
        for frame in (json.loads(each, parse_float=Decimal) for each in frames):
            if "sequence" not in frame:
                self.answers.append(frame)
                continue
            channel = frame["channel"]
            assert frame["sequence"] == self.sequences.get(channel, 0) + 1
            self.sequences[channel] = frame["sequence"]
            for row in frame["data"]:
                if channel == "balances":
                    self.balances[row["asset"]] = row["balance"]
                else:
                    self.order(row)

    def order(self, row: dict[str, Any]) -> None:
        """Merge one row."""
        if row["exec_type"] == "trade":
            assert row["exec_id"] not in self.fills
            self.fills[row["exec_id"]] = row
        self.orders.setdefault(row["order_id"], {}).update(row)

    @property
    def open(self) -> list[str]:
        """Return the ids of open orders."""
        return [name for name, row in self.orders.items()
                if STATUSES.get(row["order_status"]) == "open"]


class Chance:
    """Random requests, over either protocol."""

    def __init__(self, seed: int, trader: Trader, account: Account) -> None:
        self.random, self.trader, self.account = random.Random(seed), trader, account
        self.clients = 0

    async def act(self) -> None:
        """Do one thing."""
        kind = self.random.choices(
            ("place", "amend", "edit", "cancel", "all", "batch"), (10, 3, 2, 4, 0.2, 1))[0]
        await getattr(self, kind)()

    def price(self, symbol: str) -> float:
        line = self.trader.face.lines[symbol]
        floor = self.trader.face.floor
        mid = floor.mid(symbol) / 10 ** floor.exchange.listed[symbol].symbol.price_decimals
        return float(round(mid * self.random.uniform(0.997, 1.003), line.tick_decimals))

    def wish(self, symbol: str) -> dict[str, Any]:
        size = {"BTC/USD": 0.02}.get(symbol, 0.5) * self.random.randint(1, 40) / 10
        row: dict[str, Any] = {
            "side": self.random.choice(("buy", "sell")), "order_type": "limit",
            "order_qty": round(size, 8), "limit_price": self.price(symbol),
            "time_in_force": self.random.choice(("gtc", "gtc", "gtc", "ioc", "fok")),
            "stp_type": self.random.choice(("cancel_newest", "cancel_oldest", "cancel_both")),
            "fee_preference": self.random.choice(("base", "quote")),
        }
        if self.random.random() < 0.2:
            row |= {"order_type": "market"}
            del row["limit_price"], row["time_in_force"]
        elif self.random.random() < 0.2:
            row |= {"post_only": True, "time_in_force": "gtc"}
        if self.random.random() < 0.5:
            self.clients += 1
            row["cl_ord_id"] = f"mine-{self.clients}"
        return row

    def send(self, method: str, **params: Any) -> None:
        token = self.account.socket.token
        self.account.socket.client.ask({"method": method, "params": params | {"token": token}})

    async def place(self) -> None:
        symbol = self.random.choice(SYMBOLS)
        row = self.wish(symbol)
        if self.random.random() < 0.7 or row["order_type"] == "market":
            self.send("add_order", symbol=symbol, **row)
            return
        fields = {
            "pair": symbol, "type": row["side"], "ordertype": "limit",
            "volume": row["order_qty"], "price": row["limit_price"],
            "timeinforce": row["time_in_force"].upper(),
            "stptype": row["stp_type"].replace("_", "-"),
            "oflags": "fcib" if row["fee_preference"] == "base" else "fciq",
        }
        await self.trader.post("AddOrder", **fields)

    def some(self) -> str | None:
        return self.random.choice(self.account.open) if self.account.open else None

    async def amend(self) -> None:
        if name := self.some():
            symbol = self.account.orders[name]["symbol"]
            if self.random.random() < 0.5:
                self.send("amend_order", order_id=name, limit_price=self.price(symbol))
            else:
                await self.trader.post("AmendOrder", txid=name, order_qty=round(
                    self.random.uniform(0.001, 0.1), 8))

    async def edit(self) -> None:
        if name := self.some():
            symbol = self.account.orders[name]["symbol"]
            self.send("edit_order", order_id=name, symbol=symbol, order_qty=0.25,
                      limit_price=self.price(symbol))

    async def cancel(self) -> None:
        if name := self.some():
            row = self.account.orders[name]
            if self.random.random() < 0.5:
                await self.trader.post("CancelOrder", txid=name)
            elif "cl_ord_id" in row:
                self.send("cancel_order", cl_ord_id=[row["cl_ord_id"]])
            else:
                self.send("cancel_order", order_id=[name])

    async def all(self) -> None:
        self.send("cancel_all")

    async def batch(self) -> None:
        rows = [self.wish("BTC/USD") for _ in range(3)]
        self.send("batch_add", symbol="BTC/USD", orders=rows)


def compare_events(account: Account, venue: Venue, name: str) -> None:
    truth = venue.world.account_truth("kraken", name)
    assert truth is not None
    told = {(asset, plain(total)) for asset, total in account.balances.items()}
    assert told == {(asset, plain(Decimal(free) + Decimal(locked)))
                    for asset, (free, locked) in truth.balances.items()}
    expected = {
        ids.order_id(order.id): (
            order.symbol, order.side, order.client_id, order.size, order.filled,
            "cancelled" if order.status == "expired" else order.status)
        for order in truth.orders}
    assert {
        order_id: (row["symbol"], row["side"], row.get("cl_ord_id", ""), plain(row["order_qty"]),
                   plain(row.get("cum_qty", Decimal(0))), STATUSES[row["order_status"]])
        for order_id, row in account.orders.items()} == expected
    assert {
        (exec_id, row["order_id"], row["symbol"], row["side"], plain(row["last_price"]),
         plain(row["last_qty"]), row["liquidity_ind"], plain(row["fees"][0]["qty"]),
         row["fees"][0]["asset"]) for exec_id, row in account.fills.items()
    } == {
        (ids.exec_id(fill.trade_id, taker=fill.taker), ids.order_id(fill.order_id), fill.symbol,
         fill.side, fill.price, fill.size, "t" if fill.taker else "m", fill.fee, fill.fee_asset)
        for fill in truth.fills}


async def compare_queries(trader: Trader, venue: Venue, name: str) -> None:
    truth = venue.world.account_truth("kraken", name)
    assert truth is not None
    balances = await trader.result("BalanceEx")
    assert {(asset, plain(row["balance"]), plain(row["hold_trade"]))
            for asset, row in balances.items()} == {
        (names.code(asset), plain(Decimal(free) + Decimal(locked)), plain(locked))
        for asset, (free, locked) in truth.balances.items()}
    still = await trader.result("OpenOrders")
    assert {(txid, plain(row["vol"]), plain(row["vol_exec"]), plain(row["descr"]["price"]))
            for txid, row in still["open"].items()} == {
        (ids.order_id(order.id), order.size, order.filled, order.price)
        for order in truth.orders if order.status == "open"}
    trades = dict[str, Any]()
    count = 1
    while len(trades) < count:
        page = await trader.result(
            "TradesHistory", ofs=len(trades), consolidate_taker="false")
        trades, count = trades | page["trades"], page["count"]
    assert {(txid, row["ordertxid"], plain(row["price"]), plain(row["vol"]), plain(row["fee"]))
            for txid, row in trades.items()} == {
        (ids.exec_id(fill.trade_id, taker=fill.taker), ids.order_id(fill.order_id), fill.price,
         fill.size, fill.fee) for fill in truth.fills}
    ledger = dict[str, Any]()
    count = 1
    while len(ledger) < count:
        page = await trader.result("Ledgers", ofs=len(ledger))
        ledger, count = ledger | page["ledger"], page["count"]
    totals = dict[str, Decimal]()
    for row in ledger.values():
        totals[row["asset"]] = (totals.get(row["asset"], Decimal(0)) + Decimal(row["amount"])
                                - Decimal(row["fee"]))
    assert {(asset, plain(total)) for asset, total in totals.items()} == {
        (asset, plain(row["balance"])) for asset, row in balances.items()}


@pytest.mark.parametrize("seed", [1, 2])
def test_after_hundreds_of_random_operations_both_views_equal_the_truth(seed: int) -> None:
    async def body() -> None:
        with unlimited():
            async with a_venue("kraken", *SYMBOLS) as venue:
                players = list[Chance]()
                for index, name in enumerate(("main", "other")):
                    trader = Trader(venue, name)
                    account = Account(await trader.connect())
                    players.append(Chance(seed * 10 + index, trader, account))
                    for channel in ("executions", "balances"):
                        await account.listen()
                        players[-1].send("subscribe", channel=channel)
                for turn in range(150):
                    for player in players:
                        await player.act()
                        await player.account.listen()
                    if turn % 10 == 0:
                        venue.step(0.5)
                for player in players:
                    await player.account.listen()
                    compare_events(player.account, venue, player.trader.account)
                    await compare_queries(player.trader, venue, player.trader.account)
                    assert len(player.account.fills) > 40
                    good = [each for each in player.account.answers if each.get("success")]
                    assert len(good) > 40

    run(body)
