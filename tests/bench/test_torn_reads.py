"""The hunter: no read is torn, and enough of them were looked at."""

import pytest

from bench.torn_reads import SUBJECTS, hunt, main
from shm.segment import RunFolder

# a reader that shares its core with the writer finds a ring's worth of entries at each turn
WANTED = {"book": 1_000_000, "quote": 1_000_000, "ring": 100_000}


@pytest.mark.parametrize("subject", SUBJECTS)
def test_many_reads_against_a_writer_flat_out_show_no_tear(
    subject: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    accepted = 0
    while accepted < WANTED[subject]:
        folder = RunFolder(tmp_path_factory.mktemp("hunt") / "trypto-0" / "run")
        seen = hunt(folder, subject, seconds=1.0, depth=50, gap_ns=0)
        assert seen.torn == 0
        assert seen.published > 0
        assert seen.accepted > 0
        accepted += seen.accepted


def test_the_long_form_runs_small(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TRYPTO_BENCH", "smoke")
    assert main(["--seconds", "0.1", "--rate", "100000", "--depth", "5"]) == 0
    shown = capsys.readouterr().out
    assert all(f"torn reads: {subject} " in shown for subject in SUBJECTS)
    assert shown.count(" torn=0 ") == len(SUBJECTS)
