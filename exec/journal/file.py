"""One journal file: a header, then records, each chained to the one before by its checksum.

    header   magic, version, chain before it, file number, first sequence, boot, crc
    record   length u32 | crc32 u32 | sequence u64 | unix_ns u64 | kind u16 | 0 u16 | 0 u32 |
             payload, padded to 8 bytes; the crc covers the chain before it, then all after itself

Files are allocated in full beforehand and mapped: an append is a copy into memory that outlives
the process, and a full disk shows when a file is made, never when an order is due.

Length and checksum are written last, so after a kill a length of 0 ends the file.  Anything else
that is no record is damage and nothing is cut: unless the machine was booted since, when pages may
have reached the disk in any order, and no whole record follows.
"""

import mmap
import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from engine.model.errors import JournalCorrupt, NoSpace

MAGIC: Final = b"TRYJRNL1"
VERSION: Final = 1
_FILE: Final = struct.Struct("<8sIIQQQ")  # magic, version, chain, number, first sequence, boot
_CRC: Final = struct.Struct("<I")
HEADER_SIZE: Final = 64
_LENGTH_CRC: Final = struct.Struct("<II")
_HEAD: Final = struct.Struct("<QQHHI")  # sequence, unix_ns, kind, 0, 0
RECORD_SIZE: Final = _LENGTH_CRC.size + _HEAD.size  # of one without payload
PAYLOAD_SIZE_MAX: Final = 1 << 16
_PACK_LENGTH_CRC, _PACK_HEAD, _crc32 = _LENGTH_CRC.pack, _HEAD.pack, zlib.crc32
assert _LENGTH_CRC.size == 8
SUFFIX: Final = ".journal"


class Record(NamedTuple):
    """One record as it was appended."""

    sequence: int
    unix_ns: int
    kind: int
    payload: bytes


class Damage(NamedTuple):
    """Where a file stops making sense although it goes on."""

    path: Path
    offset: int
    sequence: int  # of the record that should be there
    goes_on: int  # offset of the next whole record; the same as ``offset`` where none follows


class Spare:
    """An allocated file that is not the journal's yet: what takes long was done beforehand."""

    def __init__(self, path: Path, new: Path, descriptor: int, size: int) -> None:
        """Take what ``allocate`` made: ``new`` is its name until it is ``path``."""
        self.path, self._new, self._descriptor = path, new, descriptor
        self._map = mmap.mmap(descriptor, size)

    @classmethod
    def allocate(cls, path: Path, size: int, suffix: str = ".new") -> "Spare":
        """Allocate ``size`` bytes for the file ``path``, durably; raise NoSpace without room.

        Who may be under way at the same time takes another ``suffix``.
        """
        new = path.with_suffix(suffix)
        descriptor = os.open(new, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, size)
            os.fsync(descriptor)
        except OSError as error:
            os.close(descriptor)
            new.unlink()
            room = os.statvfs(path.parent)
            raise NoSpace(
                str(path.parent), needed_bytes=size, free_bytes=room.f_bavail * room.f_frsize,
                remedy=f"{error.strerror}; free some, or move the journal") from error
        return cls(path, new, descriptor, size)

    def begin(self, *, number: int, first: int, chain: int, boot: int) -> "JournalFile":
        """Make it the journal's file; its header is durable, its name when the folder is synced."""
        header = _header(number, first, chain, boot)
        self._map[: len(header)] = header
        os.fdatasync(self._descriptor)
        self._new.rename(self.path)
        return JournalFile(self.path, self._map, self._descriptor)

    def drop(self) -> None:
        """Remove it, as if it had never been."""
        self._map.close()
        os.close(self._descriptor)
        self._new.unlink()


def size_of(payload: int) -> int:
    """Return what a record of so many payload bytes takes."""
    return RECORD_SIZE + (payload + 7 & ~7)


class JournalFile:
    """One file, mapped; knows where it ends and the chain so far."""

    def __init__(self, path: Path, mapped: mmap.mmap, descriptor: int) -> None:
        """Take a mapped file; use ``create`` or ``open``."""
        self.path, self._map, self._descriptor = path, mapped, descriptor
        self.size = len(mapped)  # as it was allocated
        magic, version, chain, number, first, boot = _FILE.unpack_from(mapped, 0)
        (crc,) = _CRC.unpack_from(mapped, _FILE.size)
        if magic != MAGIC or zlib.crc32(mapped[: _FILE.size]) != crc:
            raise JournalCorrupt(f"{path}: no journal header; restore it or move it away")
        if version != VERSION:
            raise JournalCorrupt(f"{path}: version {version}, this engine writes {VERSION}")
        self.number, self.first, self.boot = int(number), int(first), int(boot)
        self.next_sequence, self.chain, self.end = int(first), int(chain), HEADER_SIZE
        self._first_chain = int(chain)

    @classmethod
    def create(
        cls, path: Path, size: int, *, number: int, first: int, chain: int, boot: int
    ) -> "JournalFile":
        """Allocate a file of ``size`` bytes, durably named; raise NoSpace without room for it."""
        file = Spare.allocate(path, size).begin(number=number, first=first, chain=chain, boot=boot)
        sync_folder(path.parent)
        return file

    @classmethod
    def open(cls, path: Path, *, writable: bool = False) -> "JournalFile":
        """Map an existing file; raise JournalCorrupt where it is none."""
        descriptor = os.open(path, (os.O_RDWR if writable else os.O_RDONLY) | os.O_CLOEXEC)
        size = os.fstat(descriptor).st_size
        if size < HEADER_SIZE:
            os.close(descriptor)
            raise JournalCorrupt(f"{path}: {size} bytes, too short for a journal")
        access = mmap.ACCESS_WRITE if writable else mmap.ACCESS_READ
        mapped = mmap.mmap(descriptor, size, access=access)
        try:
            return cls(path, mapped, descriptor)
        except JournalCorrupt:
            mapped.close()
            os.close(descriptor)
            raise

    def fits(self, payload: int) -> bool:
        """Return whether a record of so many payload bytes still finds room."""
        return self.end + RECORD_SIZE + (payload + 7 & ~7) <= self.size

    def append(self, kind: int, payload: bytes, unix_ns: int) -> int:
        """Write one record that fits; return its sequence number."""
        sequence, at, mapped, size = self.next_sequence, self.end, self._map, len(payload)
        rest = _PACK_HEAD(sequence, unix_ns, kind, 0, 0) + payload
        crc = _crc32(rest, self.chain)
        mapped[at + 8 : at + RECORD_SIZE + size] = rest
        # One aligned store of 8 bytes: no kill falls between length (0: nothing here) and crc.
        mapped[at : at + 8] = _PACK_LENGTH_CRC(size + 1, crc)
        self.end, self.chain = at + RECORD_SIZE + (size + 7 & ~7), crc
        self.next_sequence = sequence + 1
        return sequence

    def scan(self) -> Iterator[Record]:
        """Yield the records from the start to the end of what is whole; find the end on the way."""
        self.end, self.next_sequence = HEADER_SIZE, self.first
        self.chain = self._first_chain
        yield from self.more()

    def more(self) -> Iterator[Record]:
        """Yield the whole records that follow the last one read: a live file grows."""
        while (found := self._record(self.end, self.chain, self.next_sequence)) is not None:
            record, crc = found
            self.end += size_of(len(record.payload))
            self.chain, self.next_sequence = crc, record.sequence + 1
            yield record

    def grew(self) -> bool:
        """Return whether a whole record stands where the last one read ended."""
        return self._record(self.end, self.chain, self.next_sequence) is not None

    def begun(self) -> bool:
        """Return whether something stands at the end that is no whole record, or none yet."""
        there = self.end + RECORD_SIZE <= len(self._map)
        return bool(there and _LENGTH_CRC.unpack_from(self._map, self.end)[0])

    def damage(self, boot: int) -> Damage | None:
        """Return what follows the end that ``scan`` found and cannot be a torn tail.

        Behind damage the chain is unknown: a later record counts as whole when the one after it
        follows from it, the last one by its sequence and length.
        """
        for at in range(self.end + 8, self.end + self.torn(), 8):
            if self._looks_whole(at):
                return Damage(self.path, self.end, self.next_sequence, at)
        if boot == self.boot and self.begun():
            return Damage(self.path, self.end, self.next_sequence, self.end)
        return None

    def torn(self) -> int:
        """Return how many bytes follow the last whole record."""
        return len(self._map[self.end :].rstrip(b"\0"))

    def adopt(self, boot: int) -> int:
        """Zero what lies beyond the end, a torn tail; return its bytes.  Note the present boot."""
        torn = self.torn()
        if torn:
            self._map[self.end : self.end + torn] = bytes(torn)
        if torn or boot != self.boot:
            header = _header(self.number, self.first, self._first_chain, boot)
            self._map[: len(header)] = header
            self.boot = boot
            self.sync()
        return torn

    def sync(self) -> None:
        """Return when all that was appended is on the disk; any thread may wait for that."""
        os.fdatasync(self._descriptor)

    def close(self) -> None:
        """Unmap."""
        self._map.close()
        os.close(self._descriptor)

    def _record(self, at: int, chain: int, sequence: int) -> tuple[Record, int] | None:
        """Return the record at an offset and its checksum, None where there is none."""
        if at + RECORD_SIZE > len(self._map):
            return None
        length, crc = _LENGTH_CRC.unpack_from(self._map, at)
        if not 0 < length <= PAYLOAD_SIZE_MAX + 1 or at + size_of(length - 1) > len(self._map):
            return None
        start = at + _LENGTH_CRC.size
        rest = self._map[start : start + _HEAD.size + length - 1]
        found, unix_ns, kind, zero, also = _HEAD.unpack_from(rest, 0)
        if zlib.crc32(rest, chain) != crc or found != sequence or zero or also:
            return None
        return Record(found, unix_ns, kind, rest[_HEAD.size :]), crc

    def _looks_whole(self, at: int) -> bool:
        if at + RECORD_SIZE > len(self._map):
            return False
        length, crc = _LENGTH_CRC.unpack_from(self._map, at)
        if not 0 < length <= PAYLOAD_SIZE_MAX + 1 or at + size_of(length - 1) > len(self._map):
            return False
        sequence, _, _, zero, also = _HEAD.unpack_from(self._map, at + _LENGTH_CRC.size)
        if zero or also or not self.next_sequence < sequence < self.next_sequence + len(self._map):
            return False
        following = at + size_of(length - 1)
        if self._record(following, crc, sequence + 1) is not None:
            return True
        alone = following + 4 > len(self._map) or not _CRC.unpack_from(self._map, following)[0]
        return alone and crc != 0


def _header(number: int, first: int, chain: int, boot: int) -> bytes:
    head = _FILE.pack(MAGIC, VERSION, chain, number, first, boot)
    return head + _CRC.pack(zlib.crc32(head))


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def path_of(folder: Path, number: int) -> Path:
    """Return where a journal keeps its file of that number."""
    return folder / f"{number:010d}{SUFFIX}"
