"""``python -m exec.admission RUN_FOLDER``: say whether a config may go live with its keys.

The config comes as JSON on stdin.  Nothing is started yet: what is wrong with a key, its file, its
fingerprint or the confirmed account is said to whoever starts the engine, and the account is named.
"""

import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from engine.config import Config
from engine.model.errors import ConfigInvalid, EngineError
from exec.accounts import account_of, check_confirmed, keys_of
from exec.venues.registry import codec_of
from shm.segment import RunFolder

FAILED: Final = 1
WRONG_INPUT: Final = 2  # as all commands have it


def main(arguments: Sequence[str]) -> int:
    """Return 0 where it may, else 1 or 2 and one line of what is wrong."""
    (folder,) = arguments
    config, run = msgspec.json.decode(sys.stdin.buffer.read(), type=Config), RunFolder(Path(folder))
    try:
        keys = keys_of(config, run, os.environ)
        with tempfile.TemporaryDirectory() as nowhere:
            for venue, key in keys.items():
                codec_of(venue, key, (), Path(nowhere))
        check_confirmed(config, account_of(config, run, keys))
    except EngineError as error:
        sys.stderr.write(f"trypto-engine start: {error}\n")
        return WRONG_INPUT if isinstance(error, ConfigInvalid) else FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
