"""Frames that leave together: one system call for all that a turn has for a connection.

A write to a socket costs more than making the frame, and a busy market makes several per
connection and millisecond.  Frames from a server are not masked, so a batch is heads and texts.
"""

import struct
from collections.abc import Iterable
from typing import Final

_FINAL_TEXT: Final = 0x81
_SHORT: Final = struct.Struct(">BB").pack
_MIDDLE: Final = struct.Struct(">BBH").pack
_LONG: Final = struct.Struct(">BBQ").pack


def head(size: int) -> bytes:
    """Return the WebSocket head of a text frame of ``size`` bytes, unmasked (RFC 6455, 5.2)."""
    if size < 126:
        return _SHORT(_FINAL_TEXT, size)
    return _MIDDLE(_FINAL_TEXT, 126, size) if size < 1 << 16 else _LONG(_FINAL_TEXT, 127, size)


def framed(texts: Iterable[bytes]) -> bytes:
    """Return text frames as the bytes of one write."""
    return b"".join([part for text in texts for part in (head(len(text)), text)])
