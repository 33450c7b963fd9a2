"""The journal's bytes, read from their description alone: ``exec/journal/file.py``'s docstring.

    header   magic 8s | version u32 | chain u32 | file u64 | first u64 | boot u64 | crc u32
    record   length + 1 u32 | crc u32 | sequence u64 | unix_ns u64 | kind u16 | 0 u16 | 0 u32

The payload follows, and zeros up to 8 bytes; a record's crc is the CRC-32 from its sequence to
the end of its payload, begun with the crc of the record before.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from bench.auditor.facts import KINDS, Fact

_HEADER: Final = struct.Struct("<8sIIQQQI")
_RECORD: Final = struct.Struct("<IIQQHHI")
_FIRST: Final = 64  # bytes before the first record
_CRC_FROM: Final = 8  # bytes of a record before what its checksum covers


class Damaged(Exception):
    """The bytes are not those of a journal."""


class Entry(NamedTuple):
    """One record, read."""

    sequence: int
    unix_ns: int
    fact: Fact
    payload: bytes
    kind: int


class _File(NamedTuple):
    chain: int
    number: int
    first: int


def entries_of(folder: Path) -> Iterator[Entry]:
    """Yield all records of a journal in order; raise Damaged where they do not follow."""
    chain = sequence = number = 0
    paths = sorted(folder.glob("*.journal"))
    if not paths:
        raise Damaged(f"{folder}: no journal there")
    for path in paths:
        image = path.read_bytes()
        head = _header(path, image)
        if number and (head.number, head.first, head.chain) != (number + 1, sequence + 1, chain):
            raise Damaged(f"{path}: does not go on where file {number} ended")
        number, sequence, chain = head.number, head.first - 1, head.chain
        at = _FIRST
        while (found := _record(image, at, chain, sequence + 1)) is not None:
            entry, chain, at = found
            sequence = entry.sequence
            yield entry
        begun = any(image[at : at + 4])  # a length is written last: a kill leaves none
        if begun or (path != paths[-1] and any(image[at:])):
            raise Damaged(f"{path}: bytes that no chain holds, behind record {sequence}")


def entry_of(sequence: int, unix_ns: int, payload: bytes) -> Entry:
    """Return a record from its payload: ``[kind, field, ...]`` in MessagePack."""
    fields = msgspec.msgpack.decode(payload)
    if not isinstance(fields, list) or not fields or fields[0] not in KINDS:
        raise Damaged(f"record {sequence}: no record that is known: {fields!r:.80}")
    kind: int = fields[0]
    make = KINDS[kind]
    try:
        fact = make(*fields[1 : 1 + len(make._fields)])
    except TypeError:
        raise Damaged(f"record {sequence}: too few fields for kind {kind}") from None
    return Entry(sequence, unix_ns, fact, payload, kind)


def numbered(stored: Iterable[tuple[int, int, int, bytes]]) -> Iterator[Entry]:
    """Yield records that lie in memory as (sequence, unix_ns, kind, payload), without a gap."""
    for index, (sequence, unix_ns, kind, payload) in enumerate(stored, start=1):
        entry = entry_of(sequence, unix_ns, payload)
        if sequence != index or entry.kind != kind:
            raise Damaged(f"record {index} is numbered {sequence}, kind {kind}")
        yield entry


def _header(path: Path, image: bytes) -> _File:
    if len(image) < _FIRST:
        raise Damaged(f"{path}: too short")
    magic, version, chain, number, first, _boot, crc = _HEADER.unpack_from(image, 0)
    if magic != b"TRYJRNL1" or version != 1 or crc != zlib.crc32(image[: _HEADER.size - 4]):
        raise Damaged(f"{path}: its header is not a journal's")
    return _File(chain, number, first)


def _record(image: bytes, at: int, chain: int, due: int) -> tuple[Entry, int, int] | None:
    if at + _RECORD.size > len(image):
        return None
    length, crc, sequence, unix_ns, kind, zero, also = _RECORD.unpack_from(image, at)
    if not length or sequence != due or zero or also:
        return None
    stop = at + _RECORD.size + length - 1
    if stop > len(image) or zlib.crc32(image[at + _CRC_FROM : stop], chain) != crc:
        return None
    entry = entry_of(sequence, unix_ns, image[at + _RECORD.size : stop])
    if entry.kind != kind:
        raise Damaged(f"record {sequence}: kind {kind} outside, {entry.kind} inside")
    return entry, crc, -(-stop // 8) * 8
