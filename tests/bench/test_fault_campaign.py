"""bench.fault_campaign in its short form: a real engine, faults, kill -9, and the auditor after."""

from bench.fault_campaign.__main__ import campaign
from bench.fault_campaign.schedule import KINDS, LENGTH_S, schedule, victim

VENUES = ("binance", "okx")


def test_faults_and_kills_lose_nothing_and_leave_nothing_to_clean_up() -> None:
    told = campaign(runs=3, seed=0)
    assert told.runs == 3
    assert told.bad == 0
    assert told.stuck == 0
    assert sum(told.faults.values()) >= 3
    assert told.figures["audited sends"] > 10
    assert not any(count for name, count in told.figures.items()
                   if not name.startswith("audited "))


def test_a_seed_is_one_schedule_and_every_kind_of_fault_has_its_turn() -> None:
    assert schedule(7, VENUES) == schedule(7, VENUES)
    first = {deed.fault.kind for seed in range(len(KINDS)) for deed in schedule(seed, VENUES)
             if deed.fault is not None}
    assert first == set(KINDS)
    assert all(0 <= deed.at_s <= LENGTH_S for seed in range(50) for deed in schedule(seed, VENUES))


def test_every_process_can_be_the_victim_and_execution_is_it_most_often() -> None:
    names = ["control", "exec", "feed:okx", "launcher"]
    found = [victim(share / 1000, names) for share in range(1000)]
    assert set(found) == set(names)
    assert max(names, key=found.count) == "exec"
