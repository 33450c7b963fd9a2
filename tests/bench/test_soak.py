"""The soak: what counts as flat, and a short one of a real engine."""

import os
from dataclasses import dataclass

import pytest

from bench import soak
from bench.soak import MIB, Sample, climb_mib, judge, main, sample


@dataclass
class Course:
    """How one process goes over an hour, by samples a minute apart."""

    mib_per_h: float = 0.0
    warm_up_mib: float = 0.0
    descriptors_more: int = 0
    restarts: bool = False

    def samples(self) -> list[Sample]:
        return [
            Sample(
                60.0 * minute, 7 + (self.restarts and minute > 30),
                int(MIB * (100 + self.mib_per_h * minute / 60
                           - (self.warm_up_mib if minute < 5 else 0))),
                200 * MIB, 20 + (self.descriptors_more if minute > 50 else 0), 3)
            for minute in range(61)
        ]


def test_the_climb_is_fitted_after_the_warm_up() -> None:
    assert climb_mib(Course(mib_per_h=6.0, warm_up_mib=50.0).samples()) == pytest.approx(6.0, 1e-3)
    assert climb_mib(Course(warm_up_mib=50.0).samples()) == pytest.approx(0.0, abs=1e-3)


@pytest.mark.parametrize(("course", "is_flat"), [
    (Course(), True), (Course(warm_up_mib=50.0), True), (Course(mib_per_h=0.5), True),
    (Course(mib_per_h=-9.0), True), (Course(mib_per_h=2.0), False),
    (Course(descriptors_more=1), False), (Course(restarts=True), False),
])
def test_flat_is_no_climb_no_more_descriptors_and_no_restart(
    course: Course, capsys: pytest.CaptureFixture[str], *, is_flat: bool
) -> None:
    assert judge("feed:x", course.samples()) == is_flat
    said = capsys.readouterr().out
    assert ("met]" in said) == is_flat
    assert said.split("private_mib=")[1].split()[0].count("->") == 4


def test_a_sample_sees_this_very_process() -> None:
    before = sample(os.getpid(), 1.0)
    with open(os.devnull) as _:  # noqa: PTH123
        now = sample(os.getpid(), 2.0)
    assert now.descriptors == before.descriptors + 1
    assert 0 < now.private < now.resident
    assert now.threads >= 1


def test_a_short_soak_samples_every_process(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TRYPTO_BENCH", "smoke")
    monkeypatch.setattr(soak, "CLIMB_MIB_MAX", float("inf"))  # seconds say nothing of hours
    main([])
    said = capsys.readouterr().out
    assert "soak  " in said
    for name in ("control", "template", "sim", "feed:binance", "detector", "exec"):
        assert f"soak {name} " in said
