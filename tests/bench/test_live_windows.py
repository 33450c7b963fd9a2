"""Live windows against true ones: how signals are judged, and the whole thing in small."""

from pathlib import Path

import pytest

from bench.live_windows import CAPTURES, Live, Sight, first_sight, judge, main, strangers
from bench.true_windows import Truth, Window

MS = 1_000_000


def sight(at_ms: float, window: int) -> Sight:
    return Sight(int(at_ms * MS), window, took_ns=1_000)


def window(start_ms: int, end_ms: int, *, was_signalled: bool = True) -> Window:
    return Window(0, start_ms * MS, end_ms * MS, was_signalled)


@pytest.mark.parametrize(("sights", "is_seen"), [
    ([], False),
    ([sight(9.9, 1)], False),
    ([sight(10, 1)], True),
    ([sight(19.9, 1)], True),
    ([sight(20, 1)], False),
    ([sight(5, 1), sight(25, 1)], True),  # the live window was open all the time between
    ([sight(5, 1), sight(25, 2)], False),  # it closed, and another opened later
])
def test_a_window_is_seen_by_a_signal_inside_it_or_a_live_window_around_it(
    sights: list[Sight], *, is_seen: bool
) -> None:
    assert (first_sight(window(10, 20), sights) is not None) == is_seen


def test_missed_windows_are_told_and_those_too_small_to_signal_are_not_missed(
    capsys: pytest.CaptureFixture[str]
) -> None:
    windows = [window(10, 20), window(30, 34), window(40, 50), window(60, 70, was_signalled=False)]
    truth = Truth([(0, 1)], windows, [{}, {}], [set(), set()], 0, 100 * MS)
    live = Live({(0, 1): [sight(11, 1), sight(36, 2)]}, {35 * MS: 3 * MS}, 0, {}, {})
    assert judge(truth, live, "x") == 1
    said = capsys.readouterr().out
    assert "windows=3  seen=1  of_them_spanned=0  too_small=1  missed=1  shorter=1" in said
    assert "[missed 0: MISSED]" in said
    assert "missed: buy 0 sell 1 at 0.040000 s, 10.000 ms long" in said
    assert "came up to 3.000 ms late" in said
    assert strangers(truth, live) == (2, 1)


@pytest.mark.skipif(not all(Path(file).exists() for file in CAPTURES),
                    reason="needs ../shared/captures")
def test_the_running_engine_sees_the_first_windows_of_the_recorded_day(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TRYPTO_BENCH", "smoke")
    main([])  # whether all are seen in time is the box's affair, too: the bench judges that
    said = capsys.readouterr().out
    row = next(line for line in said.splitlines() if "book or quote  windows=" in line)
    facts = dict(word.split("=") for word in row.split() if "=" in word and ":" not in word)
    assert int(facts["windows"]) > 0
    assert int(facts["seen"]) > 0


def test_a_missing_recording_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--capture", "nowhere.jsonl.gz"]) == 2
    assert "not here: nowhere.jsonl.gz" in capsys.readouterr().err
