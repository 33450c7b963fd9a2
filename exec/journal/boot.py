"""Which boot of the machine this is: after another one, a file's last pages may be missing."""

from pathlib import Path
from typing import Final

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


def boot_number() -> int:
    """Return a number, of 63 bits, that no other boot has."""
    return int(_BOOT_ID.read_text().strip().replace("-", ""), 16) >> 65
