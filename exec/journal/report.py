"""``python -m exec.journal.report dump|verify FOLDER``: what a journal holds, or that it is whole.

Reads only, so it may be done while execution writes.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import msgspec

from engine.model.errors import JournalCorrupt
from engine.runtime.machine import boot_id
from exec import records as r
from exec.journal import reader
from exec.journal.file import Record
from exec.text import when


def main(arguments: Sequence[str]) -> int:
    """Print; return 1 and one line of what is wrong for a journal that is damaged."""
    parser = argparse.ArgumentParser(prog="trypto-engine journal")
    parser.add_argument("task", choices=("dump", "verify"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--limit", type=int, default=None)
    options = parser.parse_args(arguments)
    try:
        if options.task == "verify":
            _verify(options.folder, json=options.json)
        else:
            wanted = (each for each in reader.read(options.folder, boot=boot_id())
                      if each.sequence >= options.first)
            for line in lines(islice(wanted, options.limit), json=options.json):
                sys.stdout.write(line + "\n")
    except JournalCorrupt as error:
        sys.stderr.write(f"trypto-engine journal: {error}\n")
        return 1
    except BrokenPipeError:  # whoever read our output has enough
        sys.stderr.close()
        return 1
    except OSError as error:
        sys.stderr.write(f"trypto-engine journal: {error}\n")
        return 1
    return 0


def _verify(folder: Path, *, json: bool) -> None:
    found = reader.verify(folder, boot=boot_id())
    kinds: dict[str, int] = {}
    for record in reader.read(folder, boot=boot_id()):
        name = type(_decoded(record)).__name__
        kinds[name] = kinds.get(name, 0) + 1
    if json:
        said = {"folder": str(folder), **found._asdict(), "kinds": kinds}
        sys.stdout.write(msgspec.json.encode(said).decode() + "\n")
        return
    torn = f"; {found.torn} bytes of an append cut short at its end" if found.torn else ""
    counted = ", ".join(f"{count} {name}" for name, count in sorted(kinds.items()))
    sys.stdout.write(f"{folder}: whole: {found.records} records in {found.files} files, numbers"
                     f" {found.first} to {found.last}{torn}\n{counted}\n")


def lines(records: Iterator[Record], *, json: bool) -> Iterator[str]:
    """Yield a line for each record; raise JournalCorrupt for what is no record of ours."""
    for each in records:
        record = _decoded(each)
        fields = {name: getattr(record, name) for name in record.__struct_fields__}
        kind = type(record).__name__
        if json:
            yield msgspec.json.encode({"sequence": each.sequence, "unix_ns": each.unix_ns,
                                       "kind": kind, "fields": _named(fields)}).decode()
        else:
            words = " ".join(f"{name}={_plain(value)}" for name, value in fields.items())
            yield f"{each.sequence:8} {when(each.unix_ns)} {kind:13} {words}"


def _decoded(record: Record) -> r.Record:
    try:
        return r.decode(record.payload)
    except msgspec.DecodeError as error:
        raise JournalCorrupt(f"record {record.sequence} is none of ours: {error}; was it written"
                             " by a newer engine?") from None


def _named(fields: dict[str, object]) -> dict[str, object]:
    """Return fields with legs as objects: in the journal they are bare arrays."""
    return {name: [msgspec.structs.asdict(leg) if isinstance(leg, r.Leg | r.LegSeen) else leg
                   for leg in value] if isinstance(value, tuple) else value
            for name, value in fields.items()}


def _plain(value: object) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(
            f"{leg.venue} {leg.symbol} {leg.side:+d} {leg.size} @ {leg.price}" for leg in value
        ) + "]"
    return msgspec.json.encode(value).decode() if isinstance(value, str) else str(value)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
