"""bench.auditor: it passes whole journals, and finds each kind of planted damage."""

import json
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bench.auditor.__main__ import main
from bench.auditor.audit import ELSEWHERE, WORDS, Audit, audit
from bench.auditor.evidence import Evidence, Portfolio, VenueAccount
from bench.auditor.journal import Damaged, entries_of, entry_of, numbered
from bench.histories.audited import audit_of, truth_of
from bench.histories.campaign import lived
from bench.histories.world import World
from engine.model.clock import ManualClock
from exec import records as r
from exec.journal.file import Record as Stored
from exec.journal.file import path_of
from exec.journal.writer import Journal
from exec.ledger.sqlite import open_store
from exec.ledger.writer import Ledger
from shm.layout import TradingState

Records = list[r.Record]
LEDGER = "ledger.sqlite3"


@pytest.fixture(scope="module")
def world() -> World:
    return lived(14)  # every network fault, eight crashes, both legs at once


@pytest.fixture(scope="module")
def records(world: World) -> Records:
    return [r.decode(each.payload) for each in world.stored]


def judged(world: World, records: Records, **evidence: Any) -> Audit:
    """Audit records as if they had been appended at the times that the world's were."""
    times = [each.unix_ns for each in world.stored]
    stored = [(index, times[min(index, len(times)) - 1], r.kind_of(record), r.encode(record))
              for index, record in enumerate(records, start=1)]
    return audit(numbered(stored), Evidence(venues=truth_of(world), **evidence))


def broken(found: Audit) -> set[str]:
    return {name for name, verdict in found.verdicts.items() if verdict.count}


def first(records: Records, kind: type, accept: Callable[[Any], bool] = lambda _: True) -> int:
    return next(index for index, record in enumerate(records)
                if isinstance(record, kind) and accept(record))


def last(records: Records, kind: type) -> int:
    return max(index for index, record in enumerate(records) if isinstance(record, kind))


def replaced(records: Records, index: int, **fields: Any) -> Records:
    changed = msgspec.structs.replace(records[index], **fields)
    return [*records[:index], changed, *records[index + 1 :]]


def odd(record: r.Record) -> r.Record:
    """Return a record that says nothing, in the place of one that is dropped: numbers stay."""
    return r.Odd(0, "planted", type(record).__name__)


def dropped(records: Records, index: int) -> Records:
    return [*records[:index], odd(records[index]), *records[index + 1 :]]


# --- whole ---------------------------------------------------------------------------------------


def test_every_invariant_is_judged_or_says_where_it_is() -> None:
    assert {*WORDS, *ELSEWHERE} == {f"I{number}" for number in range(1, 29)}


@pytest.mark.parametrize("seed", range(5))
def test_it_passes_a_history_that_was_lived_rightly(seed: int) -> None:
    found = audit_of(lived(seed))
    assert found.violations == []
    assert set(found.figures.values()) == {0}
    assert found.sizes["fills"] > 20


# --- planted damage ------------------------------------------------------------------------------


def test_a_fill_that_was_not_booked_is_found(world: World, records: Records) -> None:
    found = judged(world, dropped(records, last(records, r.Filled)))
    assert {"I1", "I9"} <= broken(found)
    assert found.figures["unbooked fills"] == 1


def test_a_fill_booked_twice_is_found(world: World, records: Records) -> None:
    index = first(records, r.Filled)
    twice = [*records, records[index]]
    assert "I9" in broken(judged(world, twice))


def test_a_fill_that_no_venue_knows_is_found(world: World, records: Records) -> None:
    fill = records[first(records, r.Filled)]
    invented = [*records, msgspec.structs.replace(fill, trade="77777777")]
    assert {"I1", "I9"} <= broken(judged(world, invented))


def test_a_repeated_client_id_is_found(world: World, records: Records) -> None:
    index = first(records, r.Intended)
    other = first(records, r.Intended, lambda each: each.order > index + 10)
    again = records[index]
    assert isinstance(again, r.Intended)
    assert "I5" in broken(judged(world, replaced(records, other, client_id=again.client_id)))


def test_a_send_before_its_intent_is_found(world: World, records: Records) -> None:
    sent = first(records, r.Sent)
    record = records[sent]
    assert isinstance(record, r.Sent)
    intent = record.order - 1
    swapped = [*records]
    swapped[intent], swapped[sent] = record, records[intent]
    found = judged(world, swapped)
    assert "which nobody intended" in found.verdicts["I4"].said[0]
    assert found.figures["sends without a durable intent"] > 0


def test_an_order_sent_twice_is_found(world: World, records: Records) -> None:
    index = first(records, r.Sent)
    follower = first(records, r.Counted)
    found = judged(world, [*records[:follower], records[index], *records[follower + 1 :]]
                   if follower > index else [*records, records[index]])
    assert found.figures["sends without a durable intent"] > 0


def test_an_order_that_the_journal_never_saw_is_found(world: World, records: Records) -> None:
    venues = truth_of(world)
    order = msgspec.structs.replace(venues["a"].orders[0], client_id="tstrangerx1", id=10**9)
    venues["a"] = msgspec.structs.replace(venues["a"], orders=[*venues["a"].orders, order])
    found = audit(numbered(world.stored), Evidence(venues=venues))
    assert "I4" in broken(found)
    assert found.figures["lost orders"] == 1


def test_an_order_that_stands_at_a_venue_twice_is_found(world: World) -> None:
    venues = truth_of(world)
    venues["a"] = msgspec.structs.replace(
        venues["a"], orders=[*venues["a"].orders, venues["a"].orders[0]])
    found = audit(numbered(world.stored), Evidence(venues=venues))
    assert "I5" in broken(found)
    assert found.figures["duplicate orders"] == 1


def test_an_end_without_evidence_is_found(world: World, records: Records) -> None:
    index = first(records, r.Ended)
    assert "I7" in broken(judged(world, replaced(records, index, evidence="")))


def test_absence_believed_before_the_deadline_is_found(world: World, records: Records) -> None:
    index = first(records, r.Proven, lambda each: each.found == r.Found.ABSENT)
    early = replaced(records, index, evidence="asked at 1800000000000000000")
    assert "I7" in broken(judged(world, early))


def test_a_fill_worse_than_its_limit_is_found(world: World, records: Records) -> None:
    index = first(records, r.Filled, lambda each: each.side > 0)
    fill = records[index]
    assert isinstance(fill, r.Filled)
    assert "I9" in broken(judged(world, replaced(records, index, price=2 * fill.price)))


def test_a_second_plan_of_one_signal_is_found(world: World, records: Records) -> None:
    index = first(records, r.Planned)
    other = first(records, r.Planned, lambda each: each.plan > index + 10)
    plan = records[index]
    assert isinstance(plan, r.Planned)
    assert "I10" in broken(judged(world, replaced(records, other, sequence=plan.sequence)))


def test_an_order_on_a_book_that_is_not_live_is_found(world: World, records: Records) -> None:
    found = judged(world, replaced(records, first(records, r.Sent), distrust=1))
    assert broken(found) == {"I11"}
    assert found.figures["orders on books that are not live"] == 1


def test_an_order_beyond_its_collar_is_found(world: World, records: Records) -> None:
    index = first(records, r.Intended, lambda each: each.side > 0)
    order = records[index]
    assert isinstance(order, r.Intended)
    assert "I14" in broken(judged(world, replaced(records, index, price=2 * order.price)))


def test_an_order_without_an_approval_is_found(world: World, records: Records) -> None:
    index = first(records, r.Intended)
    assert broken(judged(world, replaced(records, index, approval=0))) == {"I15"}


def test_a_hedge_beside_a_doubt_is_found(world: World, records: Records) -> None:
    index = first(records, r.Intended, lambda each: each.purpose in ("chase", "unwind"))
    hedge = records[index]
    assert isinstance(hedge, r.Intended)
    plan = {each.order for each in records if isinstance(each, r.Intended)
            and each.plan == hedge.plan}
    without = [odd(each) if isinstance(each, r.Ended | r.Unsent | r.Rejected | r.Proven)
               and each.order in plan else each for each in records]
    assert "I16" in broken(judged(world, without))


def test_the_engine_cannot_lower_its_own_state(world: World, records: Records) -> None:
    changes: Records = [
        r.StateChanged(TradingState.ACTIVE, TradingState.HALTED, "a fill too much", "engine"),
        r.StateChanged(TradingState.HALTED, TradingState.ACTIVE, "it felt better", "engine")]
    assert broken(judged(world, [*records, *changes])) == {"I17"}


def test_a_send_in_an_emergency_is_found(world: World, records: Records) -> None:
    index = last(records, r.Intended)
    kill = r.StateChanged(TradingState.ACTIVE, TradingState.EMERGENCY, "killed", "engine")
    before = max(at for at, each in enumerate(records[:index]) if isinstance(each, r.Filled))
    killed = [*records[:before], kill, *records[before + 1 :]]
    assert "I18" in broken(judged(world, killed))


def test_a_life_that_is_no_new_one_is_found(world: World, records: Records) -> None:
    index = last(records, r.Opened)
    assert "I19" in broken(judged(world, replaced(records, index, life=1)))


def test_a_balance_that_nothing_explains_is_found(world: World, records: Records) -> None:
    index = last(records, r.Counted)
    count = records[index]
    assert isinstance(count, r.Counted)
    assert "I23" in broken(judged(world, replaced(records, index, free=f"1{count.free}")))


def test_a_secret_in_a_record_is_found(world: World, records: Records) -> None:
    told = [*records, r.Odd(0, "answer", "the key is canary-4711, keep it")]
    assert broken(judged(world, told, secrets=("canary-4711",))) == {"I26"}


def test_an_order_in_doubt_at_the_end_is_found(world: World, records: Records) -> None:
    order = next(each for each in world.state.orders.values() if not each.booked)
    without = [odd(each) if getattr(each, "order", 0) == order.intent.order
               and isinstance(each, r.Ended | r.Unsent | r.Rejected | r.Proven) else each
               for each in records]
    found = judged(world, without)
    assert "I8" in broken(found)
    assert found.figures["not terminal nor known-open"] == 1


def test_a_rate_beyond_the_venues_is_found(world: World, records: Records) -> None:
    assert "I21" in broken(judged(world, records, orders_per_s_max=1))
    assert "I14" in broken(judged(world, records, open_orders_max=1))


# --- portfolio, ledger, bytes --------------------------------------------------------------------


def shown(world: World) -> Portfolio:
    """Write the living state down as the segment does."""
    state = world.state
    totals: dict[str, dict[str, str]] = {}
    for (venue, asset), (total, then) in state.counts.items():
        held = total + state.holdings.get((venue, asset), 0) - then
        totals.setdefault(venue, {})[asset] = f"{held}e-24"
    return Portfolio(state.records, state.trading or 1, totals, {}, [*state.live])


def test_the_portfolio_is_the_journals_to_the_last_unit(world: World, records: Records) -> None:
    portfolio = shown(world)
    assert broken(judged(world, records, portfolio=portfolio)) == set()
    venue, asset = next(iter(world.state.counts))
    number, _, exponent = portfolio.totals[venue][asset].partition("e")
    portfolio.totals[venue][asset] = f"{int(number) + 1}e{exponent}"
    assert broken(judged(world, records, portfolio=portfolio)) == {"I22"}


@pytest.fixture
def kept(world: World, tmp_path: Path) -> Path:
    """Write the world's journal to disk, in several files, and a ledger beside it."""
    journal = Journal(tmp_path / "journal", ManualClock(), boot=1, file_size=66_000)
    ledger = Ledger(store := open_store(tmp_path / LEDGER))
    for each in world.stored:
        journal.append(each.kind, each.payload, each.unix_ns)
        ledger.take(Stored(*each))
    ledger.flush()
    store.close()
    journal.close()
    (tmp_path / "truth.json").write_bytes(msgspec.json.encode(truth_of(world)))
    return tmp_path


def test_the_command_passes_a_whole_journal_with_its_ledger_and_truth(
    world: World, kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert len([*(kept / "journal").glob("*.journal")]) > 1
    assert [each.payload for each in entries_of(kept / "journal")] == [
        each.payload for each in world.stored]
    assert main([str(kept / "journal"), "--truth", str(kept / "truth.json"),
                 "--ledger", str(kept / LEDGER)]) == 0
    said = capsys.readouterr().out
    assert "     0 unbooked fills" in said
    assert "I22  holds" in said


@pytest.mark.parametrize("change", [
    "UPDATE orders SET state = 'FILLED' WHERE number = (SELECT min(number) FROM orders"
    " WHERE state <> 'FILLED')",
    "UPDATE balances SET booked = booked || '1' WHERE asset = 'USDT'",
    "DELETE FROM orders WHERE number = (SELECT max(number) FROM orders)",
    "UPDATE trades SET realised_micro = realised_micro + 1",
    "UPDATE position SET chain = 'f' || substr(chain, 2)",
    "DROP TRIGGER fills_delete; DELETE FROM fills WHERE sequence ="
    " (SELECT max(sequence) FROM fills)",
])
def test_a_row_of_the_ledger_that_was_changed_is_found(
    kept: Path, change: str, capsys: pytest.CaptureFixture[str]
) -> None:
    database = sqlite3.connect(kept / LEDGER)
    database.executescript(change)
    database.commit()
    database.close()
    assert main([str(kept / "journal"), "--ledger", str(kept / LEDGER)]) == 1
    assert re.search(r"^I22 +[1-9]\d* VIOLATIONS", capsys.readouterr().out, re.MULTILINE)


def test_a_byte_that_was_changed_ends_the_journal_before_it(kept: Path) -> None:
    path = path_of(kept / "journal", 1)
    image = bytearray(path.read_bytes())
    image[30_000] ^= 1
    path.write_bytes(image)
    with pytest.raises(Damaged, match=r"behind|does not go on"):
        [*entries_of(kept / "journal")]


def test_a_record_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(Damaged, match="no record that is known"):
        entry_of(1, 0, msgspec.msgpack.encode([99, 1]))
    with pytest.raises(Damaged, match="too few fields"):
        entry_of(1, 0, msgspec.msgpack.encode([7, 1]))


def test_the_truth_of_a_venue_is_read_as_its_control_call_writes_it(world: World) -> None:
    told = json.loads(msgspec.json.encode(truth_of(world)["a"]))
    assert msgspec.convert(told, VenueAccount) == truth_of(world)["a"]
