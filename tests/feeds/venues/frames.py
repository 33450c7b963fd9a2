"""What the tests of all adapters share: damaged copies of a frame, and recorded frames."""

import gzip
import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from engine.model.errors import DecodeError
from feeds.venue import Event, Frame

ROOT = Path(__file__).resolve().parents[3]
SHARED = Path(os.environ.get("TRYPTO_SHARED", ROOT.parent / "shared"))
Decode = Callable[[Frame], Sequence[Event]]


def damaged(frame: bytes) -> Iterator[bytes]:
    """Yield every truncation of ``frame``, and every byte changed in some ways or taken out."""
    for at in range(len(frame)):
        yield frame[:at]
        yield frame[:at] + frame[at + 1 :]
        for byte in (frame[at] ^ 0x01, frame[at] ^ 0x20, frame[at] ^ 0x80, 0xFF, ord('"'), 0):
            yield frame[:at] + bytes((byte,)) + frame[at + 1 :]


def mistyped(frame: bytes) -> Iterator[bytes]:
    """Yield ``frame`` with every value, at every depth, replaced by values of other types."""
    others: tuple[object, ...] = (
        None, True, -1, 1.5, 2**63, "", "\ud7ff", "1e5", [], [[]], {}, {"a": 1},
    )

    def walk(value: object) -> Iterator[object]:
        yield from others
        if isinstance(value, dict):
            for key, inner in value.items():
                yield {name: at for name, at in value.items() if name != key}
                for changed in walk(inner):
                    yield {**value, key: changed}
        elif isinstance(value, list):
            for index, inner in enumerate(value):
                for changed in walk(inner):
                    yield [*value[:index], changed, *value[index + 1 :]]

    for changed in walk(json.loads(frame)):
        yield json.dumps(changed).encode()


def accepted_of(decode: Decode, frames: Iterator[bytes]) -> int:
    """Decode all and count those accepted; anything but DecodeError fails the test."""
    accepted = 0
    for frame in frames:
        try:
            decode(frame)
        except DecodeError:
            continue
        accepted += 1
    return accepted


def recorded(name: str) -> Iterator[tuple[str, bytes]]:
    """Yield channel and text of every frame received in a capture; skip where there is none."""
    path = SHARED / "captures" / f"{name}.jsonl.gz"
    if not path.exists():
        pytest.skip(f"no {path.name} beside this checkout")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            entry = json.loads(line)
            if entry["dir"] == "in":
                yield entry["ch"], entry["m"].encode()


def expected(name: str) -> dict[str, dict[str, object]]:
    """Return the known answers of a capture by symbol."""
    found = (json.loads(path.read_text())
             for path in sorted((SHARED / "captures" / "expected").glob(f"{name}.*.json")))
    return {answer["symbol"]: answer for answer in found}
