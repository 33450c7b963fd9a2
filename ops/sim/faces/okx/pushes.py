"""The private channels: what happens to an account's orders and money, told as it happens.

Source: shared/venues/okx.md, Private streams, 2026-11-21.  ``orders`` has no snapshot; a
post-only order that would take is told of once, cancelled (since mid-August 2026).
"""

from typing import Any, Final

import orjson

from ops.sim.exchange.events import Accepted, Amended, BalanceChanged, Ended, Event, Fill
from ops.sim.exchange.orders import BUY, SELL, Order
from ops.sim.face import Outlet, Topic
from ops.sim.faces.okx.account import Wallet, uid_of
from ops.sim.faces.okx.rows import MS, Rows
from ops.sim.faces.okx.tickets import Tickets
from ops.sim.floor import Floor
from ops.sim.truth import money

CHANNELS: Final = ("orders", "account", "positions", "balance_and_position")
TRADES_MAX: Final = 100  # told with one change of a balance
KINDS: Final = ("SPOT", "ANY")


def private_topic(arg: dict[str, Any], account: str) -> Topic:
    """Return what is published to those who subscribed ``arg``; its name holds what it asks for."""
    channel = arg["channel"]
    parts: list[object] = ["", ""]
    if channel in ("orders", "positions"):
        parts = [arg.get("instType"), arg.get("instId")]
    elif channel == "account":
        parts = [arg.get("ccy"), "events" if events_only(arg) else ""]
    return "@" + "/".join([channel, *(str(part or "") for part in parts)]), account


def events_only(arg: dict[str, Any]) -> bool:
    """Return whether balances are not to be repeated while nothing happens."""
    return "updateInterval" in str(arg.get("extraParams", ""))


def prefix(arg: dict[str, Any], venue: str, account: str) -> str:
    """Return how every push to a subscription begins."""
    return '{"arg":' + orjson.dumps(arg | {"uid": uid_of(venue, account)}).decode() + ","


class Pushes:
    """Turns the matching engine's events into what the venue pushes, less how it begins."""

    def __init__(
        self, floor: Floor, outlet: Outlet, tickets: Tickets, rows: Rows, wallet: Wallet
    ) -> None:
        self._floor, self._outlet, self._tickets = floor, outlet, tickets
        self._rows, self._wallet = rows, wallet
        exchange = floor.exchange
        self._cash = {
            (account, asset): free + locked for account in exchange.accounts.by_name
            for asset, (free, locked) in exchange.balances(account).items()}
        self._trades: dict[str, tuple[int, list[dict[str, str]]]] = {}  # of the last operation

    def heard(self, event: Event) -> None:
        """Tell of one event, in the middle of the operation it belongs to."""
        if isinstance(event, Accepted):
            self._tickets.accept(event.order)
            if not self._would_take(event.order):
                self._order(event.order)
        elif isinstance(event, Fill):
            self._fill(event)
        elif isinstance(event, Ended):
            self._order(event.order)
        elif isinstance(event, Amended):
            self._order(event.order)
            ticket = self._tickets.of(event.order)
            ticket.request_id, ticket.amended = "", False
        elif isinstance(event, BalanceChanged):
            self._balance(event)

    # --- orders --------------------------------------------------------------------------------

    def _would_take(self, order: Order) -> bool:
        if not order.post_only:
            return False
        best = self._floor.exchange.depth(order.symbol, SELL if order.side == BUY else BUY, 1)
        return bool(best) and best[0][0] * order.side <= order.price * order.side

    def _fill(self, fill: Fill) -> None:
        order = self._floor.exchange.registry.find(fill.account, order_id=fill.order_id)
        assert order is not None, "a fill is of an order that is remembered"
        self._tickets.fill(order, fill)
        at_ns, trades = self._trades.get(fill.account, (0, []))
        if at_ns != fill.now_ns:
            trades = []
            self._trades[fill.account] = (fill.now_ns, trades)
        if len(trades) < TRADES_MAX:
            trades.append({"instId": fill.symbol, "tradeId": str(fill.trade_id)})
        self._order(order, fill)

    def _order(self, order: Order, fill: Fill | None = None) -> None:
        topics = [(f"@orders/{kind}/{native}", order.account)
                  for kind in KINDS for native in ("", order.symbol)]
        topics = [topic for topic in topics if self._outlet.wanted(topic)]
        if topics:
            usd = self._wallet.usd(self._rows.symbol(order.symbol).quote)
            body = b'"data":' + orjson.dumps([self._rows.pushed(order, fill, usd)]) + b"}"
            for topic in topics:
                self._outlet.publish(topic, body)

    # --- money ---------------------------------------------------------------------------------

    def _balance(self, event: BalanceChanged) -> None:
        account, asset = event.account, event.asset
        self._wallet.changed(account, asset, event.now_ns)
        for wanted in (asset, ""):
            for suffix in ("events", ""):
                topic = (f"@account/{wanted}/{suffix}", account)
                if self._outlet.wanted(topic):
                    row = self._wallet.around(
                        [self._wallet.detail(account, asset, event.free, event.locked)])
                    self._outlet.publish(topic, page("event_update", [row]))
        cash = event.free + event.locked
        if cash == self._cash.get((account, asset), 0):
            return
        self._cash[account, asset] = cash
        topic = ("@balance_and_position//", account)
        if self._outlet.wanted(topic):
            at_ns, trades = self._trades.get(account, (0, []))
            traded = at_ns == event.now_ns and bool(trades)
            kind = "filled" if traded else "transferred"
            body = self._quick(account, kind, {asset: cash}, trades if traded else [])
            self._outlet.publish(topic, body)

    def _quick(
        self, account: str, kind: str, cash: dict[str, int], trades: list[dict[str, str]]
    ) -> bytes:
        row = {
            "pTime": str(self._floor.now_ns() // MS), "eventType": kind,
            "balData": [{"ccy": asset, "cashBal": money(amount),
                         "uTime": self._wallet.changed_ms(account, asset)}
                        for asset, amount in sorted(cash.items())],
            "posData": [], "trades": trades,
        }
        return b'"data":' + orjson.dumps([row]) + b"}"

    def first(self, arg: dict[str, Any], account: str) -> bytes | None:
        """Return what a new subscriber hears at once, None: nothing."""
        channel = arg["channel"]
        if channel == "account":
            return self.balances(arg, account, "snapshot")
        if channel == "balance_and_position":
            cash = {asset: free + locked for asset, (free, locked)
                    in self._floor.exchange.balances(account).items() if free + locked}
            return self._quick(account, "snapshot", cash, [])
        return page("snapshot", []) if channel == "positions" else None

    def balances(self, arg: dict[str, Any], account: str, kind: str) -> bytes:
        """Return all balances that a subscription is about."""
        wanted = [str(arg["ccy"])] if arg.get("ccy") else []
        return page(kind, [self._wallet.summary(account, wanted)])


def page(kind: str, rows: list[dict[str, Any]]) -> bytes:
    """Return the one page that a push of balances or positions is."""
    return (f'"eventType":"{kind}","curPage":1,"lastPage":true,"data":'.encode()
            + orjson.dumps(rows) + b"}")
