"""The venues' checksums over the best levels of a book, as kernels: CRC32 of level text.

The text is written again from quanta and the number of decimals that the venue sent, which is
all that distinguishes "1.50" from "1.5"; the result is unsigned also where a venue sends it
signed.  Rules as the sheets in ``venues/`` have them, read
2026-11-21; there is no checksum over more levels than the book has.
"""

from typing import Final

import numpy as np

from feeds.book.arena import (
    CHECKSUM,
    COLUMNS,
    PRICE_DECIMALS,
    ROWS,
    SCRATCH,
    SIZE_DECIMALS,
    Arena,
    best_row,
    count,
    live_row,
)
from feeds.book.levels import ASK, BID
from feeds.book.numbers import POWER
from feeds.venue import NO_CHECKSUM, Checksum
from shm.jit import fused, hot
from shm.text import Octets

NOT_SENT: Final = NO_CHECKSUM
KRAKEN_LEVELS: Final = 10
OKX_LEVELS: Final = 25
_NUMBER_SIZE: Final = 512  # bytes of scratch: 19 digits, a point, at most 255 added zeros

_KRAKEN: Final = int(Checksum.KRAKEN)
_OKX: Final = int(Checksum.OKX)
_POINT, _ZERO, _COLON = ord("."), ord("0"), ord(":")
_POLYNOMIAL: Final = 0xEDB88320  # CRC-32 of IEEE 802.3, zlib's, bits reversed
_ALL: Final = 0xFFFFFFFF


def _table() -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    table = np.zeros(256, np.int64)
    for index in range(256):
        value = index
        for _ in range(8):
            value = value >> 1 ^ (_POLYNOMIAL if value & 1 else 0)
        table[index] = value
    return table


_TABLE: Final = _table()


@fused
def _add(crc: int, mark: int) -> int:
    return int(_TABLE[(crc ^ mark) & 0xFF]) ^ crc >> 8


@hot
def crc32(text: Octets) -> int:
    """Return the CRC-32 of bytes, unsigned, as zlib computes it."""
    crc = _ALL
    for mark in text:
        crc = _add(crc, int(np.int64(mark)))
    return crc ^ _ALL


@hot
def _add_number(
    crc: int, scratch: Octets, quanta: int, decimals: int, sent: int, plain: bool
) -> int:
    """Add a number as the venue sent it, with ``sent`` decimals; ``plain`` keeps only its digits.

    ``plain`` leaves out the point and the zeros in front.  Written from the back.
    """
    if plain and quanta == 0:
        return crc
    at, written = _NUMBER_SIZE, 0
    if sent < decimals:
        quanta //= POWER[decimals - sent]  # exact: it was read from that many decimals
    while written < sent - decimals:
        at -= 1
        scratch[at] = _ZERO
        written += 1
    while quanta > 0 or (not plain and written <= sent):
        if written == sent and sent > 0 and not plain:
            at -= 1
            scratch[at] = _POINT
        at -= 1
        scratch[at] = _ZERO + quanta % 10
        quanta //= 10
        written += 1
    while at < _NUMBER_SIZE:
        crc = _add(crc, int(np.int64(scratch[at])))
        at += 1
    return crc


@hot
def _add_level(crc: int, arena: Arena, row: int, plain: bool) -> int:
    """Add price and size of the level at ``row``; with a colon between where not ``plain``."""
    scratch = arena[SCRATCH : SCRATCH + _NUMBER_SIZE // 8].view(np.uint8)
    at_size = row + arena[ROWS]
    sent = arena[at_size + arena[ROWS]]
    crc = _add_number(crc, scratch, abs(arena[row]), arena[PRICE_DECIMALS], sent & 0xFF, plain)
    if not plain:
        crc = _add(crc, _COLON)
    return _add_number(crc, scratch, arena[at_size], arena[SIZE_DECIMALS], sent >> 8, plain)


@hot
def _kraken(arena: Arena) -> int:
    """Return the unsigned CRC of the ten best asks, then bids: digits without leading zeros."""
    crc = _ALL
    for side in (ASK, BID):
        row = best_row(arena, side)
        for _ in range(min(KRAKEN_LEVELS, count(arena, side))):
            row = live_row(arena, row)
            crc = _add_level(crc, arena, row, True)
            row -= 1
    return crc ^ _ALL


@hot
def _okx(arena: Arena) -> int:
    """Return the CRC of bid, ask, bid, ask, ...: price:size as sent, joined by colons."""
    crc, first = _ALL, True
    bid, ask = best_row(arena, BID), best_row(arena, ASK)
    for rank in range(OKX_LEVELS):
        for side in (BID, ASK):
            if rank < count(arena, side):
                if not first:
                    crc = _add(crc, _COLON)
                first = False
                row = live_row(arena, bid if side == BID else ask)
                crc = _add_level(crc, arena, row, False)
                if side == BID:
                    bid = row - 1
                else:
                    ask = row - 1
    return crc ^ _ALL


@hot
def checksum_of(arena: Arena) -> int:
    """Return the checksum of a book by its venue's rule, NOT_SENT for a venue without one."""
    if arena[COLUMNS] == 3:
        if arena[CHECKSUM] == _KRAKEN:
            return _kraken(arena)
        if arena[CHECKSUM] == _OKX:
            return _okx(arena)
    return NOT_SENT
