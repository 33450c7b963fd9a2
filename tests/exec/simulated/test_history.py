"""The core in a simulated world: whatever network and kill -9 do, nothing is lost or doubled."""

import pytest

from bench.histories.campaign import CRASHES, NETWORKS, caught, lived
from bench.histories.mutants import MUTANTS
from exec.core.core import Core


@pytest.mark.parametrize("seed", range(len(NETWORKS) * len(CRASHES)))
def test_nothing_is_lost_doubled_or_left_open(seed: int) -> None:
    world = lived(seed)
    assert world.errors() == [], f"halts: {world.halts}"
    assert any(venue.fills for venue in world.venues.values())


@pytest.mark.parametrize("seed", [
    274,  # an overfill between a hedge's intent and its send: less was missing by then
])
def test_a_seed_that_once_showed_a_bug_shows_none(seed: int) -> None:
    assert lived(seed).errors() == []


def test_a_seed_replays_one_history_exactly() -> None:
    first, second = (lived(9) for _ in range(2))
    assert [each.payload for each in first.stored] == [each.payload for each in second.stored]
    assert len(first.stored) > 300


def test_a_clean_world_halts_for_nothing() -> None:
    world = lived(0)
    assert world.halts == []
    outcomes = {plan.closed.outcome for plan in world.state.plans.values() if plan.closed}
    assert "done" in outcomes


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda each: each.__name__)
def test_a_planted_bug_is_caught(mutant: type[Core]) -> None:
    assert caught(mutant, 18) is not None
