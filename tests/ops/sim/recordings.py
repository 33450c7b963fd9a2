"""Where recordings come from in tests: the shared ones where they are, small ones made here."""

import gzip
import json
import os
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SHARED = Path(os.environ.get("TRYPTO_SHARED") or ROOT.parent / "shared")


def shared(name: str) -> Path:
    """Return a shared capture; skip the test on machines without it."""
    path = SHARED / "captures" / name
    if not path.exists():
        pytest.skip(f"{path} is not here")
    return path


def write(path: Path, lines: Iterable[tuple[int, str, str, object]]) -> Path:
    """Write a capture of (ns, "ws" or "http", url, message) lines."""
    with gzip.open(path, "wt") as file:
        for t, ch, url, message in lines:
            text = message if isinstance(message, str) else _compact(message)
            file.write(json.dumps({"t": t, "ch": ch, "dir": "in", "url": url, "m": text}) + "\n")
    return path


def _compact(message: object) -> str:
    return json.dumps(message, separators=(",", ":"))


STREAM = "wss://stream.binance.com:9443/stream"
DEPTH = "https://api.binance.com/api/v3/depth?symbol=ABUSDT&limit=1000"


def small_binance(path: Path, *, start_ns: int = 10**18, frames: int = 200) -> Path:
    """Write a capture with a snapshot after ten of ``frames`` diffs, 1 ms apart."""
    lines: list[tuple[int, str, str, object]] = []
    for number in range(1, frames + 1):
        bids = [[f"{100 - number % 7}.50000000", f"{number}.00000000"]]
        asks = [[f"{101 + number % 5}.25000000", f"{number % 3}.00000000"]]
        data = {"e": "depthUpdate", "E": 1, "s": "ABUSDT", "U": number, "u": number,
                "b": bids, "a": asks}
        at_ns = start_ns + number * 1_000_000
        lines.append((at_ns, "ws", STREAM, {"stream": "abusdt@depth@100ms", "data": data}))
        if number == 10:
            lines.append((at_ns + 1, "http", DEPTH, {
                "lastUpdateId": 8, "bids": [["50.00000000", "1.00000000"]],
                "asks": [["150.00000000", "1.00000000"]]}))
    return write(path, lines)
