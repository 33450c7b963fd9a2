"""I3 and I22 for the ledger database: its rows, read by SQLite, against this room's own fold."""

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from bench.auditor import facts as f
from bench.auditor.evidence import Evidence, chain_of
from bench.auditor.fold import ZERO, Fold
from bench.auditor.journal import Entry

Rows = list[dict[str, Any]]
_AUDITED: Final = (
    f.Opened, f.Closed, f.Unsent, f.Rejected, f.Busted, f.CancelRefused, f.Doubted, f.Proven,
    f.Odd, f.StateChanged, f.BreakerMoved, f.Commanded, f.Foreign)
_PHASES: Final = {"doubt": "UNKNOWN"}


def ledger_is_the_fold(whole: Fold, entries: list[Entry], at: Evidence) -> Iterator[str]:
    """I3, I22: every row follows from the records up to the ledger's own position."""
    assert at.ledger is not None
    position = at.ledger["position"][0]
    sequence = int(position["sequence"])
    if sequence > whole.sequence or (at.settled and sequence != whole.sequence):
        yield f"the ledger goes to record {sequence}, the journal to {whole.sequence}"
    if chain_of(entries, sequence).text != position["chain"]:
        yield f"the ledger's chain at record {sequence} is not the journal's"
    fold, head = whole, entries
    if sequence < whole.sequence:
        fold, head = Fold(), entries[:sequence]
        for entry in head:
            fold.take(entry)
    yield from _orders(fold, at.ledger["orders"])
    yield from _fills(fold, head, at.ledger["fills"])
    yield from _money(fold, at.ledger)
    yield from _plans(fold, at.ledger["trades"])
    yield from _appended(head, at.ledger)


def _orders(fold: Fold, rows: Rows) -> Iterator[str]:
    found = {row["number"]: row for row in rows}
    for number in found.keys() ^ fold.stories.keys():
        yield f"order {number} stands in the ledger or the journal alone"
    for number in found.keys() & fold.stories.keys():
        row, story = found[number], fold.stories[number]
        intent, place = story.intent, (story.intent.venue, story.intent.symbol)
        due = (intent.venue, intent.symbol, intent.client_id, intent.side, intent.plan,
               intent.purpose, _PHASES.get(story.phase, story.phase.upper()), story.name)
        has = tuple(row[name] for name in (
            "venue", "symbol", "client_id", "side", "plan", "purpose", "state", "venue_order"))
        if due != has:
            yield f"order {number} is {has} in the ledger, {due} by the journal"
        if Decimal(row["filled"]) != fold.amount(place, story.booked):
            yield f"order {number} filled {row['filled']} by the ledger, {story.booked} booked"


def _fills(fold: Fold, entries: list[Entry], rows: Rows) -> Iterator[str]:
    found = {row["sequence"]: row for row in rows}
    if len(found) != len(rows):
        yield "the ledger has two fills of one record"
    for entry in entries:
        if not isinstance(entry.fact, f.Filled):
            continue
        fact, row = entry.fact, found.get(entry.sequence)
        if row is None:
            yield f"the ledger lacks the fill of record {entry.sequence}"
            continue
        place = (fact.venue, fact.symbol)
        due = (fact.order, fact.venue, fact.symbol, fact.trade, fact.side, fact.fee_asset)
        has = tuple(row[name] for name in (
            "number", "venue", "symbol", "trade", "side", "fee_asset"))
        sums = (fold.amount(place, fact.size), fold.value(place, fact.price, fact.size),
                Decimal(fact.fee))
        if due != has or sums != tuple(Decimal(row[name]) for name in ("size", "value", "fee")):
            yield f"the ledger has {has} for the fill of record {entry.sequence}, not {due}"
    fills = sum(row["kind"] == "fill" for row in rows)
    if fills > sum(isinstance(entry.fact, f.Filled) for entry in entries):
        yield f"the ledger has {fills} fills, more than the journal"


def _money(fold: Fold, ledger: Mapping[str, Rows]) -> Iterator[str]:
    booked = {(row["venue"], row["asset"]): Decimal(row["booked"]) for row in ledger["balances"]}
    for place in {*booked, *fold.money}:
        if booked.get(place, ZERO) != fold.money.get(place, ZERO):
            yield (f"the ledger books {booked.get(place)} {place[1]} at {place[0]}, the journal"
                   f" {fold.money.get(place, ZERO)}")
    held = {(row["venue"], row["symbol"]): row for row in ledger["positions"]}
    for place, contract in fold.contracts.items():
        row = held.get(place)
        due = (fold.amount(place, contract.size), contract.cost, contract.realised)
        if row is None or due != tuple(Decimal(row[name]) for name in ("size", "cost", "realised")):
            yield f"the ledger's position {row} is not {due}"
    for row in ledger["fills"]:
        if (row["venue"], row["symbol"]) not in fold.listed:
            yield f"the ledger has a fill of {row['symbol']} at {row['venue']}, listed nowhere"


def _plans(fold: Fold, rows: Rows) -> Iterator[str]:
    found = {row["plan"]: row for row in rows}
    for number in found.keys() ^ fold.plans.keys():
        yield f"plan {number} stands in the ledger or the journal alone"
    for number in found.keys() & fold.plans.keys():
        closed, row = fold.plans[number].closed, found[number]
        due = (closed.outcome, closed.residual, closed.profit_micro) if closed else (None,) * 3
        if due != (row["outcome"], row["residual"], row["realised_micro"]):
            yield f"plan {number} ended {due} by the journal, otherwise in the ledger"


def _appended(entries: list[Entry], ledger: Mapping[str, Rows]) -> Iterator[str]:
    for table, kinds in (("opportunities", (f.Decided,)), ("postings", (f.Posted,)),
                         ("audit", _AUDITED)):
        rows = {row["sequence"]: row for row in ledger[table]}
        due = {entry.sequence: entry.fact for entry in entries if isinstance(entry.fact, kinds)}
        if rows.keys() != due.keys():
            more = sorted(rows.keys() ^ due.keys())
            yield f"{table}: records {more[:5]} stand in the ledger or the journal alone"
        for number in rows.keys() & due.keys():
            if _differs(table, rows[number], due[number]):
                yield f"{table}: record {number} is not what the journal says"


def _differs(table: str, row: dict[str, Any], fact: Any) -> bool:
    if table == "opportunities":
        return bool((row["run"], row["signal"], row["refused"], row["number"], row["bound"])
                    != (fact.run, fact.sequence, fact.refused, fact.number, fact.limit))
    if table == "postings":
        return bool((row["venue"], row["asset"], Decimal(row["amount"]), row["reference"])
                    != (fact.venue, fact.asset, Decimal(fact.amount), fact.reference))
    said = json.loads(row["fields"])
    known = {name: said.get(name) for name in fact._fields if name in said}
    return bool(row["kind"] != type(fact).__name__.lower()
                or known != {name: getattr(fact, name) for name in known})
