"""A parsed TOML text to typed structs; what is wrong is told as key, what was found, what is right.

msgspec decides; this module turns its messages into ours: it knows the key of a faulty table in
a dict of tables, suggests the closest known key, and refuses ``inf`` and ``nan``, which pass
every ``gt=0``.
"""

import difflib
import math
import re
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, TypeVar

import msgspec

T = TypeVar("T")
Path = tuple[str | int, ...]

_WHERE = re.compile(r" - at (?:`(key)` in )?`\$([^`]*)`$")
_STEP = re.compile(r"\[(\d+|\.\.\.)\]|\.([^.\[]+)")

_WORDS = {"object": "a table", "array": "a list", "str": "text", "int": "a whole number",
          "float": "a number", "bool": "true or false", "null": "nothing"}


class Fault(Exception):
    """One wrong thing in a config: where, and what is wrong in words."""

    def __init__(self, path: Path, text: str) -> None:
        super().__init__(f"{key_of(path)}: {text}" if path else text)
        self.path, self.text = path, text


def key_of(path: Path) -> str:
    """Write a path as a person would: venues.binance.symbols[1]."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def closest(found: str, known: Sequence[str]) -> str:
    """Say which of ``known`` was meant, or which there are."""
    near = difflib.get_close_matches(found, known, n=1)
    return f"{near[0]!r}" if near else "one of " + ", ".join(known)


def convert(raw: object, kind: type[T]) -> T:
    """Convert to ``kind``; raise Fault for the first thing that is wrong."""
    for path, number in _numbers(raw, ()):
        if not math.isfinite(number):
            raise Fault(path, f"found {number}; right would be a finite number")
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        raise _fault(raw, kind, str(error)) from None


def _numbers(value: object, path: Path) -> Iterator[tuple[Path, float]]:
    if isinstance(value, float):
        yield path, value
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from _numbers(each, (*path, key))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _numbers(each, (*path, index))


def _bare(kind: Any) -> Any:
    """Strip Annotated and ``| None``."""
    if typing.get_origin(kind) is Annotated:
        return _bare(typing.get_args(kind)[0])
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return _bare(next(each for each in typing.get_args(kind) if each is not type(None)))
    return kind


def _fields(kind: Any) -> dict[str, Any]:
    return {field.encode_name: field.type for field in msgspec.structs.fields(kind)}


def _fault(raw: Any, kind: Any, message: str) -> Fault:
    """Turn msgspec's message about ``raw`` into a Fault with the whole path."""
    where = _WHERE.search(message)
    said, kind = message, _bare(kind)
    path: Path = ()
    if where is not None:
        said = message[: where.start()]
        for index, name in _STEP.findall(where[2]):
            if index == "...":
                return _within(raw, typing.get_args(kind)[1], path)
            step: str | int = name or int(index)
            raw = raw[step]
            kind = _bare(_fields(kind)[name] if name else typing.get_args(kind)[0])
            path = (*path, step)
        if where[1]:
            key = next(key for key in raw if not re.fullmatch(_pattern(kind), key))
            return Fault((*path, key), f"found the name {key!r}; right would be a name of"
                         " lower-case letters, digits, - and _, at most 31")
    return _told(raw, kind, path, said)


def _wanted(kind: Any, path: Path, name: str) -> str:
    """Say what to write for a missing key: a table of its own, or a line in one."""
    field = _bare(_fields(kind)[name])
    is_table = isinstance(field, type) and issubclass(field, msgspec.Struct)
    if is_table or typing.get_origin(field) is dict:
        return f"a table [{key_of((*path, name))}]"
    table = f"[{key_of(path)}]" if path else "the top of the file"
    return f"a line {name} = ... in {table}"


def _pattern(kind: Any) -> str:
    """Return the pattern of a dict's keys."""
    metas = typing.get_args(typing.get_args(kind)[0])[1:]
    return next(str(meta.pattern) for meta in metas if meta.pattern)


def _within(tables: Mapping[str, Any], kind: Any, path: Path) -> Fault:
    """Find the faulty one among tables of one kind: msgspec does not tell its key."""
    for key, table in tables.items():
        try:
            msgspec.convert(table, kind)
        except msgspec.ValidationError as error:
            fault = _fault(table, kind, str(error))
            return Fault((*path, key, *fault.path), fault.text)
    raise AssertionError("msgspec refused the tables together, but none of them")


def _told(raw: object, kind: Any, path: Path, said: str) -> Fault:
    quoted = re.search(r"`([^`]+)`", said)
    name = quoted[1] if quoted else ""
    if said.startswith("Object contains unknown field"):
        right = closest(name, [*_fields(kind)])
        return Fault((*path, name), f"unknown key; right would be {right}")
    if said.startswith("Object missing required field"):
        return Fault((*path, name), f"missing; right would be {_wanted(kind, path, name)}")
    if typing.get_origin(kind) is Literal:
        known = [str(each) for each in typing.get_args(kind)]
        return Fault(path, f"found {raw!r}; right would be {closest(str(raw), known)}")
    right = said.removeprefix("Expected ").partition(", got")[0]
    for theirs, ours in _WORDS.items():
        right = right.replace(f"`{theirs}`", ours)
    return Fault(path, f"found {raw!r}; right would be {right}")
