"""The parameters of one request, read one by one with the venue's words for what is wrong.

Source: binance-spot-api-docs:rest-api.md, errors.md @ a5e0bc3, 2026-11-21.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final, TypeVar
from urllib.parse import parse_qsl

from ops.sim.faces.binance.errors import (
    DUPLICATE_VALUES,
    EMPTY,
    ILLEGAL,
    INVALID,
    MANDATORY,
    OVERFLOW,
    PRECISION,
    UNREAD,
    Problem,
    Refused,
)

SIGNED: Final = frozenset({"timestamp", "recvWindow", "signature", "apiKey"})
WHOLE: Final = re.compile(r"-?[0-9]{1,19}")
DECIMAL: Final = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?")
DECIMALS_MAX: Final = 8  # of every asset on spot
WHOLE_DIGITS_MAX: Final = 12
DECIMAL_RANGE: Final = r"^([0-9]{1,20})(\.[0-9]{1,20})?$"
_T = TypeVar("_T")


class Params:
    """What a client sent, as text; ``done`` refuses what nobody read."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = values
        self._read = set(SIGNED & values.keys())

    def text(self, name: str) -> str | None:
        """Return a parameter, None if it was not sent; refuse an empty one."""
        self._read.add(name)
        value = self.values.get(name)
        if value == "":
            raise Refused(EMPTY, name)
        return value

    def required(self, name: str) -> str:
        """Return a parameter that must be there."""
        self._read.add(name)
        value = self.values.get(name)
        if not value:
            raise Refused(MANDATORY, name)
        return value

    def whole(self, name: str, *, least: int = 0, most: int = (1 << 63) - 1) -> int | None:
        """Return an integer within bounds, None if it was not sent."""
        value = self.text(name)
        if value is None:
            return None
        if not WHOLE.fullmatch(value):
            raise Refused(ILLEGAL, name, "^[0-9]{1,20}$")
        if not least <= int(value) <= most:
            raise Refused(INVALID, name)
        return int(value)

    def decimal(self, name: str, *, decimals_max: int = DECIMALS_MAX) -> Decimal | None:
        """Return a number that is not negative, None if it was not sent."""
        value = self.text(name)
        if value is None:
            return None
        if not DECIMAL.fullmatch(value):
            raise Refused(ILLEGAL, name, DECIMAL_RANGE)
        whole, _, fraction = value.partition(".")
        if len(fraction.rstrip("0")) > decimals_max:
            raise Refused(PRECISION, name)
        if len(whole.lstrip("0")) > WHOLE_DIGITS_MAX:
            raise Refused(OVERFLOW, name)
        return Decimal(value)

    def choice(self, name: str, choices: Mapping[str, _T], problem: Problem) -> _T | None:
        """Return what one of the venue's words means, None if it was not sent."""
        value = self.text(name)
        if value is None:
            return None
        if value not in choices:
            raise Refused(problem, name)
        return choices[value]

    def flag(self, name: str) -> bool | None:
        """Return a boolean, None if it was not sent."""
        return self.choice(name, {"true": True, "TRUE": True, "false": False, "FALSE": False},
                           INVALID)

    def done(self) -> None:
        """Refuse parameters that the endpoint does not know."""
        if unread := self.values.keys() - self._read:
            sent = len(self.values)
            raise Refused(UNREAD, sent - len(unread), sent)


def decoded(raw_query: str, body: bytes) -> dict[str, str]:
    """Return the parameters of query and form; the query's go first, doubles are refused."""
    values: dict[str, str] = {}
    for text in (body.decode("utf-8", "replace"), raw_query):
        pairs = parse_qsl(text, keep_blank_values=True)
        if len({name for name, _ in pairs}) < len(pairs):
            raise Refused(DUPLICATE_VALUES)
        values.update(pairs)
    return values


def quanta(value: Decimal, decimals: int) -> int | None:
    """Return a number in units of ``10**-decimals``, None if it lies between two of them."""
    scaled = value.scaleb(decimals)
    return int(scaled) if scaled == scaled.to_integral_value() else None
