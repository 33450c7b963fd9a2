"""The execution benches run, small: signals become bytes, a kill stops them, a venue answers."""

import pytest

from bench import order_rate, orders


def test_a_short_run_times_every_part(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TRYPTO_BENCH", "smoke")
    assert orders.main([]) == 0
    said = capsys.readouterr().out
    for row in ("gate: every check", "kraken > okx, TCP: both orders",
                "binance > coinbase, TLS: both at the peer", "kill word > last order's bytes",
                "kill word > cancel-all at five peers", "journal append, process: next files made",
                "append > durable, power, 50 at a time", "binance > okx: situation gathered"):
        assert row in said


def test_every_order_of_a_short_run_is_acknowledged_by_the_simulator(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TRYPTO_BENCH", "smoke")
    assert order_rate.main([]) == 0
    said = capsys.readouterr().out
    assert "sent=50  acknowledged=50  lost=0" in said
    assert "halted=no" in said
