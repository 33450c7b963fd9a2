"""The wire bench runs small: a real engine, both transports, every hop in order."""

import pytest

from bench.wire import HOPS, main


def test_every_hop_is_timed_for_both_kinds_with_and_without_tls(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TRYPTO_BENCH", "smoke")
    assert main([]) == 0
    lines = capsys.readouterr().out.splitlines()[1:]
    assert [line.partition("n=")[0].rstrip() for line in lines] == [
        f"{transport} {kind}: {hop}" for transport in ("plain", "TLS")
        for kind in ("depth", "quote") for hop, _, _ in HOPS
    ]
    assert all("n=20 " in line and "wait=park" in line for line in lines)
    assert all(float(line.split("p50")[1].split()[0]) > 0 for line in lines)
