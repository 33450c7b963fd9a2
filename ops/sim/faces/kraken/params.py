"""Reading the parameters of a request: form texts, or JSON whose numbers are kept exact."""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from urllib.parse import parse_qsl

import orjson

from engine.model.quanta import to_quanta
from ops.sim.exchange.symbols import Symbol
from ops.sim.face import HttpRequest
from ops.sim.faces.kraken.answers import Declined, invalid
from ops.sim.rules import MONEY_DECIMALS

NUMBER: Final = re.compile(r"\d{1,30}(\.\d{0,30})?|\.\d{1,30}", re.ASCII)
EXPONENT_MAX: Final = 30  # written out, a greater one would fill the memory
INTEGER: Final = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_WORDS: Final = {"true": True, "1": True, "false": False, "0": False, "": False}


def exact_json(text: bytes) -> dict[str, Any] | None:
    """Parse one JSON object, fractions as Decimal; None if it is not one."""
    try:
        orjson.loads(text)  # bounds the nesting, refuses NaN
        parsed = json.loads(text, parse_float=Decimal)
    except ValueError:
        return None
    return parsed if isinstance(parsed, dict) else None


def body_of(request: HttpRequest) -> dict[str, Any]:
    """Return the fields of a signed body, in form or JSON; raise Declined."""
    if request.headers.get("content-type", "").startswith("application/json"):
        parsed = exact_json(request.body)
        if parsed is None:
            raise Declined("EGeneral:Invalid arguments")
        return parsed
    try:
        return dict(parse_qsl(request.body.decode(), keep_blank_values=True))
    except UnicodeDecodeError:
        raise Declined("EGeneral:Invalid arguments") from None


def unix_ns_of(text: str) -> int | None:
    """Read an RFC 3339 time; None if it is none."""
    try:
        at = datetime.fromisoformat(text)
        passed = at - _EPOCH
    except (ValueError, TypeError):  # TypeError: no time zone
        return None
    return passed // timedelta(microseconds=1) * 1000


class Params:
    """The fields of one request; ``strict`` ones (WebSocket) have the right JSON type."""

    def __init__(self, fields: Mapping[str, Any], *, strict: bool = False) -> None:
        self.fields, self._strict = fields, strict

    def __contains__(self, name: str) -> bool:
        """Return whether a field is there and not null."""
        return self.fields.get(name) is not None

    def only(self, names: Iterable[str], kind: str) -> None:
        """Refuse fields that this kind of message does not have."""
        for name in self.fields:
            if name not in names:
                raise Declined(f"Unsupported field: '{name}' for the given msg type: {kind}")

    def text(self, name: str, default: str = "") -> str:
        """Return a text."""
        value = self.fields.get(name)
        if value is None:
            return default
        if isinstance(value, str):
            return value
        if self._strict or isinstance(value, dict | list | bool):
            raise self._mistyped(name, "string")
        return str(value)

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return a boolean."""
        value = self.fields.get(name)
        if value is None:
            return default
        if isinstance(value, bool):
            return value
        word = None if self._strict else _WORDS.get(str(value).lower())
        if word is None:
            raise self._mistyped(name, "boolean")
        return word

    def integer(self, name: str) -> int | None:
        """Return a whole number, None if it is not there."""
        value = self.fields.get(name)
        if value is None or (value == "" and not self._strict):
            return None
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if self._strict or not isinstance(value, str) or not INTEGER.fullmatch(value):
            raise self._mistyped(name, "number_integer")
        return int(value)

    def decimal(self, name: str) -> str | None:
        """Return a positive decimal as plain text, None if it is not there."""
        value = self.fields.get(name)
        if value is None:
            return None
        if isinstance(value, Decimal):
            if abs(value.adjusted()) > EXPONENT_MAX:
                raise invalid(name)
            value = f"{value:f}"
        elif isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        elif self._strict:
            raise self._mistyped(name, "number_float")
        if not isinstance(value, str) or not NUMBER.fullmatch(value):
            raise invalid(name)
        return value

    def texts(self, name: str) -> list[str]:
        """Return a list of texts; in a form, texts joined by commas."""
        value = self.fields.get(name)
        if value is None:
            return []
        if isinstance(value, str) and not self._strict:
            return [part.strip() for part in value.split(",") if part.strip()]
        if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
            raise self._mistyped(name, "array")
        return value

    def _mistyped(self, name: str, kind: str) -> Declined:
        if self._strict:
            return Declined(f"{name.capitalize()} field must be a {kind}")
        return invalid(name)


def price_of(text: str, symbol: Symbol, decimals: int, pair: str) -> int:
    """Return a price in the symbol's quanta; raise Declined as Kraken words it."""
    if len(text.partition(".")[2].rstrip("0")) > decimals:
        raise Declined(
            f"EOrder:Invalid price:{pair} price can only be specified up to {decimals} decimals.")
    return _quanta(text, symbol.price_decimals, "price")


def size_of(text: str, symbol: Symbol, name: str) -> int:
    """Return a size in the symbol's quanta; raise Declined."""
    return _quanta(text, symbol.size_decimals, name)


def money_of(text: str, name: str) -> int:
    """Return an amount of money in its quanta; raise Declined."""
    whole, _, fraction = text.partition(".")
    fraction = fraction.rstrip("0")
    amount = int(whole + fraction.ljust(MONEY_DECIMALS, "0"))
    if len(fraction) > MONEY_DECIMALS or not amount:
        raise invalid(name)
    return amount


def _quanta(text: str, decimals: int, name: str) -> int:
    try:
        quanta = to_quanta(text, decimals)
    except ValueError:
        raise invalid(name) from None
    if quanta <= 0:
        raise invalid(name)
    return quanta
