"""Numbers and times on the wire: bounded, so that whatever decodes also fits 64 bits.

Every decoder of the shelf ends in ``malformed``: whatever a frame holds, the only error that
leaves an adapter is DecodeError.
"""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from engine.model.errors import DecodeError
from feeds.venue import Frame

Id = Annotated[int, Meta(ge=0, le=2**63 - 1)]
PreviousId = Annotated[int, Meta(ge=-1, le=2**63 - 1)]  # -1: nothing came before
Millis = Annotated[int, Meta(ge=0, le=9_000_000_000_000)]  # to the year 2255; in ns still 63 bits

NS_PER_MS: Final = 1_000_000
ABSENT: Final = msgspec.Raw(b"")  # default of a raw field: compare by ``is``

# everything that msgspec raises on bytes from outside: syntax and types, UTF-8, endless nesting
MALFORMED: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def malformed(frame: Frame, why: object) -> DecodeError:
    """Return the error for ``frame``, with its beginning for the person at night."""
    return DecodeError(f"{why}: {bytes(frame[:120])!r}")
