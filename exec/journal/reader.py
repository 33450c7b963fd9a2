"""Replaying a journal: every record of every file in order, or a clear word where that ends."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from engine.model.errors import JournalCorrupt
from exec.journal.file import SUFFIX, JournalFile, Record


class Summary(NamedTuple):
    """What a whole journal holds."""

    files: int
    records: int
    first: int  # sequence of the oldest record
    last: int  # of the newest, first - 1 if there is none
    torn: int  # bytes of an append that a crash cut short


def files_of(folder: Path) -> list[Path]:
    """Return a journal's files, oldest first."""
    return sorted(folder.glob(f"*{SUFFIX}"))


def read(folder: Path, *, boot: int) -> Iterator[Record]:
    """Yield all records; raise JournalCorrupt at the first thing that nobody appended.

    The records before it were yielded: whoever acts on them waits for the end.
    """
    for _, record in _walk(folder, boot):
        if record is not None:
            yield record


def verify(folder: Path, *, boot: int) -> Summary:
    """Read everything; return what there is, or raise JournalCorrupt."""
    files, records, first, last, torn = 0, 0, 1, 0, 0
    for file, record in _walk(folder, boot):
        if record is None:
            files += 1
            torn = file.torn()
            torn = 0 if file.grew() else torn
            first = file.first if files == 1 else first
            last = file.next_sequence - 1
        else:
            records += 1
    return Summary(files, records, first, last, torn)


def _walk(folder: Path, boot: int) -> Iterator[tuple[JournalFile, Record | None]]:
    """Yield each record with its file, and None at the end of each file."""
    before: JournalFile | None = None
    paths = files_of(folder)
    for path in paths:
        file = JournalFile.open(path)
        try:
            if before is not None:
                follows(before, file)
            for record in file.scan():
                yield file, record
            check_end(file, boot, last=path == paths[-1])
            yield file, None
        finally:
            file.close()
        before = file


def follows(before: JournalFile, file: JournalFile) -> None:
    """Raise JournalCorrupt unless ``file`` goes on where ``before`` ended."""
    if (file.number, file.first, file.chain) != (
        before.number + 1, before.next_sequence, before.chain
    ):
        raise JournalCorrupt(
            f"{file.path} begins with record {file.first}, but {before.path} ends before"
            f" {before.next_sequence}: a file is missing, or one of another journal; restore it")


def check_end(file: JournalFile, boot: int, *, last: bool) -> None:
    """Raise JournalCorrupt where a scanned file stops making sense but goes on.

    What a living writer appended since is none of that.
    """
    damage = file.damage(boot)
    if damage is not None and file.grew():
        return
    if damage is None and not last and file.torn():
        raise JournalCorrupt(f"{file.path}: {file.torn()} bytes after its last record, though"
                             " later files go on; restore it")
    if damage is not None:
        more = "" if damage.goes_on == damage.offset else (
            f"; whole records go on at byte {damage.goes_on}")
        raise JournalCorrupt(
            f"{file.path}: record {damage.sequence} at byte {damage.offset} is damaged{more};"
            " nothing was cut: restore the file, or move the journal away and reconcile by hand")
