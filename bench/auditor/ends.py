"""Invariants of the whole: the fold against the venues' truth, and what calm must have settled."""

from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import pairwise
from typing import Final, NamedTuple

from bench.auditor import facts as f
from bench.auditor.evidence import Evidence, VenueAccount, VenueFill
from bench.auditor.fold import FINAL, HALTED, NEVER, ZERO, Fold, Story
from bench.auditor.journal import Entry

UNIT: Final = Decimal(1).scaleb(-18)  # the last place of the simulated venues' money
SECOND_NS: Final = 10**9
Wrongs = Iterator[str]


class End(NamedTuple):
    """An invariant of the whole and what it needs beside the journal."""

    id: str
    needs: tuple[str, ...]  # fields of Evidence
    judge: Callable[[Fold, list[Entry], Evidence], Wrongs]


# --- the venues' truth ---------------------------------------------------------------------------


def money_is_the_venues(fold: Fold, _: list[Entry], at: Evidence) -> Wrongs:
    """I1: what fills and postings moved is what the venue's balances moved, to the last unit."""
    for venue, account in _venues(at):
        for asset, (free, locked) in account.balances.items():
            due = _due(fold, venue, asset, account)
            there = Decimal(free) + Decimal(locked)
            if due is not None and abs(there - due) > _slack(fold, venue, asset):
                yield f"{venue} holds {there} {asset}, booked {due}: {there - due:+}"
        sizes = {symbol: each for (place, symbol), each in fold.contracts.items()
                 if place == venue}
        for symbol, contract in sizes.items():
            native = fold.native.get((venue, symbol), symbol)
            held = Decimal(account.positions.get(native, "0"))
            before = _position_before(fold, (venue, symbol))
            if held != fold.amount((venue, symbol), contract.size + before):
                yield f"{venue} holds a position of {held} in {symbol}, booked {contract.size}"


def _due(fold: Fold, venue: str, asset: str, account: VenueAccount) -> Decimal | None:
    """Return what a venue must hold: from its opening, or from its own first word to us."""
    moved = fold.money.get((venue, asset), ZERO)
    if asset in account.opening:
        return Decimal(account.opening[asset]) + moved
    first = fold.first.get((venue, asset))
    return None if first is None else first[0] + moved - first[1]


def _slack(fold: Fold, venue: str, asset: str) -> Decimal:
    """Return what the venue's rounding may be: a unit per fill whose profit it did not say."""
    fills = sum(key[0] == venue and fold.listed[key[0], key[1]].settle == asset
                and not fill.realised for key, fill in fold.trades.items())
    return UNIT * fills


def _position_before(fold: Fold, place: tuple[str, str]) -> int:
    held = fold.held.get(place)
    return held[0] - held[1] if held else 0


def nothing_negative(_: Fold, __: list[Entry], at: Evidence) -> Wrongs:
    """I2: nothing that a venue holds for us is negative."""
    for venue, account in _venues(at):
        for asset, (free, locked) in account.balances.items():
            if Decimal(free) < 0 or Decimal(locked) < 0:
                yield f"{venue}: {asset} is {free} free and {locked} locked"


def orders_were_written(fold: Fold, _: list[Entry], at: Evidence) -> Wrongs:
    """I4: every order that a venue knows has its intent in the journal."""
    for venue, account in _venues(at):
        for order in account.orders:
            if (venue, order.client_id) not in fold.clients:
                yield f"{venue} has an order {order.id} ({order.client_id}) without an intent"


def orders_stand_once(_: Fold, __: list[Entry], at: Evidence) -> Wrongs:
    """I5: no client order id stands at a venue twice."""
    for venue, account in _venues(at):
        for client_id, count in Counter(each.client_id for each in account.orders).items():
            if count > 1:
                yield f"{venue} has {count} orders {client_id}"


def ends_are_the_venues(fold: Fold, _: list[Entry], at: Evidence) -> Wrongs:
    """I7: an order that never was in a book is in no venue's; an end agrees with the venue's."""
    for venue, account in _venues(at):
        for order in account.orders:
            story = _story(fold, venue, order.client_id)
            if story is None:
                continue
            if story.phase in NEVER:
                yield f"{venue} had order {order.client_id}, which counts as {story.phase}"
            elif order.status == "open" and story.phase in FINAL:
                yield f"{venue} has order {order.client_id} open, which counts as {story.phase}"


def overfills_halt(fold: Fold, entries: list[Entry], _: Evidence) -> Wrongs:
    """I6: an order that filled beyond its size halted trading."""
    over = {number for number, story in fold.stories.items() if story.booked > story.intent.size}
    if over and not any(isinstance(each.fact, f.StateChanged) and each.fact.now >= HALTED
                        for each in entries):
        yield f"orders {sorted(over)} overfilled, and nothing was halted"


def fills_are_the_venues(fold: Fold, _: list[Entry], at: Evidence) -> Wrongs:
    """I9: the fills that we booked are the venue's, each once."""
    for venue, account in _venues(at):
        natives = {native: symbol for (place, symbol), native in fold.native.items()
                   if place == venue}
        theirs = Counter(_their_fill(each, natives) for each in account.fills)
        ours = Counter(_our_fill(fold, each) for key, each in fold.trades.items()
                       if key[0] == venue)
        for fill, count in (theirs - ours).items():
            yield f"{venue} filled {fill} {count} times more than was booked"
        for fill, count in (ours - theirs).items():
            yield f"{venue} did not fill {fill}, which was booked {count} times more"


def _their_fill(fill: VenueFill, natives: dict[str, str]) -> str:
    return (f"{natives.get(fill.symbol, fill.symbol)} {fill.client_id} {fill.side}"
            f" {_plain(Decimal(fill.size))} at {_plain(Decimal(fill.price))}")


def _our_fill(fold: Fold, fill: f.Filled) -> str:
    place, story = (fill.venue, fill.symbol), fold.stories.get(fill.order)
    price = Decimal(fill.price).scaleb(-fold.listed[place].price_decimals)
    return (f"{fill.symbol} {story.intent.client_id if story else ''}"
            f" {'buy' if fill.side > 0 else 'sell'} {_plain(fold.amount(place, fill.size))}"
            f" at {_plain(price)}")


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"


def venues_agree_with_themselves(_: Fold, __: list[Entry], at: Evidence) -> Wrongs:
    """I27: what a venue says of an order is the sum of the fills that it says of it."""
    for venue, account in _venues(at):
        sums: dict[tuple[str, str], Decimal] = {}
        for fill in account.fills:
            key = (fill.symbol, fill.client_id)
            sums[key] = sums.get(key, ZERO) + Decimal(fill.size)
        for order in account.orders:
            filled = sums.get((order.symbol, order.client_id), ZERO)
            if Decimal(order.filled) != filled:
                yield f"{venue} says {order.filled} of {order.client_id}, its fills say {filled}"


# --- what calm must have settled -----------------------------------------------------------------


def all_known(fold: Fold, _: list[Entry], at: Evidence) -> Wrongs:
    """I8: every order is over, or open by the venue's word."""
    if not at.settled:
        return
    standing = {(venue, each.client_id) for venue, account in _venues(at)
                for each in account.orders if each.status == "open"}
    for number, story in fold.live.items():
        known = at.venues is None or (story.intent.venue, story.intent.client_id) in standing
        if story.phase != "open" or not known:
            yield f"order {number} is {story.phase}, {story.booked} of {story.told} booked"


def plans_are_over(fold: Fold, _: list[Entry], at: Evidence) -> Wrongs:
    """I16: no plan is open in the end, unless trading is halted because of it."""
    if at.settled and fold.state < HALTED:
        for number, scheme in fold.open_plans.items():
            if not any(each in fold.live for each in scheme.orders):
                yield f"plan {number} is open, with a residual of {fold.residual(scheme)}"


def counts_agree(fold: Fold, _: list[Entry], at: Evidence) -> Wrongs:
    """I23: the newest word of each venue, moved by what was booked since, is its truth."""
    if not at.settled:
        return
    for venue, account in _venues(at):
        for (place, asset), (total, then) in fold.counted.items():
            if place != venue or asset not in account.balances:
                continue
            due = total + fold.money.get((place, asset), ZERO) - then
            there = sum(map(Decimal, account.balances[asset]), ZERO)
            if abs(due - there) > _slack(fold, venue, asset):
                yield f"{venue}: {there} {asset}, and {due} by its last word and our fills"


def nothing_stays_locked(fold: Fold, _: list[Entry], at: Evidence) -> Wrongs:
    """I28: after calm no order rests that we do not know, and nothing is locked for none."""
    if not at.settled:
        return
    for venue, account in _venues(at):
        rest = [each for each in account.orders if each.status == "open"]
        for order in rest:
            story = _story(fold, venue, order.client_id)
            if story is None or story.phase in FINAL:
                yield f"{venue}: order {order.client_id or order.id} rests, and nobody knows it"
        locked = {asset for asset, (_, amount) in account.balances.items() if Decimal(amount)}
        if locked and not rest and not account.positions:
            yield f"{venue}: {sorted(locked)} are locked, and no order rests"


def portfolio_is_the_fold(fold: Fold, _: list[Entry], at: Evidence) -> Wrongs:
    """I22: what the living process shows is what its journal makes."""
    shown = at.portfolio
    if shown is None:
        return
    if shown.sequence != fold.sequence:
        yield f"the portfolio is of record {shown.sequence}, the journal of {fold.sequence}"
        return
    if shown.state != fold.state:
        yield f"the portfolio says state {shown.state}, the journal {fold.state}"
    for (venue, asset), (total, then) in sorted(fold.counted.items()):
        due = total + fold.money.get((venue, asset), ZERO) - then
        told = shown.totals.get(venue, {}).get(asset)
        if told is None or Decimal(told) != due:
            yield f"the portfolio says {told} {asset} at {venue}, the journal {due}"
    for place, contract in fold.contracts.items():
        size = Decimal(shown.positions.get(place[0], {}).get(place[1], "0"))
        if size != fold.amount(place, contract.size):
            yield f"the portfolio says {size} {place[1]} at {place[0]}, not {contract.size}"
    if sorted(shown.orders) != sorted(fold.live):
        yield f"the portfolio shows orders {sorted(shown.orders)}, the journal {sorted(fold.live)}"


def rates_were_kept(fold: Fold, entries: list[Entry], at: Evidence) -> Wrongs:
    """I21: never more orders and cancels in a second at a venue than allowed."""
    times: dict[str, list[int]] = {}
    for entry in entries:
        if isinstance(entry.fact, f.Sent | f.CancelAsked):
            venue = fold.stories[entry.fact.order].intent.venue
            times.setdefault(venue, []).append(entry.unix_ns)
    for venue, sent in times.items():
        first = 0
        for last, now_ns in enumerate(sent):
            while now_ns - sent[first] >= SECOND_NS:
                first += 1
            if last - first + 1 > 2 * at.orders_per_s_max:  # a full bucket, and what flows in
                yield f"{venue}: {last - first + 1} requests within a second before {now_ns}"
                break


def open_orders_bounded(_: Fold, entries: list[Entry], at: Evidence) -> Wrongs:
    """I14: never more live orders at a venue than allowed, those in doubt among them."""
    fold = Fold()
    for entry in entries:
        fold.take(entry)
        if isinstance(entry.fact, f.Intended):
            venue = entry.fact.venue
            live = sum(each.intent.venue == venue for each in fold.live.values())
            if live > at.open_orders_max:
                yield f"{venue}: {live} live orders at record {entry.sequence}"
                return


def secrets_stay_out(_: Fold, entries: list[Entry], at: Evidence) -> Wrongs:
    """I26: no secret stands in a record."""
    for secret in at.secrets:
        if any(secret.encode() in each.payload for each in entries):
            yield f"a secret of {len(secret)} letters stands in the journal"


def time_and_numbers_rise(_: Fold, entries: list[Entry], __: Evidence) -> Wrongs:
    """I3: records are numbered without a hole."""
    if any(second.sequence != first.sequence + 1 for first, second in pairwise(entries)):
        yield "the records' numbers have a hole"


def _venues(at: Evidence) -> Iterator[tuple[str, VenueAccount]]:
    yield from (at.venues or {}).items()


def _story(fold: Fold, venue: str, client_id: str) -> Story | None:
    number = fold.clients.get((venue, client_id))
    return fold.stories[number] if number else None


ENDS: Final = (
    End("I1", ("venues",), money_is_the_venues),
    End("I2", ("venues",), nothing_negative),
    End("I3", (), time_and_numbers_rise),
    End("I4", ("venues",), orders_were_written),
    End("I5", ("venues",), orders_stand_once),
    End("I6", (), overfills_halt),
    End("I7", ("venues",), ends_are_the_venues),
    End("I8", (), all_known),
    End("I9", ("venues",), fills_are_the_venues),
    End("I14", ("open_orders_max",), open_orders_bounded),
    End("I16", (), plans_are_over),
    End("I21", ("orders_per_s_max",), rates_were_kept),
    End("I22", ("portfolio",), portfolio_is_the_fold),
    End("I23", ("venues",), counts_agree),
    End("I26", ("secrets",), secrets_stay_out),
    End("I27", ("venues",), venues_agree_with_themselves),
    End("I28", ("venues",), nothing_stays_locked),
)
