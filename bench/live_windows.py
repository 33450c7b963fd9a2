"""Whether the running engine sees every window that a recording holds.

    recording ──▶ replayed, every event tested ──▶ the true windows          (bench.true_windows)
        └──▶ sim ─sockets─▶ feeds ─▶ books ─▶ detector ─▶ signals ring ──▶ which of them it saw

The engine plays the recording at its own pace, with fees 0.  A signal names the states of both
books that it saw by the venue's update ids, and the replay knows when each state came to be: so
signals are placed on the recording's own time line, and no two clocks are compared.

A window is seen when a signal's states met inside it, or when the live window that a signal
belongs to was open before it and still is after its start (the moment between was too short for
the engine).  One on which no signal could be made, since lots and minima forbade it at every
moment, is told apart.  The promise: every window longer than 5 ms is seen.
"""

import argparse
import sys
import time
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from bench.engine import Started
from bench.harness import machine, parameter, report, tell
from bench.messages import SHARED
from bench.true_windows import Truth, Window, find
from engine.market.touch import Source
from feeds.recorded.capture import Capture
from shm.counters import FeedCounter

CAPTURES: Final = tuple(
    str(SHARED / "captures" / f"binance.{market}.20240808.jsonl.gz") for market in ("spot", "usdm"))
LONG_NS: Final = 5_000_000
AFTER_S: Final = 1.5  # at the end, for what is under way
COLLECT_S: Final = 0.05
_TROUBLE: Final = ("gaps", "resyncs", "crossed", "silences", "disconnects", "decode_errors")
_TOLD: Final = ("windows_opened", "windows_closed", "crosses", "laps")
NEAR_NS: Final = 50_000_000  # how far around a missed window one looks for late frames
# not the least: a leg read anew may be younger than the frame that triggered, and look early
IN_TIME_PERCENT: Final = 2.0
SHOWN_MAX: Final = 20  # missed windows that are told one by one
CONFIG: Final = """
[venues.binance]
symbols = ["BTC/USDT"]
[detector]
edge-min-ppm = 0
edge-max-ppm = 1000000
notional-max.USDT = 25000.0
notional-min.USDT = 0.0
book-age-ms-max = 2000.0
repeat-ms = {repeat_ms}
[execution]
edge-min-ppm = 0
[logs]
level = "warning"
"""


class Sight(NamedTuple):
    """One signal on the recording's time line."""

    at: int  # unix ns: when the younger of the two states that it saw came to be
    window: int  # the engine's own count of the pair's windows
    took_ns: int  # frame received to signal in the ring


class Live(NamedTuple):
    """What the engine did."""

    sights: dict[tuple[int, int], list[Sight]]  # by (buy, sell), in order of ``at``
    late_ns: dict[int, int]  # of frames that led to signals, by unix ns in the recording
    unplaced: int  # signals on states that the replay never had
    detector: dict[str, str]  # what its counters say, vetoes above all
    trouble: dict[str, str]  # what the feeds counted, if anything


def play(
    files: Sequence[str], edge_ppm: int, seconds: float, repeat_ms: float, sources: Sequence[Source]
) -> tuple[Live, list[Truth]]:
    """Run the engine on the first ``seconds`` of the recordings, then find the truth."""
    options = ("--capture", *files, "--no-loop", "--fee-ppm", "0", "--edge-ppm", str(edge_ppm))
    with Started(CONFIG.format(repeat_ms=repeat_ms), *options) as engine:
        engine.until("the engine running", engine.is_running)
        feeds = [engine.view.block(f"feed:{venue}") for venue in engine.view.venues]
        engine.until("frames of both venues", lambda: all(
            feed.value(FeedCounter.UPDATES) + feed.value(FeedCounter.QUOTES) for feed in feeds))
        records = [engine.new_signals()]
        until = time.monotonic() + seconds + AFTER_S
        while time.monotonic() < until:
            time.sleep(COLLECT_S)
            records.append(engine.new_signals())
        counters = engine.view.counters
        assert not engine.lost, "the signals ring lapped us"
        config, rows = engine.view.config, engine.view.instruments.copy()
    truths = [find(files, config, rows, source=source, seconds=seconds) for source in sources]
    feed_counts = {f"{venue}:{name}": str(value) for venue in config.venues
                   for name, value in counters[f"feed:{venue}"].items()
                   if value and name in _TROUBLE}
    detector = {name: str(value) for name, value in counters["detector"].items()
                if value and (name in _TOLD or name.startswith("veto"))}
    return Live(*_placed(np.concatenate(records), truths[0]), detector, feed_counts), truths


def _placed(
    records: Iterable[np.void], truth: Truth
) -> tuple[dict[tuple[int, int], list[Sight]], dict[int, int], int]:
    """Place signals on the recording's time line; count those that have no place there.

    Those on states from after the part that was replayed are left out.  Our clock against the
    recording's, nearly at its least, is that of a frame in time: the others are late by the rest.
    """
    sights: dict[tuple[int, int], list[Sight]] = defaultdict(list)
    unplaced, newest = 0, [max(born, default=0) for born in truth.born]
    shifts: dict[int, int] = {}
    for record in records:
        legs = {int(leg["instrument"]): int(leg["update_id"]) for leg in record["legs"][:2]}
        born = {leg: truth.born[leg].get(update_id) for leg, update_id in legs.items()}
        known = {leg: at for leg, at in born.items() if at is not None}
        if len(known) < len(legs):
            unplaced += all(update_id <= newest[leg] for leg, update_id in legs.items())
            continue
        received, trigger = int(record["recv_mono_ns"]), int(record["trigger"])
        if legs[trigger] not in truth.told_again[trigger]:
            shifts[known[trigger]] = received - known[trigger]
        buy, sell = legs
        sights[buy, sell].append(Sight(
            max(known.values()), int(record["window"]), int(record["signal_mono_ns"]) - received))
    for found in sights.values():
        found.sort(key=lambda sight: sight.at)
    if not shifts:
        return sights, {}, unplaced
    in_time = int(np.percentile([*shifts.values()], IN_TIME_PERCENT, method="lower"))
    return sights, {at: max(shift - in_time, 0) for at, shift in shifts.items()}, unplaced


def first_sight(window: Window, sights: Sequence[Sight]) -> Sight | None:
    """Return the signal by which the engine saw ``window``, None if it did not."""
    after = bisect_right(sights, window.start - 1, key=lambda sight: sight.at)
    if after == len(sights):
        return None
    spans = after > 0 and sights[after - 1].window == sights[after].window
    return sights[after] if spans or sights[after].at < window.end else None


def judge(truth: Truth, live: Live, name: str) -> int:
    """Print what became of the windows longer than 5 ms; return how many were missed."""
    long = [it for it in truth.windows if it.end - it.start > LONG_NS]
    missed, small, spanned, took_ns = [], 0, 0, []
    for window in long:
        sight = first_sight(window, live.sights.get(truth.pairs[window.pair], ()))
        if sight is not None:
            took_ns.append(sight.took_ns)
            spanned += sight.at >= window.end
        elif window.was_signalled:
            missed.append(window)
        else:
            small += 1
    tell(f"windows > 5 ms, {name}", target="missed 0", met=not missed, windows=len(long),
         seen=len(took_ns), of_them_spanned=spanned, too_small=small, missed=len(missed),
         shorter=len(truth.windows) - len(long))
    for window in missed[:SHOWN_MAX]:
        buy, sell = truth.pairs[window.pair]
        near = [ns for at, ns in live.late_ns.items()
                if window.start - NEAR_NS < at < window.end + NEAR_NS]
        print(f"  missed: buy {buy} sell {sell} at {(window.start - truth.first) / 1e9:.6f} s,"
              f" {(window.end - window.start) / 1e6:.3f} ms long; frames around it came up to"
              f" {max(near, default=0) / 1e6:.3f} ms late")
    if took_ns:
        report(f"  received -> signal, {name}", took_ns)
    return len(missed)


def strangers(truth: Truth, live: Live) -> tuple[int, int]:
    """Return how many signals there were, and how many in no true window of their pair.

    Those saw two states that never stood together: one feed was ahead of the other.
    """
    total = outside = 0
    for number, pair in enumerate(truth.pairs):
        windows = sorted(it for it in truth.windows if it.pair == number)
        starts = [it.start for it in windows]
        for sight in live.sights.get(pair, ()):
            at = bisect_right(starts, sight.at) - 1
            total += 1
            outside += at < 0 or sight.at >= windows[at].end
    return total, outside


def length_s(files: Sequence[str]) -> float:
    """Return how long the recordings last together."""
    times = [line.t for file in files for line in Capture(file).lines()]
    return (max(times) - min(times)) / 1e9


def main(argv: Sequence[str] | None = None) -> int:
    """Judge each threshold; return 1 when a window longer than 5 ms was missed."""
    parser = argparse.ArgumentParser(prog="python -m bench.live_windows", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--capture", nargs="+", metavar="FILE", default=list(CAPTURES))
    parser.add_argument("--edge-bps", type=int, nargs="+", default=[5], help="thresholds")
    parser.add_argument("--seconds", type=float, default=parameter("seconds", smoke=15, full=0),
                        help="of the recording (default: all)")
    parser.add_argument("--repeat-ms", type=float, default=5.0,
                        help="how often an open window signals again: the trace it leaves")
    wanted = parser.parse_args(argv)
    if absent := [file for file in wanted.capture if not Path(file).is_file()]:
        print(f"not here: {', '.join(absent)}", file=sys.stderr)
        return 2
    print(machine())
    seconds = wanted.seconds or length_s(wanted.capture)
    missed = 0
    for bps in wanted.edge_bps:
        live, (touch, quote) = play(wanted.capture, 100 * bps, seconds, wanted.repeat_ms,
                                    (Source.BOTH, Source.QUOTE))
        missed += judge(touch, live, f"{bps} bps, book or quote")
        judge(quote, live, f"{bps} bps, quotes alone")
        if live.late_ns:
            report(f"  frames late, {bps} bps", [*live.late_ns.values()])
        total, outside = strangers(touch, live)
        tell(f"signals at {bps} bps", signals=total, in_no_true_window=outside,
             unplaced=live.unplaced, feeds=live.trouble, detector=live.detector)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
