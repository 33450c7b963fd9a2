"""Everything that execution knows, as the journal's records make it, by ``State.apply`` alone.

Nothing here decides.  The same records give the same state, so ``digest`` of a replay equals that
of the live process.  Money is whole quanta of 10**-24 of an asset.
"""

from collections.abc import Callable
from typing import Any, Final

from exec import records as r
from exec.state.activity import Activity
from exec.state.digest import digest_of
from exec.state.entries import Order, Plan, Trade, money
from exec.state.orders import Event, after, after_bust, after_fill
from exec.state.orders import State as OrderState
from exec.state.outcomes import Outcomes
from exec.state.outstanding import NOBODY, Outstanding, Place, Terms
from exec.state.positions import Position, change, credit
from exec.state.weighing import recount, weigh, weigh_owed, weigh_plan
from shm.layout import TradingState

ENGINE: Final = "engine"  # who sets a trading state where nobody did
_ENDS: Final = {"cancelled": Event.CANCELLED, "expired": Event.EXPIRED, "filled": Event.EXPIRED}


class State:
    """The fold of a journal."""

    def __init__(self) -> None:
        self.birth = self.life = 0
        self.mode = ""
        self.listed: dict[Place, r.Listed] = {}
        self.terms: dict[Place, Terms] = {}
        self.orders: dict[int, Order] = {}
        self.live: dict[int, Order] = {}  # those not settled
        self.by_client: dict[Place, int] = {}  # (venue, client id)
        self.by_venue: dict[Place, int] = {}  # (venue, the venue's id): last life's may repeat
        self.plans: dict[int, Plan] = {}
        self.open_plans: dict[int, Plan] = {}
        self.trades: dict[tuple[str, str, str], Trade] = {}
        self.busted: set[tuple[str, str, str]] = set()  # taken back: late echoes are no fills
        self.holdings: dict[Place, int] = {}  # (venue, asset): sum of all we booked
        self.positions: dict[Place, Position] = {}
        self.counts: dict[Place, tuple[int, int]] = {}  # by the venue: total; our holdings then
        self.activity = Activity()
        self.places: set[Place] = set()  # that this life listed
        self.counted_ns: dict[Place, int] = {}  # when it last did
        self.traded: dict[str, int] = {}  # by asset, over all venues: bought less sold
        self.held: dict[Place, int] = {}  # by the venue
        self.held_then: dict[Place, tuple[int, int]] = {}  # the same, and our size at that time
        self.counted_first_ns: dict[Place, int] = {}
        self.postings: set[tuple[str, str]] = set()  # (venue, reference) of money that moved
        self.booked_at: dict[str, int] = {}  # trades and postings booked, by venue
        self.trading = self.trading_ns = 0
        self.trading_why = self.trading_who = ""
        self.alarm = ""  # what is to halt trading, and has not yet: the process may die in between
        self.breakers: dict[str, str] = {}
        self.outcomes = Outcomes()
        self.outstanding = Outstanding()
        self.unhedged: dict[str, int] = {}  # by quote: the residuals' value of open plans
        self.foreign: dict[str, int] = {}  # by venue: how often somebody else acted
        self.commands: dict[str, str] = {}  # command id -> why it was refused, "" if it was not
        self.flattening: str | None = None  # the asset, "" for all; None: nothing is
        self.signals: set[tuple[int, int]] = set()  # (run, sequence) that became plans
        self.records = 0
        self.last_ns = self._before_ns = 0  # of the newest record, and of the one before it
        self.died_ns = 0  # of the last one of the life before
        self._appliers: dict[type, Callable[[Any, int], None]] = {
            r.Opened: self._opened, r.Listed: self._list, r.Planned: self._planned,
            r.PlanClosed: self._plan_closed, r.Intended: self._intended, r.Sent: self._sent,
            r.Unsent: self._unsent, r.Acknowledged: self._acknowledged, r.Rejected: self._rejected,
            r.Filled: self._filled, r.Busted: self._busted, r.Ended: self._ended,
            r.CancelAsked: self._cancel_asked, r.CancelRefused: self._cancel_refused,
            r.Doubted: self._doubted, r.Proven: self._proven, r.Odd: self._odd,
            r.Posted: self._posted, r.Counted: self._counted, r.Held: self._held,
            r.StateChanged: self._state_changed, r.BreakerMoved: self._breaker_moved,
            r.Foreign: self._foreign, r.Commanded: self._commanded,
        }

    # --- reading -------------------------------------------------------------------------------

    def order_of(self, venue: str, *, client_id: str = "", venue_order: str = "") -> Order | None:
        """Return our order by either id, if it is ours."""
        number = self.by_client.get((venue, client_id)) if client_id else None
        if number is None and venue_order:
            number = self.by_venue.get((venue, venue_order))
        return self.orders.get(number) if number is not None else None

    def unbooked(self, key: tuple[str, str, str], client_id: str) -> str:
        """Return the name under which a fill is to be booked, "" where it is booked already.

        A venue that restarted may begin its trade ids again: an id that is known of another order
        of ours is another trade, if the venue names the order by our own id.
        """
        venue, symbol, trade = key
        known = self.trades.get(key)
        number = self.by_client.get((venue, client_id))
        if known is not None and number is not None and known.order != number:
            trade = f"{trade}#{number}"
        again = (venue, symbol, trade)
        return "" if again in self.trades or again in self.busted else trade

    def value(self, place: Place, price: int, size: int) -> int:
        """Return price times size in quote quanta of 10**-24, exactly."""
        return price * size * self.terms[place].value_scale

    def amount(self, place: Place, size: int) -> int:
        """Return a size in base quanta of 10**-24."""
        return size * self.terms[place].amount_scale

    def digest(self) -> str:
        """Return a hash of all of it."""
        return digest_of(self)

    # --- applying ------------------------------------------------------------------------------

    def apply(self, record: r.Record, unix_ns: int) -> None:
        """Take one record of the journal, with the time that it was appended."""
        self.records += 1
        self._before_ns, self.last_ns = self.last_ns, unix_ns
        if (apply := self._appliers.get(type(record))) is not None:
            apply(record, unix_ns)

    def _opened(self, record: r.Opened, _now: int) -> None:
        self.died_ns = self._before_ns
        self.birth, self.life, self.mode = record.birth, record.life, record.mode
        self.places.clear()
        self.by_venue.clear()  # a venue may have begun its ids again

    def _list(self, record: r.Listed, _now: int) -> None:
        place, terms = (record.venue, record.symbol), Terms.of(record)
        self.listed[place] = record
        self.places.add(place)
        if self.terms.get(place) != terms:
            self.terms[place] = terms
            recount(self)

    def _planned(self, record: r.Planned, now: int) -> None:
        self.plans[record.plan] = self.open_plans[record.plan] = Plan(record, now)
        if record.run:
            self.signals.add((record.run, record.sequence))

    def _plan_closed(self, record: r.PlanClosed, now: int) -> None:
        plan = self.open_plans.pop(record.plan)
        before = plan.profit_micro
        plan.closed, plan.profit_micro = record, record.profit_micro
        if record.outcome == r.FLATTENED:
            plan.residual -= record.residual
            plan.taken_over += record.residual
        weigh_plan(self, plan)
        weigh_owed(self, plan)
        self.outcomes.add(now, record.profit_micro - before, in_row=bool(plan.planned.run))

    def _intended(self, record: r.Intended, now: int) -> None:
        number, venue = record.order, record.venue
        order = Order(record, now, OrderState.INTENDED, 0, 0, "", now)
        self.orders[number] = self.live[number] = order
        self.by_client[venue, record.client_id] = number
        self.activity.ask((venue, record.symbol), record.price, now)
        plan = self.plans.get(record.plan)
        if plan is not None:
            plan.orders.append(number)
            order.strategy = plan.planned.strategy if plan.planned.run else NOBODY
        self.outstanding.count(venue, 1)
        weigh(self, order)

    def _sent(self, record: r.Sent, now: int) -> None:
        self._move(record.order, Event.SENT, now)

    def _unsent(self, record: r.Unsent, now: int) -> None:
        self._move(record.order, Event.UNSENT, now)

    def _acknowledged(self, record: r.Acknowledged, now: int) -> None:
        self._name(record.order, record.venue_order)
        self._move(record.order, Event.ACKNOWLEDGED, now)

    def _rejected(self, record: r.Rejected, now: int) -> None:
        self._move(record.order, Event.REJECTED, now)

    def _ended(self, record: r.Ended, now: int) -> None:
        order = self.orders[record.order]
        order.venue_filled = max(order.venue_filled, record.venue_filled)
        self._move(record.order, _ENDS[record.how], now)

    def _cancel_asked(self, record: r.CancelAsked, now: int) -> None:
        self.orders[record.order].cancel_asked_ns = now
        self._move(record.order, Event.CANCEL_ASKED, now)

    def _cancel_refused(self, record: r.CancelRefused, now: int) -> None:
        self._move(record.order, Event.CANCEL_REFUSED, now)

    def _doubted(self, record: r.Doubted, now: int) -> None:
        self._move(record.order, Event.DOUBTED, now)

    def _proven(self, record: r.Proven, now: int) -> None:
        order = self.orders[record.order]
        order.venue_filled = max(order.venue_filled, record.venue_filled)
        self._name(record.order, record.venue_order)
        event = {r.Found.OPEN: Event.FOUND_OPEN, r.Found.ENDED: Event.EXPIRED,
                 r.Found.ABSENT: Event.FOUND_ABSENT}[r.Found(record.found)]
        self._move(record.order, event, now)

    def _odd(self, record: r.Odd, _now: int) -> None:
        if record.order in self.orders:
            self.orders[record.order].odd += 1

    def _filled(self, record: r.Filled, now: int) -> None:
        key = (record.venue, record.symbol, record.trade)
        if key in self.trades or key in self.busted:
            return
        fee = money(record.fee)
        self.trades[key] = trade = Trade(
            record.order, record.side, record.price, record.size, fee, record.fee_asset,
            money(record.realised) if record.realised else None)
        place = key[:2]
        self._book(place, trade, 1)
        self.activity.trade(
            self.terms[place].quote, self.value(place, record.price, record.size), now)
        order = self.orders.get(record.order)
        if order is None:
            return
        self._reopen(order, place, trade, 1)
        order.booked += record.size
        order.venue_filled = max(order.venue_filled, order.booked)
        state, odd = after_fill(order.state, booked=order.booked, size=order.intent.size)
        self._stand(order, state, now, odd=odd)
        if order.booked > order.intent.size:
            self.alarm = (f"{record.venue} filled {order.booked} of {order.intent.size}"
                          f" of {order.intent.client_id}")

    def _busted(self, record: r.Busted, now: int) -> None:
        trade = self.trades.pop((record.venue, record.symbol, record.trade), None)
        if trade is None:
            return
        self.busted.add((record.venue, record.symbol, record.trade))
        self._book((record.venue, record.symbol), trade, -1)
        self.alarm = f"{record.venue} took trade {record.trade} back"
        order = self.orders.get(trade.order)
        if order is not None:
            self._reopen(order, (record.venue, record.symbol), trade, -1)
            order.booked -= trade.size
            order.venue_filled = order.booked
            state = after_bust(order.state, booked=order.booked, size=order.intent.size)
            self._stand(order, state, now, odd=True)

    def _posted(self, record: r.Posted, _now: int) -> None:
        self.postings.add((record.venue, record.reference))
        self.booked_at[record.venue] = self.booked_at.get(record.venue, 0) + 1
        self._add((record.venue, record.asset), money(record.amount))

    def _counted(self, record: r.Counted, now: int) -> None:
        place = (record.venue, record.asset)
        self.counted_first_ns.setdefault(place, now)
        self.counted_ns[place] = now
        self.counts[place] = (
            money(record.free) + money(record.locked), self.holdings.get(place, 0))

    def _held(self, record: r.Held, _now: int) -> None:
        place = (record.venue, record.symbol)
        self.held[place] = record.size
        self.held_then[place] = (record.size, self.positions.get(place, Position()).size)

    def _state_changed(self, record: r.StateChanged, now: int) -> None:
        if record.now >= TradingState.HALTED or record.who != ENGINE:
            self.alarm = ""
        self.trading, self.trading_why, self.trading_ns = record.now, record.why, now
        self.trading_who = record.who
        if record.now == TradingState.ACTIVE and record.who != ENGINE:
            self.outcomes.begin_row()

    def _breaker_moved(self, record: r.BreakerMoved, _now: int) -> None:
        self.breakers[record.name] = record.now

    def _foreign(self, record: r.Foreign, _now: int) -> None:
        self.foreign[record.venue] = self.foreign.get(record.venue, 0) + 1
        self.alarm = f"{record.venue} has an order or a trade of somebody else"

    def _commanded(self, record: r.Commanded, _now: int) -> None:
        if record.command_id:
            self.commands[record.command_id] = record.refused
        if record.verb in r.FLATTENING and not record.refused:
            self.flattening = record.arguments if r.FLATTENING[record.verb] else None

    # --- parts ---------------------------------------------------------------------------------

    def _reopen(self, order: Order, place: Place, trade: Trade, sign: int) -> None:
        """Let a fill of its own, or with ``sign`` -1 the loss of one, move a plan."""
        plan = self.plans.get(order.intent.plan)
        if plan is None:
            return
        if plan.closed is not None:
            plan.closed = None
            self.open_plans[order.intent.plan] = plan
        plan.residual += trade.size * order.intent.side * sign
        size, flows, quote = trade.size * trade.side * sign, plan.flows, self.terms[place].quote
        flows[quote] = flows.get(quote, 0) - self.value(place, trade.price, size)
        flows[trade.fee_asset] = flows.get(trade.fee_asset, 0) - trade.fee * sign
        weigh_plan(self, plan)

    def _name(self, number: int, venue_order: str) -> None:
        order = self.orders[number]
        if venue_order:
            order.venue_order = venue_order
            self.by_venue[order.intent.venue, venue_order] = number

    def _move(self, number: int, event: Event, now: int) -> None:
        order = self.orders[number]
        state, odd = after(order.state, event)
        self._stand(order, state, now, odd=odd)

    def _stand(self, order: Order, state: OrderState, now: int, *, odd: bool) -> None:
        order.odd += odd
        if state is not order.state:
            order.state, order.changed_ns = state, now
        number = order.intent.order
        if order.settled == (number in self.live):
            self.outstanding.count(order.intent.venue, -1 if order.settled else 1)
        if order.settled:
            self.live.pop(number, None)
        else:
            self.live[number] = order
        weigh(self, order)

    def _add(self, place: Place, amount: int) -> None:
        self.holdings[place] = self.holdings.get(place, 0) + amount

    def _book(self, place: Place, trade: Trade, sign: int) -> None:
        """Move money and position by a trade; by its opposite with ``sign`` -1."""
        venue, listed = place[0], self.listed[place]
        self.booked_at[venue] = self.booked_at.get(venue, 0) + 1
        value = self.value(place, trade.price, trade.size) * trade.side * sign
        self._add((venue, trade.fee_asset), -trade.fee * sign)
        amount = self.amount(place, trade.size) * trade.side * sign
        self.traded[listed.base] = self.traded.get(listed.base, 0) + amount
        if not listed.settle:
            self._add((venue, listed.base), amount)
            self._add((venue, listed.quote), -value)
            return
        position = self.positions.setdefault(place, Position())
        before = position.realised
        size = trade.side * trade.size * sign
        if trade.realised is None:
            change(position, size, value)
        else:
            credit(position, size, value, trade.realised * sign)
        self._add((venue, listed.settle), position.realised - before)
