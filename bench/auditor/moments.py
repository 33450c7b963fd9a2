"""Invariants of one moment: may this fact follow what stands?  Asked before it is folded in.

Each yields what is wrong, in words; ``MOMENTS`` says which kinds of facts each looks at.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, Final, NamedTuple

from bench.auditor import facts as f
from bench.auditor.fold import ABSENT, FINAL, HALTED, NEVER, ZERO, Fold, Story
from bench.auditor.journal import Entry

REDUCING: Final = frozenset({"chase", "unwind", "flatten"})
KILL_NS: Final = 1_000_000  # from the word to the last byte
GRACE_NS: Final = 10_000_000_000  # beyond a plan's deadline, for the answers under way
RESTRICTED, EMERGENCY = 3, 5
SCHEMAS: Final = frozenset({1})
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
Wrongs = Iterator[str]


class Moment(NamedTuple):
    """An invariant and the kinds of facts that may break it."""

    id: str
    kinds: tuple[type, ...]
    judge: Callable[[Fold, Entry, Any], Wrongs]


def affordable(fold: Fold, _: Entry, fact: f.Intended) -> Wrongs:
    """I2: what live orders and this one may use up is there, by the venue's word and our fills."""
    listed = fold.listed[fact.venue, fact.symbol]
    if listed.settle or fact.purpose == "flatten":
        return  # margin is the venue's own rule
    asset = listed.quote if fact.side > 0 else listed.base
    counted = fold.counted.get((fact.venue, asset))
    if counted is None:
        yield f"order {fact.order} uses {asset} of {fact.venue}, which nobody counted"
        return
    there = counted[0] + fold.money.get((fact.venue, asset), ZERO) - counted[1]
    for story in (*fold.live.values(), Story(fact, 0)):
        there -= _uses(fold, story, fact.venue, asset)
    if there < 0:
        yield f"order {fact.order}: {-there} {asset} more than {fact.venue} holds is reserved"


def _uses(fold: Fold, story: Story, venue: str, asset: str) -> Decimal:
    intent = story.intent
    if intent.venue != venue:
        return ZERO
    place = (venue, intent.symbol)
    listed = fold.listed[place]
    if listed.settle or (listed.quote if intent.side > 0 else listed.base) != asset:
        return ZERO
    if intent.side > 0:
        return fold.value(place, intent.price, story.may_fill)
    return fold.amount(place, story.may_fill)


def written_before_sent(fold: Fold, _: Entry, fact: f.Sent | f.Unsent) -> Wrongs:
    """I4: each send has one row before it, and one attempt."""
    story = fold.stories[fact.order]
    if story.sent:
        yield f"order {fact.order} was sent or given up after it had been sent"
    if story.phase == "unsent" or (isinstance(fact, f.Unsent) and story.phase != "intended"):
        yield f"order {fact.order} is {story.phase}, then {type(fact).__name__.lower()}"


def ids_never_repeat(fold: Fold, entry: Entry, fact: f.Intended) -> Wrongs:
    """I5: a client order id is new and made of the journal's birth and the record's number."""
    if (fact.venue, fact.client_id) in fold.clients:
        yield f"order {fact.order} repeats the client id {fact.client_id}"
    if fact.order != entry.sequence or fact.order in fold.stories:
        yield f"order {fact.order} is record {entry.sequence}"
    if fact.client_id != f"t{_base36(fold.birth)}x{_base36(fact.order)}":
        yield f"order {fact.order}: its client id {fact.client_id} is not of birth {fold.birth}"


def _base36(number: int) -> str:
    text = ""
    while number or not text:
        number, digit = number // 36, number % 36
        text = _DIGITS[digit] + text
    return text


def lives_grow(fold: Fold, _: Entry, fact: f.Opened) -> Wrongs:
    """I19: one engine after the other, each life the next number, all of one birth."""
    if fact.life != fold.life + 1 or (fold.birth and fact.birth != fold.birth):
        yield (f"life {fact.life} of birth {fact.birth} follows life {fold.life} of birth"
               f" {fold.birth}")


def schema_known(_: Fold, __: Entry, fact: f.Opened) -> Wrongs:
    """I25: every life writes a schema that we know, and says which config it ran."""
    if fact.schema not in SCHEMAS or not fact.config:
        yield f"life {fact.life}: schema {fact.schema}, config {fact.config!r}"


def only_what_the_table_knows(fold: Fold, _: Entry, fact: Any) -> Wrongs:
    """I6: what we do ourselves to an order is what its phase allows."""
    story = fold.stories[fact.order]
    if isinstance(fact, f.CancelAsked) and story.phase in FINAL:
        yield f"order {fact.order} is {story.phase}, and a cancel was asked"
    if isinstance(fact, f.Proven):
        if fact.found == ABSENT and story.phase not in ("doubt", *NEVER):
            yield f"order {fact.order} is {story.phase}, and was proven absent"
        if fact.found == ABSENT and story.booked:
            yield f"order {fact.order} has fills, and was proven absent"


def ends_by_evidence(fold: Fold, entry: Entry, fact: Any) -> Wrongs:
    """I7: an end names its evidence; absence was asked after the order's own deadline."""
    if isinstance(fact, f.Unsent | f.Rejected):
        if not (fact.why if isinstance(fact, f.Unsent) else fact.code + fact.text):
            yield f"order {fact.order} ended without a reason"
    elif not fact.evidence:
        yield f"order {fact.order} ended without evidence"
    elif isinstance(fact, f.Proven) and fact.found == ABSENT:
        asked = fact.evidence.rpartition(" ")[2]
        deadline_ns = fold.stories[fact.order].intent.deadline_unix_ns
        if not asked.isdigit() or not deadline_ns < int(asked) <= entry.unix_ns:
            yield (f"order {fact.order} counts as absent, {fact.evidence!r}: its deadline is"
                   f" {deadline_ns}")


def booked_once(fold: Fold, _: Entry, fact: f.Filled) -> Wrongs:
    """I9: a trade is written once, for the order that it filled."""
    if (fact.venue, fact.symbol, fact.trade) in fold.trades:
        yield f"trade {fact.trade} of {fact.symbol} at {fact.venue} is booked twice"
    story = fold.stories.get(fact.order)
    if story is None:
        if fact.order:
            yield f"trade {fact.trade} fills an order {fact.order} that there is not"
        return
    intent = story.intent
    if (intent.venue, intent.symbol, intent.side) != (fact.venue, fact.symbol, fact.side):
        yield f"trade {fact.trade} is not for order {fact.order}'s place and side"
    if (fact.price - intent.price) * intent.side > 0:
        yield f"trade {fact.trade} is worse than the limit of order {fact.order}"


def one_plan_per_signal(fold: Fold, _: Entry, fact: f.Planned | f.Intended) -> Wrongs:
    """I10: a signal makes one plan, an accepted one; a plan enters each leg once."""
    if isinstance(fact, f.Planned):
        if not fact.run:
            return
        signal = (fact.run, fact.sequence)
        if signal in fold.planned:
            yield f"signal {signal} has a second plan {fact.plan}"
        decided = fold.decided.get(signal)
        if decided is None or decided.refused:
            yield f"plan {fact.plan} follows from no accepted signal"
    elif fact.purpose == "enter":
        scheme = fold.plans.get(fact.plan)
        if scheme is None:
            yield f"order {fact.order} enters no plan that is written"
            return
        others = (fold.stories[number].intent for number in scheme.orders)
        if any(each.purpose == "enter" and each.leg == fact.leg for each in others):
            yield f"order {fact.order} enters leg {fact.leg} of plan {fact.plan} again"


def books_were_live(fold: Fold, _: Entry, fact: f.Decided | f.Sent) -> Wrongs:
    """I11: what was accepted saw a book; what was sent had one to be believed at that moment."""
    if isinstance(fact, f.Decided):
        unseen = [leg[0] for leg in fact.legs if leg[5] <= 0]
        if not fact.refused and (unseen or not fact.legs):
            yield f"signal {fact.sequence} was accepted on books that nobody had seen: {unseen}"
        return
    if fact.book_version == -1:
        return  # written before this was noted
    if fact.distrust or not fact.book_version:
        yield (f"order {fact.order} was sent on a book that is not live: version"
               f" {fact.book_version}, distrust {fact.distrust}")


def within_collar(fold: Fold, _: Entry, fact: f.Intended) -> Wrongs:
    """I14: no order of a plan is dearer than its leg's collar, nor larger than its leg."""
    scheme = fold.plans.get(fact.plan)
    if scheme is None:
        yield f"order {fact.order} belongs to no plan that is written"
        return
    if fact.purpose not in ("enter", "chase", "unwind"):
        return
    venue, symbol, side, price, size, collar = scheme.planned.legs[fact.leg]
    worst = collar if side == fact.side else 2 * price - collar
    if (venue, symbol) != (fact.venue, fact.symbol) or (fact.price - worst) * fact.side > 0:
        yield f"order {fact.order} at {fact.price} is beyond its collar {worst}"
    if fact.size > size and fact.purpose == "enter":
        yield f"order {fact.order} of {fact.size} is larger than its leg of {size}"


def approved(fold: Fold, _: Entry, fact: f.Sent) -> Wrongs:
    """I15: what was sent carries an approval."""
    if not fold.stories[fact.order].intent.approval:
        yield f"order {fact.order} was sent without an approval"


def nothing_hedged_twice(fold: Fold, _: Entry, fact: f.Intended) -> Wrongs:
    """I16: a hedge leaves only when all others of its plan are settled, and takes no more."""
    if fact.purpose not in ("chase", "unwind"):
        return
    scheme = fold.plans[fact.plan]
    alone = scheme.planned.turns == "riskier-first"  # its second leg follows what fills of it
    doubtful = [number for number in scheme.orders if not fold.stories[number].settled and not (
        alone and fold.stories[number].intent.purpose == "enter")]
    if doubtful:
        yield f"order {fact.order} hedges while {doubtful} of its plan may still fill"
    left = fold.residual(scheme)
    if left * fact.side >= 0 or fact.size > abs(left):
        yield f"order {fact.order} of {fact.side * fact.size} hedges a residual of {left}"


def residual_bounded(fold: Fold, entry: Entry, _: Any) -> Wrongs:
    """I16: what a plan holds on one side is gone by its deadline, or trading is halted."""
    if fold.state >= HALTED:
        return
    begun_ns = max(fold.state_ns, fold.born_ns)
    for number, scheme in fold.open_plans.items():
        over_ns = entry.unix_ns - max(scheme.unix_ns, begun_ns) - scheme.planned.deadline_ns
        if over_ns > GRACE_NS and len(scheme.planned.legs) > 1 and fold.residual(scheme):
            yield (f"plan {number} holds {fold.residual(scheme)} {over_ns // 10**9} s past its"
                   " deadline, and trading goes on")


def closed_when_settled(fold: Fold, _: Entry, fact: f.PlanClosed) -> Wrongs:
    """I16: a plan closes when every order of it is settled, with the residual that it has."""
    scheme = fold.open_plans[fact.plan]
    open_ = [number for number in scheme.orders if not fold.stories[number].settled]
    if open_:
        yield f"plan {fact.plan} was closed while {open_} are not settled"
    left = fold.residual(scheme) if len(scheme.planned.legs) > 1 else 0
    if left != fact.residual:
        yield f"plan {fact.plan} was closed with {fact.residual}, and {left} are left"


def widened_by_a_person(fold: Fold, _: Entry, fact: f.StateChanged) -> Wrongs:
    """I17: trading does more again only by a person, or by a cool-down out of caution."""
    if fact.before != fold.state:
        yield f"the state moves from {fact.before}, and is {fold.state}"
    cooled = fact.why == "cooled down" and fact.before <= RESTRICTED
    if fact.now < fact.before and fact.who == "engine" and not cooled:
        yield f"the engine itself moved the state from {fact.before} to {fact.now}: {fact.why}"
    if not fact.why:
        yield "the state moved without a reason"


def quiet_when_stopped(fold: Fold, entry: Entry, fact: f.Intended | f.Sent) -> Wrongs:
    """I18: in EMERGENCY no byte leaves, in RESTRICTED and HALTED only what reduces."""
    late = entry.unix_ns - fold.state_ns > KILL_NS
    if isinstance(fact, f.Sent):
        if fold.state >= EMERGENCY and late:
            yield f"order {fact.order} was sent in an emergency"
    elif fold.state >= RESTRICTED and fact.purpose not in REDUCING and late:
        yield f"order {fact.order}, {fact.purpose}, was intended in state {fold.state}"


def counts_follow(fold: Fold, _: Entry, fact: f.Counted | f.Held) -> Wrongs:
    """I23: between two words of a venue a balance moved by what we booked."""
    if isinstance(fact, f.Held):
        before = fold.held.get((fact.venue, fact.symbol))
        contract = fold.contracts.get((fact.venue, fact.symbol))
        size = contract.size if contract else 0
        if before is not None and fact.size != before[0] + size - before[1]:
            yield f"{fact.venue} holds {fact.size} of {fact.symbol}, which no fill explains"
        return
    place = (fact.venue, fact.asset)
    counted = fold.counted.get(place)
    if counted is not None:
        due = counted[0] + fold.money.get(place, ZERO) - counted[1]
        total = Decimal(fact.free) + Decimal(fact.locked)
        if total != due:
            yield f"{fact.venue} holds {total} {fact.asset}, {total - due} more than was booked"


MOMENTS: Final = (
    Moment("I2", (f.Intended,), affordable),
    Moment("I4", (f.Sent, f.Unsent), written_before_sent),
    Moment("I5", (f.Intended,), ids_never_repeat),
    Moment("I6", (f.CancelAsked, f.Proven), only_what_the_table_knows),
    Moment("I7", (f.Unsent, f.Rejected, f.Ended, f.Proven), ends_by_evidence),
    Moment("I9", (f.Filled,), booked_once),
    Moment("I10", (f.Planned, f.Intended), one_plan_per_signal),
    Moment("I11", (f.Decided, f.Sent), books_were_live),
    Moment("I14", (f.Intended,), within_collar),
    Moment("I15", (f.Sent,), approved),
    Moment("I16", (f.Intended,), nothing_hedged_twice),
    Moment("I16", (f.Intended, f.Sent, f.Counted, f.Opened), residual_bounded),
    Moment("I16", (f.PlanClosed,), closed_when_settled),
    Moment("I17", (f.StateChanged,), widened_by_a_person),
    Moment("I18", (f.Intended, f.Sent), quiet_when_stopped),
    Moment("I19", (f.Opened,), lives_grow),
    Moment("I23", (f.Counted, f.Held), counts_follow),
    Moment("I25", (f.Opened,), schema_known),
)
