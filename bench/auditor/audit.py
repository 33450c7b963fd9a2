"""The audit: every invariant with its verdict, and the figures of the fault campaign."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from bench.auditor import facts as f
from bench.auditor.ends import ENDS
from bench.auditor.evidence import Evidence
from bench.auditor.fold import FINAL, NEVER, Fold
from bench.auditor.journal import Entry
from bench.auditor.ledger import ledger_is_the_fold
from bench.auditor.moments import MOMENTS

SAID_MAX: Final = 20  # violations kept of each invariant; the count goes on
WORDS: Final = {
    "I1": "fills and postings make the balances, exactly",
    "I2": "what orders may use up is there; nothing is negative",
    "I3": "rows without a hole; the ledger follows from the journal",
    "I4": "an intent before each byte; one send per intent",
    "I5": "client order ids never repeat",
    "I6": "orders move as the table says; overfills halt",
    "I7": "ends by evidence alone",
    "I8": "every order over or known to be open",
    "I9": "each fill booked once",
    "I10": "one plan per signal, one intent per leg",
    "I11": "no order on a book that is not live",
    "I14": "live orders, sizes and prices within their bounds",
    "I15": "each sent order approved",
    "I16": "residuals hedged once, within their time, or halted",
    "I17": "trading is widened by a person",
    "I18": "nothing leaves once it was stopped",
    "I19": "one engine after the other",
    "I21": "requests within the venue's rate",
    "I22": "ledger and portfolio are the journal's replay",
    "I23": "venues' balances are explained",
    "I25": "a schema and a config of every life",
    "I26": "no secret in any record",
    "I27": "venues agree with themselves, and their fills with ours (I9)",
    "I28": "after calm nothing rests or is locked unknown",
}
ELSEWHERE: Final = {
    "I12": "books of feeds: tests/feeds, bench.sim_truth, bench.trading_truth",
    "I13": "torn reads: bench.torn_reads",
    "I20": "progress and hangs: bench.kill_campaign, tests/engine/control",
    "I24": "memory, descriptors, queues: bench.soak",
}
PARTLY: Final = {
    "I4": "durability at level power: tests/exec/journal",
    "I14": "limits in money: tests/exec/gate",
    "I15": "the token's key never leaves the process: tests/exec/gate",
    "I18": "within a millisecond at the socket: the kill switch's own test",
    "I19": "two engines at once: tests/ops",
    "I26": "logs, process list, crash output: the canary test",
    "I27": "all accounts' sum: tests/ops/sim/exchange",
}


class Verdict(msgspec.Struct):
    """What was found of one invariant."""

    id: str
    judged: bool = False
    looks: int = 0  # how often something was judged
    count: int = 0  # violations
    said: list[str] = []

    def blame(self, wrongs: Iterable[str]) -> None:
        """Note violations."""
        for wrong in wrongs:
            self.count += 1
            if len(self.said) < SAID_MAX:
                self.said.append(wrong)


class Audit(msgspec.Struct):
    """The result."""

    verdicts: dict[str, Verdict]
    figures: dict[str, int]  # of the fault campaign: all must be 0
    sizes: dict[str, int]  # how much was audited
    state: int  # of trading, in the end

    @property
    def violations(self) -> list[str]:
        """Return what is wrong, in words, with the invariant before it."""
        return [f"{each.id}: {wrong}" for each in self.verdicts.values() for wrong in each.said]

    @property
    def unjudged(self) -> list[str]:
        """Return the invariants that nothing given could show."""
        return [each.id for each in self.verdicts.values() if not each.judged]

    @property
    def passed(self) -> bool:
        """Return whether nothing is wrong."""
        return not any(each.count for each in self.verdicts.values())


def audit(entries: Iterable[Entry], evidence: Evidence | None = None) -> Audit:
    """Judge a journal, and what else is there, by every invariant."""
    at = evidence or Evidence()
    verdicts = {name: Verdict(name) for name in WORDS}
    fold, taken = Fold(), []
    watchers: dict[type, list[tuple[Verdict, Any]]] = {}
    for moment in MOMENTS:
        for kind in moment.kinds:
            watchers.setdefault(kind, []).append((verdicts[moment.id], moment.judge))
        verdicts[moment.id].judged = True
    for entry in entries:
        lost = _orphan(fold, entry)
        if lost:
            verdicts["I4" if isinstance(entry.fact, f.Sent) else "I6"].blame([lost])
            continue
        for verdict, judge in watchers.get(type(entry.fact), ()):
            verdict.looks += 1
            verdict.blame(judge(fold, entry, entry.fact))
        fold.take(entry)
        taken.append(entry)
    for end in ENDS:
        if all(getattr(at, name) for name in end.needs):
            verdicts[end.id].judged = True
            verdicts[end.id].looks += 1
            verdicts[end.id].blame(end.judge(fold, taken, at))
    if at.ledger is not None:
        for name in ("I3", "I22"):
            verdicts[name].judged = True
            verdicts[name].looks += 1
        verdicts["I22"].blame(ledger_is_the_fold(fold, taken, at))
    _blind(verdicts["I11"], taken)
    figures = _figures(fold, taken, at, verdicts)
    return Audit(verdicts, figures, _sizes(fold, taken), fold.state)


def _orphan(fold: Fold, entry: Entry) -> str:
    """Return what is wrong with a fact about something that is written nowhere."""
    fact = entry.fact
    if isinstance(fact, f.Intended | f.Filled):
        place = (fact.venue, fact.symbol)
        return "" if place in fold.listed else f"record {entry.sequence} trades {place}, unlisted"
    if isinstance(fact, f.PlanClosed):
        known = fact.plan in fold.open_plans
        return "" if known else f"record {entry.sequence} closes a plan that is not open"
    order = getattr(fact, "order", None)
    if order is None or isinstance(fact, f.Odd) or order in fold.stories:
        return ""
    return f"record {entry.sequence} is about order {order}, which nobody intended"


def _blind(verdict: Verdict, entries: list[Entry]) -> None:
    """Say that a journal from before books were written down at each send cannot show I11."""
    sends = [each.fact for each in entries if isinstance(each.fact, f.Sent)]
    verdict.judged = bool(sends) and all(each.book_version >= 0 for each in sends)


def _figures(
    fold: Fold, entries: list[Entry], at: Evidence, verdicts: dict[str, Verdict]
) -> dict[str, int]:
    """Return the figures of the issue; each is a count of things, not of invariants broken."""
    venues = at.venues or {}
    theirs = {(venue, each.client_id): each for venue, account in venues.items()
              for each in account.orders}
    lost = sum(place not in fold.clients or (
        fold.stories[fold.clients[place]].phase in NEVER) for place in theirs)
    twice = sum(count - 1 for venue, account in venues.items()
                for count in Counter(each.client_id for each in account.orders).values())
    legs = Counter((each.intent.plan, each.intent.leg) for each in fold.stories.values()
                   if each.intent.purpose == "enter")
    standing = {place for place, order in theirs.items() if order.status == "open"}
    hanging = [story for story in fold.live.values() if story.phase != "open" or (
        venues and (story.intent.venue, story.intent.client_id) not in standing)]
    strays = sum(place not in fold.clients or fold.stories[fold.clients[place]].phase in FINAL
                 for place in standing)
    return {
        "lost orders": lost,
        "duplicate orders": twice + sum(count - 1 for count in legs.values()),
        "unbooked fills": _unbooked(fold, at),
        "orders on books that are not live": verdicts["I11"].count,
        "sends without a durable intent": verdicts["I4"].count,
        "manual clean-ups": strays,
        "not terminal nor known-open": len(hanging) if at.settled else 0,
    }


def _unbooked(fold: Fold, at: Evidence) -> int:
    """Return how many of the venues' fills are not in the journal, by order and size."""
    missing = 0
    for venue, account in (at.venues or {}).items():
        theirs = Counter(each.client_id for each in account.fills)
        ours = Counter(
            fold.stories[each.order].intent.client_id if each.order in fold.stories else ""
            for key, each in fold.trades.items() if key[0] == venue)
        missing += (theirs - ours).total()
    return missing


def _sizes(fold: Fold, entries: list[Entry]) -> dict[str, int]:
    kinds = Counter(type(each.fact) for each in entries)
    return {
        "records": len(entries), "lives": fold.life, "signals": kinds[f.Decided],
        "plans": len(fold.plans), "orders": len(fold.stories), "sends": kinds[f.Sent],
        "fills": len(fold.trades), "doubts": kinds[f.Doubted], "proofs": kinds[f.Proven],
        "halts": sum(isinstance(each.fact, f.StateChanged) and each.fact.now >= 4
                     and each.fact.now > each.fact.before for each in entries),
        "operator's words": fold.operators,
    }


def table(result: Audit) -> str:
    """Return the audit as a table, then the figures."""
    lines = []
    for name, verdict in result.verdicts.items():
        word = f"{verdict.count} VIOLATIONS" if verdict.count else (
            "holds" if verdict.judged else "not shown")
        also = f"  (also: {PARTLY[name]})" if name in PARTLY else ""
        lines.append(f"{name:4} {word:13} {verdict.looks:>8,} looks  {WORDS[name]}{also}")
        lines += [f"       {wrong}" for wrong in verdict.said[:5]]
    lines += [f"{name:4} {'elsewhere':13} {'':>14}  {where}" for name, where in ELSEWHERE.items()]
    sizes = (f"{count:,} {what}" for what, count in result.sizes.items())
    lines.append("audited: " + ", ".join(sizes))
    lines += [f"{count:>6,} {what}" for what, count in result.figures.items()]
    return "\n".join(lines)
