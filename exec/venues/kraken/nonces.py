"""Rising nonces: the clock's microseconds, but never one that was given before, in any life.

Source: shared/venues/kraken.md (Private: REST signing), 2026-11-21: unsigned 64 bits, strictly
increasing per key.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Final

RESERVED: Final = 10_000_000  # numbers set aside at a time: ten seconds of microseconds


class Nonces:
    """The nonces of one key; ``owner`` writes down how far they are reserved, and brings it back.

    So a restart whose clock stands behind still goes on above everything that was used.
    """

    def __init__(self, reserved: int, owner: Callable[[int], None]) -> None:
        """Go on above ``reserved``, what the owner was told last; 0 if never.

        An owner that cannot write raises OSError and is asked again: until then only a restart
        whose clock stands behind is worse off, while a cancel must leave though the disk is full.
        """
        self._last = self._reserved = reserved
        self._owner = owner

    def __call__(self, now_unix_ns: int) -> int:
        """Return the next nonce."""
        self._last = max(self._last + 1, now_unix_ns // 1000)
        if self._last > self._reserved:
            reserved = self._last + RESERVED
            with suppress(OSError):
                self._owner(reserved)  # before the first of them is used
                self._reserved = reserved
        return self._last
