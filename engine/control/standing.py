"""What an operator or control itself has ordered and a new control has to keep: pauses and a halt.

One small file beside the kill file, replaced whole at each change.  The launcher carries it over
to the folder of the next control; a clean stop removes it with the folder.
"""

import os

import msgspec

from engine.control.protocol import STANDING_FILE
from engine.model.errors import SegmentInvalid
from shm.segment import RunFolder


class Standing(msgspec.Struct, forbid_unknown_fields=True):
    """The orders that stand; without any, there is no file."""

    paused: bool = False  # everything
    targets: list[str] = []  # paused venues, strategies and symbols, by the names in ``pause``
    halt_reason: str = ""  # empty: not halted


def save(run: RunFolder, standing: Standing) -> None:
    """Replace the file, or remove it when nothing stands; raise OSError where that fails."""
    path = run.file(STANDING_FILE)
    if standing == Standing():
        path.unlink(missing_ok=True)
        return
    new = run.file(f"{STANDING_FILE}.new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.encode(standing))
    new.rename(path)


def saved(run: RunFolder) -> Standing:
    """Return what stands; raise SegmentInvalid for a file that is not ours."""
    path = run.file(STANDING_FILE)
    try:
        return msgspec.json.decode(path.read_bytes(), type=Standing)
    except FileNotFoundError:
        return Standing()
    except (OSError, msgspec.DecodeError) as error:
        raise SegmentInvalid(f"{path}: {error}") from None
