"""The load bench runs, small: five venues are drained, pinged, and none is lost."""

import pytest

from bench.sim_load import BASES, QUOTES, main, subscriptions


def test_every_venue_is_asked_for_every_symbol() -> None:
    wanted = subscriptions(BASES, everything=True)
    assert [each.venue for each in wanted if each.books] == list(QUOTES)
    assert len(wanted) == 2 * len(QUOTES)


def test_a_short_load_counts_what_five_venues_send(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TRYPTO_BENCH", "smoke")
    assert main(["--everything"]) == 0
    said = capsys.readouterr().out
    for venue in QUOTES:
        line = next(line for line in said.splitlines() if line.startswith(f"sim load {venue} "))
        assert "book_messages_per_s=0 " not in line
    assert "alive=True" in said
    assert "sim answers REST pings" in said
