"""engine.runtime.machine: who gets which core."""

import os

import pytest

from engine.runtime.machine import NO_CORE, allowed_cores, plan_cores

NAMES = ["feed:a", "feed:b", "detector", "exec"]


@pytest.mark.parametrize(("wanted", "allowed", "auto", "plan"), [
    ({}, [0, 1], False, [NO_CORE] * 4),
    ({}, [0, 1], True, [NO_CORE] * 4),  # two cores for four: everybody shares
    ({}, [0, 1, 2, 3], True, [NO_CORE] * 4),  # nothing would be left for the kernel
    ({}, [0, 1, 2, 3, 4], True, [1, 2, 3, 4]),
    ({}, [8, 9, 10, 11, 12], True, [9, 10, 11, 12]),
    ({"detector": 3}, [0, 1, 2, 3], False, [NO_CORE, NO_CORE, 3, NO_CORE]),
    ({"detector": 3}, [0, 1, 2, 3, 4], True, [1, 2, 3, 4]),
    ({"detector": 7}, [0, 1], False, [NO_CORE] * 4),  # not ours to take
])
def test_a_core_goes_to_whom_the_config_says_and_else_to_everybody_or_nobody(
    wanted: dict[str, int | None], allowed: list[int], auto: bool, plan: list[int]
) -> None:
    assert [*plan_cores(NAMES, wanted, allowed, auto=auto).values()] == plan


def test_no_core_is_given_twice() -> None:
    given = plan_cores(NAMES, {"exec": 2}, range(9), auto=True).values()
    assert len(set(given)) == len(NAMES)


def test_the_cores_are_those_that_we_may_use() -> None:
    assert set(allowed_cores()) == os.sched_getaffinity(0)
