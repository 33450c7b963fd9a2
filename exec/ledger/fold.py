"""Records become rows: those that are only added, and those that show how things stand.

The journal's own state (``exec.state``) says what each record changed; nothing is decided here.
The same records make the same rows, however they are cut into batches.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec

from exec import records as r
from exec.ledger.results import Result, decimal, legs_text, money_text
from exec.ledger.store import Row
from exec.state.entries import Trade, money
from exec.state.outstanding import Place
from exec.state.state import State

AUDITED: Final = (
    r.Opened, r.Closed, r.Unsent, r.Rejected, r.Busted, r.CancelRefused, r.Doubted, r.Proven,
    r.Odd, r.StateChanged, r.BreakerMoved, r.Commanded, r.Foreign)


class Fold:
    """Takes records; keeps the rows that are not written yet."""

    def __init__(self) -> None:
        self.state = State()
        self.appended: list[tuple[str, Row]] = []
        self._dirty: dict[tuple[str, Any], None] = {}  # (table, key), in their order
        self._results: dict[int, Result] = {}  # by plan
        self._closed_ns: dict[int, int] = {}  # by plan
        self._legs: dict[int, str] = {}  # by plan, as its own life counted
        self._decimals: dict[int, tuple[int, int]] = {}  # by order: of price and size, likewise
        self._values: dict[int, int] = {}  # by order: what its fills are worth, signed by busts
        self._changed: dict[tuple[str, Place], int] = {}  # when a position or balance moved
        self._counts: dict[Place, tuple[str, str, int]] = {}  # free, locked, when
        self._lives: dict[int, dict[str, str | int | None]] = {}
        self._appliers: dict[type, Callable[[int, int, Any], None]] = {
            r.Opened: self._opened, r.Closed: self._closed, r.Listed: self._listed,
            r.Decided: self._decided, r.Planned: self._planned, r.Intended: self._intended,
            r.PlanClosed: self._plan_closed, r.Filled: self._filled, r.Posted: self._posted,
            r.Counted: self._counted, r.Held: self._held,
        }
        self._rows: dict[str, Callable[[Any], Row]] = {
            "lives": self._life_row, "instruments": self._instrument_row,
            "trades": self._plan_row, "orders": self._order_row,
            "positions": self._position_row, "balances": self._balance_row,
        }

    def take(self, sequence: int, unix_ns: int, record: r.Record) -> None:
        """Take the journal's next record."""
        before = self._booked(record)
        self.state.apply(record, unix_ns)
        order = getattr(record, "order", 0)
        if order in self.state.orders:
            self._dirty["orders", order] = None
        if type(record) in AUDITED:
            fields = {name: getattr(record, name) for name in record.__struct_fields__}
            self.appended.append(("audit", {
                "sequence": sequence, "unix_ns": unix_ns, "kind": type(record).__name__.lower(),
                "fields": msgspec.json.encode(fields).decode()}))
        if isinstance(record, r.Busted):
            if before is not None:
                self._busted(sequence, unix_ns, record, before)
        elif before is None and (apply := self._appliers.get(type(record))):
            apply(sequence, unix_ns, record)

    def rows(self) -> Iterator[tuple[str, Row]]:
        """Yield how what changed stands now."""
        for table, key in self._dirty:
            yield table, self._rows[table](key)

    def written(self) -> None:
        """Forget what is in the ledger now."""
        self.appended.clear()
        self._dirty.clear()

    @property
    def waiting(self) -> int:
        """Return how many rows are not written yet."""
        return len(self.appended) + len(self._dirty)

    def _booked(self, record: r.Record) -> Trade | None:
        """Return the trade of a fill that is booked already, or of one that is taken back."""
        if not isinstance(record, r.Filled | r.Busted):
            return None
        return self.state.trades.get((record.venue, record.symbol, record.trade))

    # --- what records do -----------------------------------------------------------------------

    def _opened(self, sequence: int, unix_ns: int, record: r.Opened) -> None:
        self._lives[record.life] = {
            "life": record.life, "sequence": sequence, "unix_ns": unix_ns,
            "engine": record.engine, "mode": record.mode, "birth": record.birth,
            "config": record.config, "pid": record.pid, "ended_ns": None, "why": None}
        self._dirty["lives", record.life] = None

    def _closed(self, _sequence: int, unix_ns: int, record: r.Closed) -> None:
        life = self._lives.get(self.state.life)
        if life is not None:
            life["ended_ns"], life["why"] = unix_ns, record.why
            self._dirty["lives", self.state.life] = None

    def _listed(self, _sequence: int, _now: int, record: r.Listed) -> None:
        place = (record.venue, record.symbol)
        self._dirty["instruments", place] = None
        if ("positions", place) in self._changed:
            self._dirty["positions", place] = None  # it counts otherwise now

    def _decided(self, sequence: int, unix_ns: int, record: r.Decided) -> None:
        self.appended.append(("opportunities", {
            "sequence": sequence, "unix_ns": unix_ns, "run": record.run,
            "signal": record.sequence, "strategy": record.strategy, "window_number": record.window,
            "legs": legs_text(record.legs, self.state), "net_edge_ppm": record.net_edge_ppm,
            "expected_micro": record.profit_micro, "refused": record.refused,
            "number": record.number, "bound": record.limit}))

    def _intended(self, _sequence: int, _now: int, record: r.Intended) -> None:
        listed = self.state.listed[record.venue, record.symbol]
        self._decimals[record.order] = (listed.price_decimals, listed.size_decimals)

    def _planned(self, _sequence: int, _now: int, record: r.Planned) -> None:
        self._legs[record.plan] = legs_text(record.legs, self.state)
        self._dirty["trades", record.plan] = None

    def _plan_closed(self, _sequence: int, unix_ns: int, record: r.PlanClosed) -> None:
        self._closed_ns[record.plan] = unix_ns
        self._dirty["trades", record.plan] = None

    def _filled(self, sequence: int, unix_ns: int, record: r.Filled) -> None:
        place = (record.venue, record.symbol)
        trade = self.state.trades[record.venue, record.symbol, record.trade]
        self._book(place, trade, 1, unix_ns)
        self.appended.append(("fills", {
            **self._fill_row(sequence, unix_ns, place, record.trade, trade, 1),
            "taker": int(record.taker), "venue_unix_ns": record.venue_unix_ns,
            "source": record.source}))

    def _busted(self, sequence: int, unix_ns: int, record: r.Busted, trade: Trade) -> None:
        """Write the opposite of a fill that was taken back; the fill itself stays."""
        place = (record.venue, record.symbol)
        self._book(place, trade, -1, unix_ns)
        if trade.order in self.state.orders:
            self._dirty["orders", trade.order] = None
        self.appended.append(("fills", {
            **self._fill_row(sequence, unix_ns, place, record.trade, trade, -1),
            "taker": None, "venue_unix_ns": None, "source": record.evidence}))

    def _posted(self, sequence: int, unix_ns: int, record: r.Posted) -> None:
        self._touch("balances", (record.venue, record.asset), unix_ns)
        self.appended.append(("postings", {
            "sequence": sequence, "unix_ns": unix_ns, "venue": record.venue,
            "asset": record.asset, "amount": money_text(money(record.amount)), "kind": record.kind,
            "reference": record.reference}))

    def _counted(self, _sequence: int, unix_ns: int, record: r.Counted) -> None:
        place = (record.venue, record.asset)
        free, locked = (money_text(money(text)) for text in (record.free, record.locked))
        self._counts[place] = (free, locked, unix_ns)
        self._touch("balances", place, unix_ns)

    def _held(self, _sequence: int, unix_ns: int, record: r.Held) -> None:
        self._touch("positions", (record.venue, record.symbol), unix_ns)

    # --- parts ---------------------------------------------------------------------------------

    def _touch(self, table: str, place: Place, unix_ns: int) -> None:
        self._changed[table, place] = unix_ns
        self._dirty[table, place] = None

    def _book(self, place: Place, trade: Trade, sign: int, unix_ns: int) -> None:
        venue, listed = place[0], self.state.listed[place]
        assets = {trade.fee_asset, listed.settle} if listed.settle else {
            trade.fee_asset, listed.base, listed.quote}
        for asset in sorted(assets):
            self._touch("balances", (venue, asset), unix_ns)
        if listed.settle:
            self._touch("positions", place, unix_ns)
        order = self.state.orders.get(trade.order)
        if order is None:
            return
        value = self.state.value(place, trade.price, trade.size)
        self._values[trade.order] = self._values.get(trade.order, 0) + sign * value
        plan = self.state.plans.get(order.intent.plan)
        if plan is not None:
            number = order.intent.plan
            result = self._results.setdefault(number, Result())
            result.add(self.state, plan, order, trade, sign)
            self._dirty["trades", number] = None

    def _fill_row(
        self, sequence: int, unix_ns: int, place: Place, name: str, trade: Trade, sign: int
    ) -> dict[str, str | int | None]:
        listed, order = self.state.listed[place], self.state.orders.get(trade.order)
        value = self.state.value(place, trade.price, trade.size)
        return {
            "sequence": sequence, "unix_ns": unix_ns, "number": trade.order,
            "plan": order.intent.plan if order else 0, "venue": place[0], "symbol": place[1],
            "trade": name, "kind": "fill" if sign > 0 else "bust", "side": trade.side * sign,
            "price": decimal(trade.price, listed.price_decimals),
            "size": decimal(trade.size, listed.size_decimals), "value": money_text(value),
            "fee": money_text(trade.fee * sign), "fee_asset": trade.fee_asset}

    # --- how things stand ----------------------------------------------------------------------

    def _life_row(self, life: int) -> Row:
        return self._lives[life]

    def _instrument_row(self, place: Place) -> Row:
        listed = self.state.listed[place]
        return {name: getattr(listed, name) for name in listed.__struct_fields__}

    def _plan_row(self, number: int) -> Row:
        plan = self.state.plans[number]
        planned, closed = plan.planned, plan.closed
        return {
            "plan": number, "unix_ns": plan.born_ns, "run": planned.run,
            "signal": planned.sequence, "strategy": planned.strategy, "policy": planned.policy,
            "legs": self._legs[number], "expected_micro": planned.profit_micro,
            "outcome": closed.outcome if closed else None,
            "residual": closed.residual if closed else None,
            "realised_micro": closed.profit_micro if closed else None,
            "closed_ns": self._closed_ns.get(number) if closed else None,
            **self._results.get(number, Result()).row()}

    def _order_row(self, number: int) -> Row:
        order = self.state.orders[number]
        intent = order.intent
        price, size = self._decimals[number]
        return {
            "number": number, "plan": intent.plan, "leg": intent.leg, "venue": intent.venue,
            "symbol": intent.symbol, "side": intent.side,
            "price": decimal(intent.price, price), "size": decimal(intent.size, size),
            "tif": r.Tif(intent.tif).name,
            "purpose": intent.purpose, "client_id": intent.client_id,
            "venue_order": order.venue_order, "state": order.state.name,
            "filled": decimal(order.booked, size),
            "value": money_text(self._values.get(number, 0)), "odd": order.odd,
            "unix_ns": order.born_ns, "changed_ns": order.changed_ns}

    def _position_row(self, place: Place) -> Row:
        decimals = self.state.listed[place].size_decimals
        position, held = self.state.positions.get(place), self.state.held.get(place)
        return {
            "venue": place[0], "symbol": place[1],
            "size": decimal(position.size if position else 0, decimals),
            "cost": money_text(position.cost if position else 0),
            "realised": money_text(position.realised if position else 0),
            "held": None if held is None else decimal(held, decimals),
            "unix_ns": self._changed["positions", place]}

    def _balance_row(self, place: Place) -> Row:
        counted = self._counts.get(place)
        return {
            "venue": place[0], "asset": place[1],
            "booked": money_text(self.state.holdings.get(place, 0)),
            "free": counted[0] if counted else None, "locked": counted[1] if counted else None,
            "booked_then": money_text(self.state.counts[place][1]) if counted else None,
            "counted_ns": counted[2] if counted else None,
            "unix_ns": self._changed["balances", place]}
