"""UUIDs as Coinbase shows them, made of the exchange's numbers and of names, reversibly.

An order's number travels in the lower half of its UUID, multiplied so that neighbours look
unrelated; the upper half must agree, so that no other UUID is ever taken for an order's.
"""

import uuid
from typing import Final

_BITS: Final = 60  # an exchange's numbers are far below
_MIX: Final = 0x9E3779B97F4A7C15  # odd: it has an inverse
_UNMIX: Final = pow(_MIX, -1, 1 << _BITS)
_UPPER: Final = 0xD1342543DE82EF95
_SPACE: Final = uuid.UUID("6ba7b812-9dad-11d1-80b4-00c04fd430c8")


def uuid_of(number: int) -> str:
    """Return the UUID (version 4 by its look) of an order's or a trade's number."""
    low = number * _MIX % (1 << _BITS)
    high = (number * _UPPER + _MIX) % (1 << 64)
    return str(uuid.UUID(int=high << 64 | low, version=4))


def number_of(text: str) -> int:
    """Return the number behind a UUID, 0 if it is not one of ours."""
    try:
        low = uuid.UUID(text).int % (1 << _BITS)
    except ValueError:
        return 0
    number = low * _UNMIX % (1 << _BITS)
    return number if uuid_of(number) == text.lower() else 0


def uuid_named(*parts: str) -> str:
    """Return the UUID of an account, a portfolio or a user: the same in every run."""
    return str(uuid.uuid5(_SPACE, ":".join(parts)))
