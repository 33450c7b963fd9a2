"""The benchmark of the hot path runs, at its smallest, wherever the tests do."""

import re
from pathlib import Path

import pytest

from bench import book, messages


def test_every_line_of_the_book_bench_prints_with_percentiles(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("TRYPTO_BENCH", "smoke")
    monkeypatch.setattr(messages, "SHARED", tmp_path)  # no recording: the seeded likeness
    book.main()
    lines = capsys.readouterr().out.splitlines()
    for name in ("depth: decode to publish", "depth: through the core", "one level", "quote"):
        (line,) = [line for line in lines if line.startswith(name)][-1:]
        assert re.search(r"n=\d+ .*p50 .*p99 .*p99\.9 .*max ", line)


def test_both_ways_through_the_bench_end_with_the_same_books(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(messages, "SHARED", tmp_path)
    stream = messages.messages()
    book.depth_messages(stream, 1)
    book.through_core(stream, 1)
    digests = re.findall(r"books=(\S+)", capsys.readouterr().out)
    assert len(digests) == 2
    assert digests[0] == digests[1]
