"""Real recorded markets against the independent replayer's truth: every number, every level."""

import hashlib
import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from engine.model.quanta import plain
from feeds.recorded.replay import Happened, Replay, last_update_id
from feeds.recorded.report import report
from shm.layout import BookState, UpdateKind
from tests.shared import CAPTURES, EXPECTED

NAMES = (
    "binance.spot.20210405", "binance.spot.20210814", "binance.spot.20240808",
    "binance.usdm.20210405", "binance.usdm.20240808",
    "binanceus.spot.20210405", "binanceus.spot.20210814", "binancetr.spot.20230410",
    "coinbase.spot.20210417", "kraken.spot.20210405v1", "kraken.spot.20260802v2",
    "okx.mixed.20220227", "okx.spot.20260711mini",
)

pytestmark = pytest.mark.skipif(not EXPECTED.is_dir(), reason="the shared recordings are not here")


def sha1(sides: Iterable[Iterable[tuple[str, str]]]) -> str:
    """Hash levels as the truth does: plain decimals, bids first, best first."""
    text = "|".join(
        ",".join(f"{plain(price)}:{plain(size)}" for price, size in side) for side in sides)
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def expected(name: str) -> dict[str, Any]:
    """Return the truth about one capture, by native symbol."""
    found = [json.loads(path.read_text()) for path in EXPECTED.glob(f"{name}.*.json")]
    return {truth["symbol"]: truth for truth in found}


@pytest.mark.parametrize("name", NAMES)
def test_a_replay_equals_the_truth_in_every_number_level_and_checkpoint(name: str) -> None:
    replay = Replay([CAPTURES / f"{name}.jsonl.gz"])
    [market] = replay.markets
    local = {it.native: at for at, it in enumerate(market.listed)}
    truths = expected(name)
    assert truths.keys() == local.keys()
    checkpoints = {
        (native, point["n"]): point
        for native, truth in truths.items() for point in truth["checkpoints"]
    }

    def check(event: Happened) -> None:
        point = checkpoints.get((event.native, market.tallies[event.native].updates))
        if event.kind is not UpdateKind.BOOK or point is None or point["line"] != event.line:
            return
        del checkpoints[event.native, point["n"]]
        book = market.books.books[local[event.native]]
        assert sha1(book.levels_text(50)) == point["sha1"], (event, point)
        sync = market.core.sync(event.native)
        assert last_update_id(market.venue, sync.last_id) == point["id"]
        assert event.t == point["t"]

    replay.run(check)
    assert not checkpoints, "every checkpoint was reached on its line"
    assert (market.core.garbled, market.core.unknown) == (0, 0)
    printed = msgspec.to_builtins(report(replay, depth=50))
    assert printed["captures"] == [f"{name}.jsonl.gz"]
    assert printed["symbols"].keys() == {f"{market.name}:{native}" for native in truths}
    for native, truth in truths.items():
        _compare(printed["symbols"][f"{market.name}:{native}"], truth)


def _compare(found: dict[str, Any], truth: dict[str, Any]) -> None:
    pairs = {
        "updates_applied": truth["book_updates_applied"],
        "snapshots_applied": truth["snapshots_applied"],
        "gaps": truth["gap_count"],
        "resyncs": truth["resync_count"],
        "checksums_verified": truth["checksums"]["verified_ok"],
        "checksums_failed": truth["checksums"]["failed"],
        "trades": truth["trades"]["count"],
        "last_update_id": truth["final"]["id"],
        "live_at_end": truth["live_at_end"],
    }
    assert {key: found[key] for key in pairs} == pairs
    assert Decimal(found["trade_volume"]) == Decimal(truth["trades"]["volume"])
    for side in ("bids", "asks"):
        assert _numbers(found[side]) == _numbers(truth["final"][side])
    assert sha1((found["bids"], found["asks"])) == truth["final"]["sha1_top50"]


def _numbers(levels: list[list[str]]) -> list[tuple[Decimal, Decimal]]:
    return [(Decimal(price), Decimal(size)) for price, size in levels]


def test_captures_replayed_together_give_what_each_gives_alone() -> None:
    names = ["binance.spot.20210814", "kraken.spot.20260802v2", "binanceus.spot.20210814"]
    together = Replay([CAPTURES / f"{name}.jsonl.gz" for name in names])
    together.run()
    alone: dict[str, Any] = {}
    for name in names:
        replay = Replay([CAPTURES / f"{name}.jsonl.gz"])
        replay.run()
        alone |= report(replay, 50).symbols
    assert report(together, 50).symbols == alone


def test_the_events_of_two_captures_come_in_the_order_of_their_times() -> None:
    names = ["binanceus.spot.20210814", "binance.spot.20210814"]
    events: list[Happened] = []
    Replay([CAPTURES / f"{name}.jsonl.gz" for name in names]).run(events.append)
    order = [(it.t, it.capture.market != "binanceus.spot", it.line) for it in events]
    assert order == sorted(order)
    assert {it.market for it in events} == {"binance.spot", "binanceus.spot"}


def test_a_book_is_told_live_after_all_parts_of_its_splice() -> None:
    """Scan as a detector does, only when the state word says LIVE, and miss nothing by it."""
    replay = Replay([CAPTURES / "binance.spot.20210814.jsonl.gz"])
    [market] = replay.markets
    local = {it.native: at for at, it in enumerate(market.listed)}
    seen: dict[str, list[tuple[UpdateKind, int]]] = {native: [] for native in local}

    def scan(event: Happened) -> None:
        status = market.memory.books.records[local[event.native]]["status"]
        if event.kind in (UpdateKind.BOOK, UpdateKind.STATE) and status["state"] == BookState.LIVE:
            sync = market.core.sync(event.native)
            seen[event.native].append((event.kind, sync.last_id))

    replay.run(scan)
    for native, truth in expected("binance.spot.20210814").items():
        first, *rest = seen[native]
        kept = truth["updates_before_first_snapshot"] - truth["updates_dropped_stale"]
        assert first[0] is UpdateKind.STATE
        assert {kind for kind, _ in rest} == {UpdateKind.BOOK}
        assert len(rest) == truth["book_updates_applied"] - max(kept, 0)
        assert rest[-1][1] == truth["final"]["id"]
