"""Misbehaviour on command: what can go wrong between a venue and us, seeded.

A fault comes from the config, or by a control call.  Which frame, request or order is struck
follows from the seed and their order.
"""

import re
from collections.abc import Sequence
from random import Random
from typing import Final

from engine.model.fault import Fault, Kind

NS: Final = 1_000_000_000
FAULTS_MAX: Final = 1_000  # in force or to come
MANGLING: Final = frozenset({Kind.TRUNCATE, Kind.CORRUPT, Kind.BLOAT, Kind.CHECKSUM})
BLOAT_SIZE: Final = 32 << 20
_CHECKSUM: Final = re.compile(rb'"checksum":(-?\d+)')


class Faults:
    """The faults of one run; one seeded source decides every strike."""

    def __init__(self, faults: Sequence[Fault], *, seed: int, start_mono_ns: int) -> None:
        self._faults = list(faults)
        self._random = Random(seed)  # noqa: S311  not a secret
        self._start_ns = start_mono_ns
        self.struck: dict[str, int] = {}  # "venue:kind" -> strikes, for tests and the operator

    @property
    def any(self) -> bool:
        """Return whether there is any fault at all, in force or to come."""
        return bool(self._faults)

    def advance(self, seconds: float) -> None:
        """Let schedules stand so much later: for tests, which wait for no clock."""
        self._start_ns -= int(seconds * NS)

    def seconds(self, mono_ns: int) -> float:
        """Return the time that schedules go by: seconds since the server's start."""
        return (mono_ns - self._start_ns) / NS

    def add(self, fault: Fault) -> None:
        """Put one more fault in force; ValueError if there are too many already."""
        if len(self._faults) >= FAULTS_MAX:
            raise ValueError(f"{FAULTS_MAX} faults stand already: lift some")
        self._faults.append(fault)

    def clear(self, venue: str, kind: Kind | None = None) -> int:
        """Lift all faults of one venue or of all, "*"; or only one kind.  Return how many."""
        before = len(self._faults)
        self._faults = [
            fault for fault in self._faults
            if venue not in ("*", fault.venue) or kind not in (None, fault.kind)]
        return before - len(self._faults)

    def standing(self, mono_ns: int) -> list[Fault]:
        """Return what is in force or to come; forget what is over."""
        at_s = self.seconds(mono_ns)
        self._faults = [fault for fault in self._faults if at_s < fault.end_s]
        return list(self._faults)

    def strike(
        self, venue: str, symbol: str, kinds: frozenset[Kind], mono_ns: int, text: bytes = b""
    ) -> Fault | None:
        """Return the fault that strikes this frame, request or order, if any does."""
        if not self._faults:
            return None
        at_s = self.seconds(mono_ns)
        for fault in self._faults:
            if (
                fault.kind not in kinds
                or fault.venue not in ("*", venue) or fault.symbol not in ("", symbol)
                or not fault.start_s <= at_s < fault.end_s
                or (fault.kind is Kind.CHECKSUM and b'"checksum":' not in text)
                or self._random.random() >= fault.rate
            ):
                continue
            if fault.count > 0:
                fault.count -= 1
                if not fault.count:
                    self._faults.remove(fault)
            self.count(venue, fault.kind)
            return fault
        return None

    def count(self, venue: str, kind: Kind) -> None:
        """Note that a fault struck."""
        name = f"{venue}:{kind}"
        self.struck[name] = self.struck.get(name, 0) + 1

    def in_force(self, venue: str, kind: Kind, mono_ns: int) -> list[Fault]:
        """Return the faults of one kind that hold at a venue now."""
        if not self._faults:
            return []
        at_s = self.seconds(mono_ns)
        return [fault for fault in self._faults if fault.kind is kind
                and fault.venue in ("*", venue) and fault.start_s <= at_s < fault.end_s]

    def mangled(self, kind: Kind, text: bytes) -> bytes:
        """Return what a kind of MANGLING makes of a frame's text."""
        if kind is Kind.TRUNCATE:
            return text[: len(text) // 2]
        if kind is Kind.BLOAT:
            return text + b" " * BLOAT_SIZE
        if kind is Kind.CHECKSUM:
            return wrong_checksum(text)
        at = self._random.randrange(len(text))
        return text[:at] + bytes([text[at] ^ 0x80]) + text[at + 1 :]


def wrong_checksum(text: bytes) -> bytes:
    """Return the frame with a checksum that is off by one."""
    return _CHECKSUM.sub(lambda match: b'"checksum":%d' % (int(match[1]) ^ 1), text, count=1)
