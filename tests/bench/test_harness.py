"""The harness: smoke sizes under test, percentiles that were really measured."""

import numpy as np
import pytest

from bench.harness import machine, parameter, percentiles, report


def test_a_parameter_is_small_under_test_and_may_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRYPTO_BENCH", raising=False)
    assert parameter("turns", smoke=3, full=1000) == 1000
    monkeypatch.setenv("TRYPTO_BENCH", "smoke")
    assert parameter("turns", smoke=3, full=1000) == 3
    monkeypatch.setenv("TRYPTO_BENCH_TURNS", "77")
    assert parameter("turns", smoke=3, full=1000) == 77


def test_percentiles_are_values_that_occurred() -> None:
    found = percentiles(np.arange(1, 1001))
    assert found == {"mean": 500.5, "p50": 501.0, "p99": 991.0, "p99.9": 1000.0, "max": 1000.0}
    with pytest.raises(ValueError, match="no sample"):
        percentiles([])


def test_a_report_is_one_line_with_its_sample_count(capsys: pytest.CaptureFixture[str]) -> None:
    report("scan", [1000, 2000, 3000], checksum=5)
    line = capsys.readouterr().out
    assert line.count("\n") == 1
    assert "n=3" in line
    assert "p50     2.000" in line
    assert line.endswith("checksum=5\n")


def test_the_machine_is_told_with_its_versions() -> None:
    assert "Python 3." in machine()
    assert "cores" in machine()
