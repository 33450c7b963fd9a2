"""After hundreds of random operations a client of OKX knows what the venue's ledger knows."""

from random import Random
from typing import Any

import pytest

from ops.sim.faces.okx.limits import Limits
from tests.ops.sim.faces.okx.client import Row, Trader, a_trader, order
from tests.ops.sim.wire import Client, plain, run

CHANNELS = ({"channel": "orders", "instType": "ANY"}, {"channel": "account"},
            {"channel": "balance_and_position"})
CODES = {"BTC-USDT": 100_000, "ETH-USDT": 100_001}
STATES = {"open": ("live", "partially_filled"), "filled": ("filled",),
          "cancelled": ("canceled",), "expired": ("canceled",)}


class View:
    """What the pushes alone say: orders, fills, and the balances of the account channel."""

    def __init__(self) -> None:
        self.orders: dict[str, Row] = {}
        self.fills: dict[tuple[str, str], Row] = {}
        self.balances: dict[str, tuple[str, str]] = {}
        self.cash: dict[str, str] = {}

    def take(self, stream: Client) -> None:
        """Apply all frames since the last time."""
        for frame in stream.take():
            if "data" not in frame or "arg" not in frame:
                continue
            for row in frame["data"]:
                if frame["arg"]["channel"] == "orders":
                    self.orders[row["ordId"]] = row
                    if row["tradeId"]:
                        self.fills[row["tradeId"], row["ordId"]] = row
                elif frame["arg"]["channel"] == "account":
                    self.balances |= {each["ccy"]: (each["availBal"], each["frozenBal"])
                                      for each in row["details"]}
                else:
                    self.cash |= {each["ccy"]: each["cashBal"] for each in row["balData"]}


class Wanderer:
    """A client that does anything, anywhere near the market, by either door."""

    def __init__(self, trader: Trader, stream: Client, seed: int) -> None:
        self.trader, self.stream, self.chance = trader, stream, Random(seed)
        self.number = 0

    def near(self, native: str) -> str:
        """Return a price within a few ticks of the touch, or further away."""
        line = self.trader.face.lines[native]
        touch, chance = line.book.touch(), self.chance
        return line.plain_price(
            chance.choice((touch.bid, touch.ask)) + chance.choice((-300, -3, -1, 0, 1, 3, 300)))

    def order(self, native: str) -> Row:
        """Return a random order."""
        self.number += 1
        kind = self.chance.choice(["limit", "limit", "limit", "post_only", "ioc", "fok", "market"])
        side = self.chance.choice(["buy", "sell"])
        body = order(
            side, kind, instId=native, px=self.near(native) if kind != "market" else None,
            sz=f"{self.chance.uniform(0.0005, 0.9):.6f}", clOrdId=f"w{self.number}")
        if kind != "fok":
            body["stpMode"] = self.chance.choice(["cancel_maker", "cancel_taker", "cancel_both"])
        if kind == "market" and self.chance.random() < 0.5:
            body |= {"sz": str(self.chance.randrange(50, 5000)), "tgtCcy": "quote_ccy"}
        elif kind == "market":
            body["tgtCcy"] = "base_ccy"
        return body

    def change(self, native: str, order_id: str) -> Row:
        """Return a random amendment."""
        body = {"instId": native, "ordId": order_id}
        if self.chance.random() < 0.6:
            body["newPx"] = self.near(native)
        return body | {"newSz": f"{self.chance.uniform(0.0005, 0.9):.6f}"}

    async def step(self) -> None:
        """Do one thing."""
        exchange, chance = self.trader.floor.exchange, self.chance
        native = chance.choice(sorted(CODES))
        mine = exchange.open_orders(self.trader.account, native)
        what = chance.choice(["place"] * 5 + ["cancel", "amend", "amend"])
        if what == "place" or not mine:
            await self.send("order", "trade/order", self.order(native))
        elif what == "cancel":
            body = {"instId": native, "ordId": str(chance.choice(mine).id)}
            await self.send("cancel-order", "trade/cancel-order", body)
        else:
            body = self.change(native, str(chance.choice(mine).id))
            await self.send("amend-order", "trade/amend-order", body)

    async def send(self, op: str, verb: str, body: Row) -> None:
        """Send over WebSocket most of the time."""
        if self.chance.random() < 0.1:
            await self.trader.post(verb, body)
            return
        coded: dict[str, Any] = {k: v for k, v in body.items() if k != "instId"}
        coded["instIdCode"] = CODES[body["instId"]]
        self.stream.ask({"id": str(self.number), "op": op, "args": [coded]})


async def everything(trader: Trader, verb: str, name: str, **query: str) -> list[Row]:
    """Read all pages."""
    rows = list[Row]()
    while page := await trader.get(
            verb, **query, **({"after": rows[-1][name]} if rows else {})):
        rows += page
    return rows


async def compare(trader: Trader, view: View) -> None:
    """Compare the view, and what questions tell, with the venue's own ledger."""
    truth = trader.venue.world.account_truth("okx", trader.account)
    assert truth is not None
    known = {row["ordId"]: row for row in
             await everything(trader, "trade/orders-pending", "ordId")
             + await everything(trader, "trade/orders-history", "ordId", instType="SPOT")}
    assert len(known) == len(truth.orders) == len(view.orders)
    for each in truth.orders:
        for row in (known[str(each.id)], view.orders[str(each.id)]):
            assert plain(row["accFillSz"]) == each.filled
            assert (row["clOrdId"], row["side"]) == (each.client_id, each.side)
            if each.status == "cancelled" and row["state"] == "filled":
                assert float(row["sz"]) <= float(each.filled)  # amended to what had filled
                continue
            assert row["state"] in STATES[each.status], (each, row)
            if row["px"]:
                assert (row["px"], row["sz"]) == (each.price, each.size)
    fills = {(row["tradeId"], row["ordId"]): row
             for row in await everything(trader, "trade/fills", "billId")}
    assert set(fills) == set(view.fills) == {
        (str(each.trade_id), str(each.order_id)) for each in truth.fills}
    for fill in truth.fills:
        key = (str(fill.trade_id), str(fill.order_id))
        told, asked = view.fills[key], fills[key]
        assert (told["fillPx"], told["fillSz"]) == (fill.price, fill.size)
        assert (asked["fillPx"], asked["fillSz"]) == (fill.price, fill.size)
        assert told["execType"] == asked["execType"] == ("T" if fill.taker else "M")
        for fee, asset in ((told["fillFee"], told["fillFeeCcy"]), (asked["fee"],
                                                                   asked["feeCcy"])):
            assert (fee, asset) == (f"-{fill.fee}" if fill.fee != "0" else "0", fill.fee_asset)
    held = {row["ccy"]: (row["availBal"], row["frozenBal"])
            for row in (await trader.get("account/balance"))[0]["details"]}
    assert held == view.balances == truth.balances
    for asset, cash in view.cash.items():
        free, locked = (float(each) for each in truth.balances[asset])
        assert float(cash) == pytest.approx(free + locked)


@pytest.mark.parametrize("seed", [1, 2])
def test_pushes_and_questions_agree_with_the_ledger_after_hundreds_of_operations(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Limits, "entry", lambda *_args, **_more: None)  # hundreds in a second
    monkeypatch.setattr(Limits, "private", lambda *_args: True)

    async def body() -> None:
        async with a_trader("BTC/USDT", "ETH/USDT") as first:
            everyone = [first, Trader(first.venue, "other")]  # they trade with each other, too
            streams = [await each.stream(*CHANNELS) for each in everyone]
            wanderers = [Wanderer(trader, stream, seed + number) for number, (trader, stream)
                         in enumerate(zip(everyone, streams, strict=True))]
            views = [View(), View()]
            for step in range(150):
                for wanderer in wanderers:
                    await wanderer.step()
                if step % 5 == 0:
                    first.venue.step(0.5)
                if step % 50 == 49:
                    for stream in (*streams, *streams):  # what one does, the other hears
                        await stream.settle()
                    for trader, stream, view in zip(everyone, streams, views, strict=True):
                        view.take(stream)
                        await compare(trader, view)
            for view in views:
                assert len(view.fills) > 30
                assert {row["state"] for row in view.orders.values()} >= {"filled", "canceled"}
            assert {key[0] for key in views[0].fills} & {key[0] for key in views[1].fills}

    run(body)
