"""The user stream of USD-M: what happened to orders, positions and money.

Source: developers.binance.com/docs/derivatives/usds-margined-futures/user-data-streams, read
2026-11-21.  Every kind of event is a private topic of its own, as clients may choose among them.
ORDER_TRADE_UPDATE goes out with the event; ACCOUNT_UPDATE when the operation has settled, once
per asset and reason, and never for orders that only rest or end.
"""

from typing import Final

import orjson

from ops.sim.exchange.events import (
    Accepted,
    Amended,
    BalanceChanged,
    Covered,
    Ended,
    Event,
    Fill,
    Funded,
    PositionChanged,
    Transferred,
)
from ops.sim.exchange.orders import Kind, Order, Status, Tif, Why
from ops.sim.face import Outlet, Topic
from ops.sim.faces.binance.usdm_account import Accounts
from ops.sim.faces.binance.usdm_text import STP_NAMES, Rows, money, side_of, status_of, tif_of
from ops.sim.faces.binance.usdm_trade import Trading
from ops.sim.floor import Floor

ORDER: Final = "ORDER_TRADE_UPDATE"
LITE: Final = "TRADE_LITE"
ACCOUNT: Final = "ACCOUNT_UPDATE"
CONFIG: Final = "ACCOUNT_CONFIG_UPDATE"
EVENTS: Final = (ORDER, LITE, ACCOUNT, CONFIG)
EXPIRY: Final = {  # why an order ended, as the venue numbers it
    Why.SELF_TRADE: "1", Why.IOC: "2", Why.REDUCE_ONLY: "4", Why.MARGIN: "5",
    Why.NO_LIQUIDITY: "9",
}
SELF_TRADE_IOC: Final = "3"


def topic_of(event: str, account: str) -> Topic:
    """Return the private topic of one kind of event."""
    return "@" + event, account


class _Moved:
    """What moved an account's money in the operation that is going on."""

    def __init__(self) -> None:
        self.amount = 0  # beside profit and commission
        self.symbols: dict[str, None] = {}


class UserStream:
    """Turns private events into the venue's messages."""

    def __init__(
        self, floor: Floor, outlet: Outlet, rows: Rows, trading: Trading, accounts: Accounts,
    ) -> None:
        self._floor, self._outlet, self._rows = floor, outlet, rows
        self._trading, self._accounts = trading, accounts
        self._moved: dict[tuple[str, str], dict[str, _Moved]] = {}  # account, asset -> reason

    def heard(self, event: Event) -> None:
        """Tell of one event; in the middle of an operation."""
        if isinstance(event, Fill):
            self._filled(event)
        elif isinstance(event, Accepted):
            self._order(event.order, "NEW")
        elif isinstance(event, Amended):
            self._order(event.order, "AMENDMENT")
        elif isinstance(event, Ended):
            expired = event.order.status is Status.EXPIRED
            self._order(event.order, "EXPIRED" if expired else "CANCELED")
        elif isinstance(event, PositionChanged):
            asset = self._floor.exchange.listed[event.symbol].symbol.quote
            moved = self._reason(event.account, asset, "ORDER")
            moved.symbols[event.symbol] = None
            self._accounts.updated_ms[event.account, event.symbol] = event.now_ns // 1_000_000
        elif isinstance(event, Funded):
            self._reason(event.account, event.asset, "FUNDING_FEE").amount += event.amount
        elif isinstance(event, Transferred):
            reason = "DEPOSIT" if event.amount > 0 else "WITHDRAW"
            self._reason(event.account, event.asset, reason).amount += event.amount
        elif isinstance(event, Covered):
            self._reason(event.account, event.asset, "INSURANCE_CLEAR").amount += event.amount
        elif isinstance(event, BalanceChanged):
            self._balance(event)

    def _reason(self, account: str, asset: str, reason: str) -> _Moved:
        return self._moved.setdefault((account, asset), {}).setdefault(reason, _Moved())

    # --- orders --------------------------------------------------------------------------------

    def _order(self, order: Order, execution: str) -> None:
        topic = topic_of(ORDER, order.account)
        if self._outlet.wanted(topic):
            self._outlet.publish(topic, self._report(order, execution, None))

    def _filled(self, fill: Fill) -> None:
        order = self._floor.exchange.registry.find(fill.account, order_id=fill.order_id)
        assert order is not None, f"order {fill.order_id} filled and is forgotten"
        for event, write in ((LITE, self._lite), (ORDER, self._trade)):
            topic = topic_of(event, fill.account)
            if self._outlet.wanted(topic):
                self._outlet.publish(topic, write(order, fill))

    def _trade(self, order: Order, fill: Fill) -> bytes:
        return self._report(order, "TRADE", fill)

    def _report(self, order: Order, execution: str, fill: Fill | None) -> bytes:
        """Write ORDER_TRADE_UPDATE of an order as it stands at this event."""
        numbers, terms = self._rows.numbers[order.symbol], self._trading.terms(order)
        kind = "LIMIT" if order.kind is Kind.LIMIT else "MARKET"
        time_ms = (fill.now_ns if fill else order.updated_ns) // 1_000_000
        charged: dict[str, object] = {"N": fill.fee_asset, "n": money(fill.fee)} if fill else {}
        ended = execution == "EXPIRED" and order.why is not None
        return orjson.dumps({
            "e": ORDER, "E": self._floor.now_ns() // 1_000_000, "T": time_ms, "o": {
                "s": order.symbol, "c": order.client_id, "S": side_of(order.side), "o": kind,
                "f": tif_of(order, terms), "q": numbers.size(order.size),
                "p": numbers.price(order.price),
                "ap": numbers.average(order.value, order.filled), "sp": "0", "x": execution,
                "X": status_of(order), "i": order.id,
                "l": numbers.size(fill.size if fill else 0), "z": numbers.size(order.filled),
                "L": numbers.price(fill.price if fill else 0), **charged, "T": time_ms,
                "t": fill.trade_id if fill else 0, "b": "0", "a": "0",
                "m": fill is not None and not fill.taker, "R": order.reduce_only,
                "wt": "CONTRACT_PRICE", "ot": kind, "ps": "BOTH", "cp": False,
                "rp": money(fill.pnl) if fill else "0", "pP": False, "si": 0, "ss": 0,
                "V": STP_NAMES[order.stp], "pm": terms.price_match, "gtd": terms.good_till_ms,
                "er": _expiry(order) if ended else "0",
            },
        })

    def _lite(self, order: Order, fill: Fill) -> bytes:
        numbers = self._rows.numbers[order.symbol]
        return orjson.dumps({
            "e": LITE, "E": self._floor.now_ns() // 1_000_000, "T": fill.now_ns // 1_000_000,
            "s": order.symbol, "q": numbers.size(order.size), "p": numbers.price(order.price),
            "m": not fill.taker, "c": order.client_id, "S": side_of(order.side),
            "L": numbers.price(fill.price), "l": numbers.size(fill.size), "t": fill.trade_id,
            "i": order.id,
        })

    # --- money and positions -------------------------------------------------------------------

    def _balance(self, event: BalanceChanged) -> None:
        """Tell of a settled operation; one that only locked or freed margin moved nothing."""
        for reason, moved in self._moved.pop((event.account, event.asset), {}).items():
            self._accounts.updated_ms[event.account, event.asset] = event.now_ns // 1_000_000
            topic = topic_of(ACCOUNT, event.account)
            if self._outlet.wanted(topic):
                self._outlet.publish(topic, self._update(event, reason, moved))

    def _update(self, event: BalanceChanged, reason: str, moved: _Moved) -> bytes:
        """Write ACCOUNT_UPDATE."""
        wallet = event.free + event.locked
        isolated = self._accounts.wallet(event.account, event.asset).isolated
        return orjson.dumps({
            "e": ACCOUNT, "E": self._floor.now_ns() // 1_000_000,
            "T": event.now_ns // 1_000_000, "a": {
                "m": reason, "B": [{
                    "a": event.asset, "wb": money(wallet), "cw": money(wallet - isolated),
                    "bc": money(moved.amount) if moved.amount else "0",
                }],
                "P": [self._position(event.account, native) for native in moved.symbols],
            },
        })

    def _position(self, account: str, native: str) -> dict[str, object]:
        position, numbers = self._floor.exchange.position(account, native), self._rows.numbers[
            native]
        isolated = self._accounts.setting(account, native).isolated
        return {
            "s": native, "pa": numbers.size(position.size),
            "ep": numbers.average(position.cost, position.size),
            "bep": self._accounts.break_even(account, native, position),
            "cr": money(position.realised),
            "up": money(self._accounts.unrealised(native, position)),
            "mt": "isolated" if isolated else "cross",
            "iw": money(position.margin) if isolated else "0", "ps": "BOTH",
        }

    # --- settings ------------------------------------------------------------------------------

    def leverage(self, account: str, native: str, leverage: int) -> None:
        """Tell of a contract's new leverage."""
        topic, now_ms = topic_of(CONFIG, account), self._floor.now_ns() // 1_000_000
        if self._outlet.wanted(topic):
            self._outlet.publish(topic, orjson.dumps({
                "e": CONFIG, "E": now_ms, "T": now_ms, "ac": {"s": native, "l": leverage}}))


def _expiry(order: Order) -> str:
    if order.why is Why.SELF_TRADE and order.tif is Tif.IOC:
        return SELF_TRADE_IOC
    return EXPIRY.get(order.why, "0") if order.why else "0"
