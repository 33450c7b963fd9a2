"""Misbehaviour on command: what can go wrong between a venue and us, seeded.

A fault strikes market-data frames, connections or REST requests of one venue.  It comes from
the config, or by a control call with a count of strikes.  Which frame is struck follows from the
seed and the order of frames.
"""

import re
from collections.abc import Sequence
from random import Random
from typing import Final

from engine.model.fault import Fault, Kind

NS: Final = 1_000_000_000
_CHECKSUM: Final = re.compile(rb'"checksum":(-?\d+)')


class Faults:
    """The faults of one run; one seeded source decides every strike."""

    def __init__(self, faults: Sequence[Fault], *, seed: int, start_mono_ns: int) -> None:
        self._faults = list(faults)
        self._random = Random(seed)  # noqa: S311  not a secret
        self._start_ns = start_mono_ns
        self.struck: dict[str, int] = {}  # "venue:kind" -> strikes, for tests and the operator

    @property
    def in_force(self) -> bool:
        """Return whether there is any fault at all."""
        return bool(self._faults)

    def add(self, fault: Fault) -> None:
        """Put one more fault in force."""
        self._faults.append(fault)

    def clear(self, venue: str) -> None:
        """Lift all faults of one venue, or all with "*"."""
        self._faults = [fault for fault in self._faults if venue not in ("*", fault.venue)]

    def strike(
        self, venue: str, symbol: str, kinds: frozenset[Kind], mono_ns: int, text: bytes = b""
    ) -> Fault | None:
        """Return the fault that strikes this frame or request, if any does."""
        if not self._faults:
            return None
        at_s = (mono_ns - self._start_ns) / NS
        for fault in self._faults:
            if (
                fault.kind not in kinds or fault.count == 0
                or fault.venue not in ("*", venue) or fault.symbol not in ("", symbol)
                or not fault.start_s <= at_s < fault.end_s
                or (fault.kind is Kind.CHECKSUM and b'"checksum":' not in text)
                or self._random.random() >= fault.rate
            ):
                continue
            if fault.count > 0:
                fault.count -= 1
            name = f"{venue}:{fault.kind}"
            self.struck[name] = self.struck.get(name, 0) + 1
            return fault
        return None

    def standing(self, venue: str, kind: Kind, mono_ns: int) -> Fault | None:
        """Return the fault that is in force at a venue as a whole, if one is."""
        at_s = (mono_ns - self._start_ns) / NS
        return next((fault for fault in self._faults if fault.kind is kind and fault.count
                     and fault.venue in ("*", venue) and fault.start_s <= at_s < fault.end_s), None)

    def corrupt(self, text: bytes) -> bytes:
        """Flip the high bit of one byte."""
        at = self._random.randrange(len(text))
        return text[:at] + bytes([text[at] ^ 0x80]) + text[at + 1 :]


def wrong_checksum(text: bytes) -> bytes:
    """Return the frame with a checksum that is off by one."""
    return _CHECKSUM.sub(lambda match: b'"checksum":%d' % (int(match[1]) ^ 1), text, count=1)
