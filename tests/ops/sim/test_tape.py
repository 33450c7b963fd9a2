"""Captures as one tape: order, pace, what shares a track, and files that are broken."""

import gzip
from itertools import pairwise
from pathlib import Path

import pytest

from engine.model.errors import CaptureInvalid
from ops.sim.tape import GAP_NS_LEFT, GAP_NS_MAX, Tape
from tests.ops.sim.recordings import STREAM, small_binance, write

KRAKEN = "wss://ws.kraken.com/v2"


def test_captures_that_overlap_keep_their_distance_in_time(tmp_path: Path) -> None:
    one = small_binance(tmp_path / "binance.spot.x.jsonl.gz", start_ns=10**18)
    two = write(tmp_path / "kraken.spot.y.jsonl.gz", [
        (10**18 + 50_500_000, "ws", KRAKEN, {"channel": "heartbeat"})])
    items = list(Tape([str(two), str(one)]).items())
    (at,) = [item.at_ns for item in items if item.venue == "kraken"]
    assert items[0].at_ns == 0
    assert at == 50_500_000 - 1_000_000
    assert [item.at_ns for item in items] == sorted(item.at_ns for item in items)


def test_captures_of_other_days_and_venues_start_together(tmp_path: Path) -> None:
    one = small_binance(tmp_path / "binance.spot.x.jsonl.gz", start_ns=10**18)
    two = write(tmp_path / "kraken.spot.y.jsonl.gz", [(1, "ws", KRAKEN, {"channel": "heartbeat"})])
    items = list(Tape([str(one), str(two)]).items())
    assert {item.venue for item in items if item.at_ns == 0} == {"binance", "kraken"}


def test_captures_of_one_venue_follow_one_another_after_a_short_pause(tmp_path: Path) -> None:
    one = small_binance(tmp_path / "binance.spot.x.jsonl.gz", start_ns=10**18, frames=20)
    two = small_binance(tmp_path / "binance.spot.y.jsonl.gz", start_ns=2 * 10**18, frames=20)
    times = [item.at_ns for item in Tape([str(one), str(two)]).items()]
    assert max(b - a for a, b in pairwise(times)) == GAP_NS_LEFT
    assert len(times) == 42


def test_a_time_that_goes_back_does_not_change_the_order_of_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "kraken.spot.y.jsonl.gz", [
        (5, "ws", KRAKEN, "a"), (3, "ws", KRAKEN, "b"), (5 + GAP_NS_MAX, "ws", KRAKEN, "c")])
    items = list(Tape([str(path)]).items())
    assert [item.text for item in items] == [b"a", b"b", b"c"]
    assert [item.at_ns for item in items] == [0, 0, GAP_NS_MAX]


def test_a_broken_capture_is_refused_with_its_line(tmp_path: Path) -> None:
    good = small_binance(tmp_path / "binance.spot.x.jsonl.gz")
    cut = tmp_path / "binance.spot.cut.jsonl.gz"
    cut.write_bytes(good.read_bytes()[:-200])
    bad = tmp_path / "binance.spot.bad.jsonl.gz"
    bad.write_bytes(gzip.compress(b'{"t":1,"ch":"ws","dir":"in","url":"","m":""}\n{"t":"x"}\n'))
    other = write(tmp_path / "nowhere.spot.x.jsonl.gz", [(1, "ws", STREAM, "")])
    old = write(tmp_path / "kraken.spot.v1.jsonl.gz", [(1, "ws", "wss://ws.kraken.com", "")])
    empty = write(tmp_path / "binance.spot.e.jsonl.gz", [])
    for path, what in ((cut, "line"), (bad, "line 2"), (other, "nowhere.spot"), (old, "protocol"),
                       (empty, "no messages"), (tmp_path / "binance.spot.no.jsonl.gz", "No such")):
        with pytest.raises(CaptureInvalid, match=what):
            Tape([str(path)])
    with pytest.raises(CaptureInvalid, match="captures"):
        Tape([])
