"""What the facts make: orders, plans, trades and money, by this room's own arithmetic.

Money is ``Decimal`` with 80 digits.  What a perpetual's closing realised is the venue's word; where
there is none, it is reckoned against the average entry, whose share is rounded towards zero at the
24th decimal, as ``exec/positions.py`` says of itself.
"""

from decimal import ROUND_DOWN, Context, Decimal
from typing import Final

from bench.auditor.facts import (
    Acknowledged,
    Busted,
    CancelAsked,
    CancelRefused,
    Counted,
    Decided,
    Doubted,
    Ended,
    Filled,
    Held,
    Intended,
    Listed,
    Odd,
    Opened,
    PlanClosed,
    Planned,
    Posted,
    Proven,
    Rejected,
    Sent,
    StateChanged,
    Unsent,
)
from bench.auditor.journal import Entry

EXACT: Final = Context(prec=80)
LAST: Final = Decimal(1).scaleb(-24)
ZERO: Final = Decimal(0)
OPEN, ENDED, ABSENT = 1, 2, 3  # what a Proven found
OVER: Final = frozenset({"filled", "cancelled", "expired"})
NEVER: Final = frozenset({"rejected", "unsent", "absent"})
FINAL: Final = OVER | NEVER
HALTED: Final = 4
_SEES_IT: Final = frozenset({"acknowledged", "found open", "cancelled", "expired"})
Place = tuple[str, str]


class Story:
    """One order, from its intent on."""

    __slots__ = ("asked_ns", "booked", "changed_ns", "doubts", "intent", "name", "odd", "phase",
                 "sent", "told", "unix_ns")

    def __init__(self, intent: Intended, unix_ns: int) -> None:
        self.intent, self.unix_ns, self.changed_ns = intent, unix_ns, unix_ns
        self.phase, self.name = "intended", ""
        self.sent = self.booked = self.told = self.odd = self.doubts = self.asked_ns = 0

    @property
    def settled(self) -> bool:
        """Return whether it is over and every fill that the venue told of is booked."""
        return self.phase in FINAL and self.booked >= self.told

    @property
    def may_fill(self) -> int:
        """Return what of it may still fill at worst."""
        rest = (self.told if self.phase in FINAL else self.intent.size) - self.booked
        return max(0, rest)


class Scheme:
    """One plan and the numbers of its orders."""

    __slots__ = ("closed", "orders", "planned", "taken_over", "unix_ns")

    def __init__(self, planned: Planned, unix_ns: int) -> None:
        self.planned, self.unix_ns = planned, unix_ns
        self.orders: list[int] = []
        self.closed: PlanClosed | None = None
        self.taken_over = 0  # of its residual, by a flatten


class Contract:
    """A perpetual's position."""

    __slots__ = ("cost", "realised", "size")

    def __init__(self) -> None:
        self.size, self.cost, self.realised = 0, ZERO, ZERO

    def credit(self, size: int, value: Decimal, realised: Decimal) -> None:
        """Add a signed size, worth a value of the same sign, of which so much was credited."""
        self.size, self.cost = self.size + size, self.cost + value + realised
        self.realised += realised

    def trade(self, size: int, value: Decimal) -> None:
        """Add a signed size, worth a value of the same sign; what it realised is reckoned."""
        closed = min(abs(size), abs(self.size)) if size * self.size < 0 else 0
        if closed:
            released = down(self.cost * closed, abs(self.size))
            paid = down(value * closed, abs(size))
            self.realised -= released + paid
            self.cost, value = self.cost - released, value - paid
        self.size, self.cost = self.size + size, self.cost + value


def down(amount: Decimal, parts: int) -> Decimal:
    """Return one of so many parts of an amount, towards zero at the 24th decimal."""
    return EXACT.divide(amount, Decimal(parts)).quantize(LAST, ROUND_DOWN, EXACT)


def after(phase: str, word: str) -> str:
    """Return the phase that a word leads to; fills apart."""
    if phase in FINAL:
        if phase in OVER:
            return "doubt" if word == "found open" and phase != "filled" else phase
        denied = word in _SEES_IT or (phase == "unsent" and word in ("sent", "rejected"))
        return "doubt" if denied else phase
    match word:
        case "cancelled" | "expired":
            return word
        case "doubted":
            return "doubt"
        case "rejected":
            return phase if phase == "open" else word
        case "unsent":
            return word if phase == "intended" else phase
        case "found absent":
            return "absent" if phase == "doubt" else phase
        case "acknowledged" | "found open":
            stays = phase == "cancelling" or (word == "found open" and phase == "intended")
            return phase if stays else "open"
        case "sent":
            return word if phase == "intended" else phase
        case "cancel asked":
            return "cancelling" if phase in ("sent", "open") else phase
        case _:  # cancel refused
            return "doubt" if phase == "cancelling" else phase


class Fold:
    """All that the facts say up to one of them."""

    def __init__(self) -> None:
        self.sequence = self.unix_ns = self.birth = self.life = self.born_ns = 0
        self.state, self.state_ns = 1, 0
        self.stories: dict[int, Story] = {}
        self.live: dict[int, Story] = {}
        self.clients: dict[Place, int] = {}  # (venue, client id)
        self.plans: dict[int, Scheme] = {}
        self.open_plans: dict[int, Scheme] = {}
        self.decided: dict[tuple[int, int], Decided] = {}
        self.planned: set[tuple[int, int]] = set()
        self.trades: dict[tuple[str, str, str], Filled] = {}
        self.listed: dict[Place, Listed] = {}
        self.native: dict[Place, str] = {}  # (venue, symbol) -> the venue's own name, once known
        self.money: dict[Place, Decimal] = {}  # (venue, asset): what fills and postings moved
        self.contracts: dict[Place, Contract] = {}
        self.counted: dict[Place, tuple[Decimal, Decimal]] = {}  # total by the venue; ours then
        self.first: dict[Place, tuple[Decimal, Decimal]] = {}  # the first of these
        self.held: dict[Place, tuple[int, int]] = {}  # position by the venue; ours then
        self.operators = 0

    def take(self, entry: Entry) -> None:
        """Take the next fact."""
        self.sequence, self.unix_ns, fact = entry.sequence, entry.unix_ns, entry.fact
        match fact:
            case Filled():
                self._fill(fact)
            case Intended():
                self._intend(fact)
            case Sent():
                self.stories[fact.order].sent += 1
                self._word(fact.order, "sent")
            case Acknowledged():
                self._name(fact.order, fact.venue_order)
                self._word(fact.order, "acknowledged")
            case Ended():
                story = self.stories[fact.order]
                story.told = max(story.told, fact.venue_filled)
                self._word(fact.order, "expired" if fact.how == "filled" else fact.how)
            case Proven():
                self._proven(fact)
            case Unsent():
                self._word(fact.order, "unsent")
            case Rejected():
                self._word(fact.order, "rejected")
            case CancelAsked():
                self.stories[fact.order].asked_ns = entry.unix_ns
                self._word(fact.order, "cancel asked")
            case CancelRefused():
                self._word(fact.order, "cancel refused")
            case Doubted():
                self.stories[fact.order].doubts += 1
                self._word(fact.order, "doubted")
            case _:
                self._take_other(fact)

    def _take_other(self, fact: object) -> None:
        match fact:
            case Decided():
                self.decided[fact.run, fact.sequence] = fact
            case Planned():
                scheme = Scheme(fact, self.unix_ns)
                self.plans[fact.plan] = self.open_plans[fact.plan] = scheme
                if fact.run:
                    self.planned.add((fact.run, fact.sequence))
            case PlanClosed():
                scheme = self.open_plans.pop(fact.plan)
                scheme.closed = fact
                scheme.taken_over += fact.residual if fact.outcome == "flattened" else 0
            case Counted() | Held():
                self._told(fact)
            case Posted():
                self.move((fact.venue, fact.asset), Decimal(fact.amount))
            case Busted():
                self._bust(fact)
            case StateChanged():
                self.operators += fact.who != "engine"
                self.state, self.state_ns = fact.now, self.unix_ns
            case Opened():
                self.birth, self.life, self.born_ns = fact.birth, fact.life, self.unix_ns
            case Listed():
                self.listed[fact.venue, fact.symbol] = fact
                if fact.native:
                    self.native[fact.venue, fact.symbol] = fact.native
            case Odd():
                if fact.order in self.stories:
                    self.stories[fact.order].odd += 1

    def _told(self, fact: Counted | Held) -> None:
        """Take a venue's word of what is held there."""
        if isinstance(fact, Held):
            contract = self.contracts.get((fact.venue, fact.symbol))
            self.held[fact.venue, fact.symbol] = (fact.size, contract.size if contract else 0)
            return
        place = (fact.venue, fact.asset)
        count = (Decimal(fact.free) + Decimal(fact.locked), self.money.get(place, ZERO))
        self.counted[place] = count
        self.first.setdefault(place, count)

    # --- arithmetic ----------------------------------------------------------------------------

    def value(self, place: Place, price: int, size: int) -> Decimal:
        """Return price times size in the quote."""
        listed = self.listed[place]
        return Decimal(price * size).scaleb(-listed.price_decimals - listed.size_decimals, EXACT)

    def amount(self, place: Place, size: int) -> Decimal:
        """Return a size in the base."""
        return Decimal(size).scaleb(-self.listed[place].size_decimals, EXACT)

    def move(self, place: Place, amount: Decimal) -> None:
        """Move money at a venue."""
        self.money[place] = EXACT.add(self.money.get(place, ZERO), amount)

    def residual(self, scheme: Scheme) -> int:
        """Return filled buys less filled sells of a plan, in size quanta."""
        stories = [self.stories[number] for number in scheme.orders]
        filled = sum(story.booked * story.intent.side for story in stories)
        return filled - scheme.taken_over

    # --- parts ---------------------------------------------------------------------------------

    def _intend(self, fact: Intended) -> None:
        story = Story(fact, self.unix_ns)
        self.stories[fact.order] = self.live[fact.order] = story
        self.clients.setdefault((fact.venue, fact.client_id), fact.order)
        if fact.plan in self.plans:
            self.plans[fact.plan].orders.append(fact.order)

    def _proven(self, fact: Proven) -> None:
        story = self.stories[fact.order]
        story.told = max(story.told, fact.venue_filled)
        self._name(fact.order, fact.venue_order)
        self._word(fact.order, {
            OPEN: "found open", ENDED: "expired", ABSENT: "found absent"}[fact.found])

    def _name(self, number: int, venue_order: str) -> None:
        if venue_order:
            self.stories[number].name = venue_order

    def _word(self, number: int, word: str) -> None:
        story = self.stories[number]
        self._stand(story, after(story.phase, word))

    def _stand(self, story: Story, phase: str) -> None:
        if phase != story.phase:
            story.phase, story.changed_ns = phase, self.unix_ns
        if story.settled:
            self.live.pop(story.intent.order, None)
        else:
            self.live[story.intent.order] = story

    def _fill(self, fact: Filled) -> None:
        key = (fact.venue, fact.symbol, fact.trade)
        if key in self.trades:
            return
        self.trades[key] = fact
        self._book(fact, 1)
        story = self.stories.get(fact.order)
        if story is None:
            return
        self._reopen(story)
        story.booked += fact.size
        story.told = max(story.told, story.booked)
        if story.booked >= story.intent.size:
            phase = "filled"
        elif story.phase in ("intended", "sent"):
            phase = "open"
        else:
            phase = "doubt" if story.phase in NEVER else story.phase
        self._stand(story, phase)

    def _bust(self, fact: Busted) -> None:
        trade = self.trades.pop((fact.venue, fact.symbol, fact.trade), None)
        if trade is None:
            return
        self._book(trade, -1)
        story = self.stories.get(trade.order)
        if story is not None:
            self._reopen(story)
            story.booked -= trade.size
            story.told = story.booked
            partly = story.phase == "filled" and story.booked < story.intent.size
            self._stand(story, "cancelled" if partly else story.phase)

    def _reopen(self, story: Story) -> None:
        scheme = self.plans.get(story.intent.plan)
        if scheme is not None and scheme.closed is not None:
            scheme.closed = None
            self.open_plans[story.intent.plan] = scheme

    def _book(self, trade: Filled, sign: int) -> None:
        place, listed = (trade.venue, trade.symbol), self.listed[trade.venue, trade.symbol]
        turn = trade.side * sign
        value = self.value(place, trade.price, trade.size) * turn
        self.move((trade.venue, trade.fee_asset), -sign * Decimal(trade.fee))
        if not listed.settle:
            self.move((trade.venue, listed.base), self.amount(place, trade.size) * turn)
            self.move((trade.venue, listed.quote), -value)
            return
        contract = self.contracts.setdefault(place, Contract())
        before = contract.realised
        if trade.realised:
            contract.credit(trade.size * turn, value, Decimal(trade.realised) * sign)
        else:
            contract.trade(trade.size * turn, value)
        self.move((trade.venue, listed.settle), contract.realised - before)
