"""bench.sim_truth: a book that is not the servers' is found, however small the difference."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from bench import sim_truth
from engine.config import Config
from shm.book import BookSegment
from tests.engine.detect.world import make_config, publish_levels

BIDS = [["100.5", "2"], ["100", "1.25"]]
ASKS = [["101", "0.0001"]]


def compared(
    folder: Path, monkeypatch: pytest.MonkeyPatch, bids: list[list[str]], *, resync: bool = False,
) -> tuple[int, list[str]]:
    """Compare a book of 100.50 x 2, 100.00 x 1.25 and 101.00 x 0.0001 with a server's."""
    config: Config = make_config({"binance": ["BTC/USDT"]})
    books = BookSegment(
        np.zeros(BookSegment.size(8, 1) // 8, np.int64), config.books.depth, 1)
    publish_levels(books, 0, [(10050, 20000), (10000, 12500)], [(10100, 1)], now_ns=1)
    (folder / "endpoints.json").write_text('{"binance": {"ws": "ws://x", "rest": "http://x"}}')
    calls = []

    def call(url: str, method: str) -> bytes:
        calls.append(f"{method} {url}")
        if resync and "truth" in url:
            books.records[0]["status"]["snapshots"] += 1
        truth: dict[str, Any] = {
            "venue": "binance", "symbol": "BTC/USDT", "native": "BTCUSDT", "last_id": 1,
            "bids": bids, "asks": ASKS}
        return msgspec.json.encode(truth)

    monkeypatch.setattr(sim_truth, "_call", call)
    monkeypatch.setattr(sim_truth, "DRAIN_S", 0.02)
    try:
        return sim_truth.compare(folder, config, [books]), calls
    finally:
        assert calls[0] == "POST http://x/sim/pause"
        assert calls[-1] == "POST http://x/sim/resume"


def test_a_true_book_is_counted_level_by_level(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    levels, calls = compared(tmp_path, monkeypatch, BIDS)
    assert levels == 3
    assert calls[1] == "GET http://x/sim/truth/binance/BTC/USDT"


@pytest.mark.parametrize("bids", [
    [["100.5", "2"]], [*BIDS, ["99", "1"]], [["100.5", "2"], ["100", "1.2501"]],
    [["100.51", "2"], ["100", "1.25"]], [],
])
def test_a_level_too_many_missing_or_wrong_is_untrue_and_the_flow_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bids: list[list[str]]
) -> None:
    with pytest.raises(sim_truth.Untrue, match="binance BTC/USDT, bid"):
        compared(tmp_path, monkeypatch, bids)


def test_a_book_that_had_to_be_fetched_again_to_be_true_was_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(sim_truth.Untrue, match="another snapshot"):
        compared(tmp_path, monkeypatch, BIDS, resync=True)
