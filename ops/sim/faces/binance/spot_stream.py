"""Binance spot's user stream: every private event of the matching engine, in the venue's words.

Events are written while they happen, so an order shows as it stood then.  Balances of one
operation go out together, as soon as it is over.
Source: binance-spot-api-docs:user-data-stream.md @ a5e0bc3, 2026-11-21.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import msgspec
import orjson

from ops.sim.exchange.events import (
    Accepted,
    Amended,
    BalanceChanged,
    Ended,
    Event,
    Fill,
    Prevented,
    Transferred,
)
from ops.sim.exchange.orders import Order, Stp
from ops.sim.face import Outlet
from ops.sim.faces.binance.limits import Limits
from ops.sim.faces.binance.numbers import Numbers
from ops.sim.faces.binance.spot_notes import Amendment, Note, Notes, PreventedMatch
from ops.sim.faces.binance.spot_orders import Reader, Ticket
from ops.sim.faces.binance.spot_reports import MS, Reports, Row, status_word
from ops.sim.floor import Floor

US: Final = 1_000
CHANNELS: Final = {MS: "@user", US: "@user in us"}  # by unit of time
MAKER_CREDIT: Final = 5  # how much a first fill as maker takes off the order count


class Act(msgspec.Struct):
    """What a client's request is doing right now, and what came of it."""

    ticket: Ticket | None = None
    cancel_id: str = ""
    new_id: str = ""  # of an amended order
    old_size: int = 0  # before the amendment
    execution_id: int = 0  # of the newest report
    fills: list[Fill] = []
    matches: list[PreventedMatch] = []


class UserStream:
    """Turns events into messages; knows what the request in progress asked for."""

    def __init__(
        self, floor: Floor, outlet: Outlet, numbers: Numbers, notes: Notes, reports: Reports,
        reader: Reader, limits: Limits,
    ) -> None:
        self._floor, self._outlet, self._numbers = floor, outlet, numbers
        self._notes, self._reports, self._reader = notes, reports, reader
        self._limits = limits
        self._act = Act()
        self._execution_id = 0
        self._moved: dict[str, dict[str, tuple[int, int]]] = {}  # account -> asset -> balance
        self._traded: dict[str, set[str]] = {}  # account -> symbols of the reports since
        self._matched: dict[int, PreventedMatch] = {}  # orders about to end by their match
        self.updated_ns: dict[str, int] = {}  # accounts' last changes of money

    @contextmanager
    def acting(self, act: Act) -> Iterator[Act]:
        """Let events belong to a client's request; tell of balances when it is done."""
        self._act = act
        try:
            yield act
        finally:
            self._act = Act()
            self.flush()

    def heard(self, event: Event) -> None:
        """Tell of one event."""
        if isinstance(event, Fill):
            self._fill(event)
        elif isinstance(event, Accepted):
            self._accepted(event)
        elif isinstance(event, Ended):
            self._ended(event)
        elif isinstance(event, Amended):
            self._amended(event)
        elif isinstance(event, Prevented):
            self._prevented(event)
        elif isinstance(event, BalanceChanged):
            self.updated_ns[event.account] = event.now_ns
            self._moved.setdefault(event.account, {})[event.asset] = (event.free, event.locked)
        elif isinstance(event, Transferred):
            self._transferred(event)

    def flush(self) -> None:
        """Tell of the balances that the last operation changed."""
        if not self._moved:
            return
        now_ns, exchange = self._floor.now_ns(), self._floor.exchange
        moved, self._moved = self._moved, {}
        traded, self._traded = self._traded, {}
        for account, assets in moved.items():
            for symbol in (exchange.listed[native].symbol for native in traded.get(account, ())):
                for asset in {symbol.base, symbol.quote} - assets.keys():
                    assets[asset] = exchange.balance(account, asset)
            rows = [{"a": asset, "f": self._numbers.money(free), "l": self._numbers.money(locked)}
                    for asset, (free, locked) in sorted(assets.items())]
            self._publish(account, lambda unit, account=account, rows=rows: {  # type: ignore[misc]
                "e": "outboundAccountPosition", "E": now_ns // unit,
                "u": self.updated_ns[account] // unit, "B": rows})

    # --- events --------------------------------------------------------------------------------

    def _accepted(self, event: Accepted) -> None:
        ticket, order = self._act.ticket, event.order
        if ticket is not None:
            self._notes.write(order, Note(
                order.created_ns, ticket.stp, ticket.request.quote, ticket.strategy))
        self._report(order, "NEW", event.now_ns)

    def _fill(self, event: Fill) -> None:
        order = self._floor.exchange.registry.find(
            event.account, order_id=event.order_id)
        assert order is not None, "a fill's order is remembered"
        if event.filled == event.size:
            self._limits.filled(
                self._floor.mono_ns(), event.account, 1 if event.taker else MAKER_CREDIT)
        self._act.fills.append(event)
        self._report(order, "TRADE", event.now_ns, fill=event)

    def _ended(self, event: Ended) -> None:
        order = event.order
        word = status_word(order)
        if word == "EXPIRED_IN_MATCH":
            self._prevention(order, self._matched.pop(order.id), event.now_ns)
        elif word == "CANCELED":
            self._report(order, "CANCELED", event.now_ns, original=order.client_id,
                         client_id=self._act.cancel_id or self._reader.new_id())
        else:
            self._report(order, "EXPIRED", event.now_ns)

    def _amended(self, event: Amended) -> None:
        order, act = event.order, self._act
        self._report(order, "REPLACED", event.now_ns, client_id=act.new_id,
                     original=order.client_id)
        act.execution_id = self._execution_id
        note = self._notes.of(order)
        note.amendments = [*note.amendments, Amendment(
            self._execution_id, order.client_id, act.new_id, act.old_size, order.size,
            event.now_ns)]

    def _prevented(self, event: Prevented) -> None:
        """Remember a self-trade that did not happen; tell of the orders that outlive it."""
        taker, maker, stp = event.taker, event.maker, event.taker.stp
        decrement = stp is Stp.DECREMENT
        taken = event.size if decrement else taker.remaining
        made = event.size if decrement else maker.remaining
        match = self._notes.prevent(taker.account, PreventedMatch(
            0, taker.symbol, taker.id, maker.id, self._notes.of(taker).stp, maker.price,
            0 if stp is Stp.EXPIRE_MAKER else taken, 0 if stp is Stp.EXPIRE_TAKER else made,
            event.now_ns))
        self._act.matches.append(match)
        for order, size in ((maker, match.maker_size), (taker, match.taker_size)):
            if not size:
                continue
            note = self._notes.of(order)
            note.prevented += size
            note.match = match.id
            if decrement and order.remaining:
                self._prevention(order, match, event.now_ns)
            else:
                self._matched[order.id] = match

    def _transferred(self, event: Transferred) -> None:
        now_ns = self._floor.now_ns()
        sign = "-" if event.amount < 0 else ""
        delta = sign + self._numbers.money(abs(event.amount))
        self._publish(event.account, lambda unit: {
            "e": "balanceUpdate", "E": now_ns // unit, "a": event.asset, "d": delta,
            "T": event.now_ns // unit})

    # --- messages ------------------------------------------------------------------------------

    def _report(
        self, order: Order, what: str, now_ns: int, *, client_id: str = "", original: str = "",
        fill: Fill | None = None,
    ) -> None:
        self._execution_id += 1
        self._traded.setdefault(order.account, set()).add(order.symbol)
        self._publish(order.account, lambda unit: self._reports.execution(
            order, what, self._execution_id, now_ns, unit, client_id=client_id,
            original=original, fill=fill))

    def _prevention(self, order: Order, match: PreventedMatch, now_ns: int) -> None:
        self._execution_id += 1
        self._publish(order.account, lambda unit: self._reports.execution(
            order, "TRADE_PREVENTION", self._execution_id, now_ns, unit,
        ) | self._reports.prevention(order, match))

    def _publish(self, account: str, write: Callable[[int], Row]) -> None:
        for unit, channel in CHANNELS.items():
            if self._outlet.wanted((channel, account)):
                self._outlet.publish((channel, account), orjson.dumps(write(unit)))
