"""``python -m feeds.recorded.report FILE...``: what a replay found, as JSON or as a table."""

import argparse
import sys
from collections.abc import Sequence

import msgspec

from engine.model.errors import CaptureInvalid
from feeds.recorded.replay import Market, Replay, last_update_id
from shm.layout import BookState

Level = tuple[str, str]  # price and size as exact decimal text


class SymbolReport(msgspec.Struct):
    """One symbol after its replay; levels best first, whether the book is live or not."""

    symbol: str
    updates_applied: int
    snapshots_applied: int
    gaps: int
    resyncs: int  # snapshots after the first
    checksums_verified: int
    checksums_failed: int
    trades: int
    trade_volume: str
    last_update_id: int | str | None
    live_at_end: bool
    bids: list[Level]
    asks: list[Level]


class Report(msgspec.Struct):
    """All captures and all symbols, by ``<venue>.<market>:<native symbol>``."""

    captures: list[str]
    symbols: dict[str, SymbolReport]


def report(replay: Replay, depth: int) -> Report:
    """Return what ``replay`` found, with the best ``depth`` levels per side of the full books."""
    captures = [capture.path.name for market in replay.markets for capture in market.captures]
    symbols = {
        f"{market.name}:{it.native}": _symbol(market, it.instrument.local_index, depth)
        for market in replay.markets for it in market.listed
    }
    return Report(captures, symbols)


def _symbol(market: Market, local: int, depth: int) -> SymbolReport:
    it = market.listed[local]
    sync, tally = market.core.sync(it.native), market.tallies[it.native]
    status = market.memory.books.records[local]["status"]
    bids, asks = market.books.books[local].levels_text(depth)
    return SymbolReport(
        symbol=it.instrument.name if it.instrument.pair.quote else it.native,
        updates_applied=tally.updates, snapshots_applied=sync.snapshots, gaps=sync.gaps,
        resyncs=max(sync.snapshots - 1, 0), checksums_verified=int(status["checksums_ok"]),
        checksums_failed=int(status["checksums_failed"]), trades=tally.trades,
        trade_volume=f"{tally.trade_volume.normalize():f}",
        last_update_id=last_update_id(market.venue, sync.last_id),
        live_at_end=sync.state is BookState.LIVE, bids=bids, asks=asks,
    )


def table(found: Report) -> str:
    """Write a report for a person: one line per symbol."""
    head = ("book", "symbol", "updates", "snapshots", "gaps", "checksums", "trades", "bid", "ask",
            "live")
    rows = [
        (key, it.symbol, f"{it.updates_applied}", f"{it.snapshots_applied}", f"{it.gaps}",
         f"{it.checksums_verified}/{it.checksums_verified + it.checksums_failed}", f"{it.trades}",
         " x ".join(it.bids[0]) if it.bids else "-", " x ".join(it.asks[0]) if it.asks else "-",
         "yes" if it.live_at_end else "NO")
        for key, it in found.symbols.items()
    ]
    widths = [max(len(row[at]) for row in (head, *rows)) for at in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (head, *rows)
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="captures: .jsonl.gz, .zst, plain")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--depth", type=_depth, default=50, metavar="N", help="levels per side to print (50)")


def _depth(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 16_384:
        raise argparse.ArgumentTypeError(f"{text!r} is no depth; right would be 1 to 16384")
    return int(text)


def main(arguments: Sequence[str]) -> int:
    """Replay and print; 2 and one message for what cannot be read; absurd numbers are told of."""
    parser = argparse.ArgumentParser(prog="trypto-engine replay")
    add_arguments(parser)
    options = parser.parse_args(arguments)
    try:
        replay = Replay(options.files)
        replay.run()
    except CaptureInvalid as error:
        sys.stderr.write(f"trypto-engine replay: {error}\n")
        return 2
    for key, count in replay.unread.items():
        sys.stderr.write(
            f"trypto-engine replay: {key}: {count} numbers are absurd beside the others and were "
            "taken as garbled\n")
    found = report(replay, options.depth)
    sys.stdout.write((msgspec.json.encode(found).decode() if options.json else table(found)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
