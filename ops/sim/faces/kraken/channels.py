"""The private channels: who follows executions and balances, and with what options.

Each subscription numbers its messages: the snapshot is 1, a hole tells of a lost one.
Source: shared/venues/kraken.md (Private), 2026-11-21.
"""

from typing import Any, Final

import orjson

from ops.sim.exchange.events import (
    Accepted,
    Amended,
    Ended,
    Event,
    Fill,
    Transferred,
)
from ops.sim.exchange.orders import Status
from ops.sim.face import Outlet, Session, Topic
from ops.sim.faces.kraken.instruments import Instrument
from ops.sim.faces.kraken.journal import Journal
from ops.sim.faces.kraken.limits import TRADING_MAX
from ops.sim.faces.kraken.params import Params
from ops.sim.faces.kraken.reports import Reports, Row, holding, movement
from ops.sim.faces.kraken.trading import Trading
from ops.sim.floor import Floor

EXECUTIONS: Final = "executions"
BALANCES: Final = "balances"
CHANNELS: Final = (EXECUTIONS, BALANCES)
SNAP_TRADES_MAX: Final = 50
CHANNEL_AT: Final = len('{"channel":"')
_ALL, _RATE = "+all", "+rate"  # suffixes of an executions topic: what its followers asked for
VARIANTS: Final = tuple(
    (f"@{EXECUTIONS}{every}{rate}", bool(every), bool(rate))
    for every in (_ALL, "") for rate in (_RATE, ""))
FIELDS: Final = frozenset({
    "channel", "token", "snapshot", "snapshot_trades", "snapshot_orders", "snap_trades",
    "snap_orders", "order_status", "ratecounter", "rebased", "users",
})


class Channels:
    """Hears what happens and tells the accounts' connections."""

    def __init__(
        self, floor: Floor, outlet: Outlet, instruments: dict[str, Instrument],
        trading: Trading, journal: Journal,
    ) -> None:
        self._floor, self._outlet, self._instruments = floor, outlet, instruments
        self._trading, self._journal = trading, journal
        self._reports = Reports(floor, instruments)

    # --- subscriptions -------------------------------------------------------------------------

    def subscribe(self, session: Session, account: str, params: Params) -> dict[str, Any]:
        """Let a session follow a channel; return the acknowledgement's ``result``."""
        params.only(FIELDS, "subscribe")
        channel = params.text("channel")
        self.unsubscribe(session, channel)
        if channel == BALANCES:
            session.subscribe((f"@{BALANCES}", account), channel)
            return {"channel": channel, "snapshot": params.flag("snapshot", default=True)}
        every, rate = params.flag("order_status", default=True), params.flag("ratecounter")
        name = f"@{EXECUTIONS}{_ALL * every}{_RATE * rate}"
        result = {
            "channel": channel, "maxratecount": TRADING_MAX,
            "snap_orders": params.flag("snap_orders", default=True),
            "snap_trades": params.flag("snap_trades"),
        }
        for word in ("order_status", "ratecounter"):
            if word in params:
                result[word] = params.flag(word)
        session.subscribe((name, account), channel)
        return result

    def unsubscribe(self, session: Session, channel: str) -> bool:
        """Let a session no longer follow a channel; return whether it did."""
        mine = [topic for topic in session.topics if topic[0].startswith(f"@{channel}")]
        for topic in mine:
            session.unsubscribe(topic)
        session.state.pop(channel, None)
        return bool(mine)

    def snapshot(self, session: Session, account: str, result: dict[str, Any]) -> None:
        """Send the first message of a subscription."""
        topic = next(each for each in session.topics
                     if each[0].startswith(f"@{result['channel']}"))
        if result["channel"] == BALANCES:
            if result["snapshot"]:
                rows = [holding(asset, free + locked) for asset, (free, locked)
                        in sorted(self._floor.exchange.balances(account).items())]
                session.push(topic, _snapshot(BALANCES, rows))
            return
        if result["snap_orders"] or result["snap_trades"]:
            rows = self._orders(account) if result["snap_orders"] else []
            rows += self._trades(account) if result["snap_trades"] else []
            session.push(topic, _snapshot(EXECUTIONS, rows))

    def _orders(self, account: str) -> list[Row]:
        return [self._reports.standing(order, self._trading.tickets[order.id])
                for order in self._floor.exchange.accounts.by_name[account].orders.values()]

    def _trades(self, account: str) -> list[Row]:
        rows = list[Row]()
        registry = self._floor.exchange.registry
        for fill in registry.fills_since(account, 0)[-SNAP_TRADES_MAX:]:
            order = registry.find(account, order_id=fill.order_id)
            if order is not None:
                rows.append(self._reports.traded(
                    fill, order, self._trading.tickets[order.id], status="filled"))
        return rows

    # --- events --------------------------------------------------------------------------------

    def heard(self, event: Event) -> None:
        """Tell of one event; the order shows the state as of it."""
        tickets = self._trading.tickets
        if isinstance(event, Accepted):
            ticket, order = self._trading.accepted(event), event.order
            self._tell(order.account, order.symbol, self._reports.pending(order, ticket))
            self._tell(order.account, order.symbol, self._reports.live(order, ticket), state=True)
        elif isinstance(event, Amended):
            order, ticket = event.order, tickets[event.order.id]
            ticket.amended = True
            self._tell(order.account, order.symbol, self._reports.amended(order, ticket))
        elif isinstance(event, Ended):
            order = event.order
            self._tell(order.account, order.symbol,
                       self._reports.ended(order, tickets[order.id]), state=True)
        elif isinstance(event, Fill):
            self._filled(event)
        elif isinstance(event, Transferred):
            rows = [movement(each) for each in self._journal.transferred(event)]
            self._publish((f"@{BALANCES}", event.account), rows)

    def _filled(self, fill: Fill) -> None:
        order = self._floor.exchange.registry.find(fill.account, order_id=fill.order_id)
        assert order is not None, "a fill of an order that the exchange does not know"
        ticket, instrument = self._trading.tickets[order.id], self._instruments[fill.symbol]
        entries = self._journal.filled(fill, instrument)
        ticket.fee += fill.fee
        ticket.fee_asset = fill.fee_asset
        ticket.trades.append(entries[0].ref)
        row = self._reports.traded(fill, order, ticket, status="partially_filled")
        self._tell(order.account, order.symbol, row, state=True)
        if order.status is Status.FILLED:
            self._tell(order.account, order.symbol,
                       self._reports.ended(order, ticket), state=True)
        self._publish((f"@{BALANCES}", fill.account), [movement(each) for each in entries])

    def _tell(self, account: str, symbol: str, row: Row, *, state: bool = False) -> None:
        """Publish an execution; ``state``: it opens, trades or closes, which all followers get."""
        for name, every, rate in VARIANTS:
            if every or state:
                extra = {"ratecounter": self._trading.level(account, symbol)} if rate else {}
                self._publish((name, account), [row | extra])

    def _publish(self, topic: Topic, rows: list[Row]) -> None:
        if self._outlet.wanted(topic):
            self._outlet.publish(topic, orjson.dumps(rows))

    # --- frames --------------------------------------------------------------------------------

    @staticmethod
    def wrap(topic: Topic, body: bytes) -> bytes:
        """Return the update that carries ``body``, without its number."""
        channel = topic[0][1:].partition("+")[0].encode()
        return b'{"channel":"%b","type":"update","data":%b}' % (channel, body)

    @staticmethod
    def stamp(session: Session, text: bytes) -> bytes:
        """Add the number of a message within its subscription."""
        channel = text[CHANNEL_AT : text.index(b'"', CHANNEL_AT)].decode()
        session.state[channel] = session.state.get(channel, 0) + 1
        return b'%b,"sequence":%d}' % (text[:-1], session.state[channel])


def _snapshot(channel: str, rows: list[Row]) -> bytes:
    return orjson.dumps({"channel": channel, "type": "snapshot", "data": rows})
