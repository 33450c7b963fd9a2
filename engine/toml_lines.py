"""Where in a TOML text a key stands: tomllib does not tell it, and people need it.

Only for messages: the text has been parsed by tomllib before, so what stands here may be simple.
Inside multi-line strings it may point at the wrong line, never at the wrong key.
"""

import re
from collections.abc import Iterator, Sequence

_PART = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')"""
_DOTTED = rf"{_PART}(?:\s*\.\s*{_PART})*"
_HEADER = re.compile(rf"\s*\[\[?\s*({_DOTTED})\s*\]\]?")
_KEY = re.compile(rf"\s*({_DOTTED})\s*=(.*)", re.DOTALL)
_PIECE = re.compile(r"""\#[^\n]*|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[\[\],\n]|[^\s\[\],"'#]+""")

Path = Sequence[str | int]


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in re.findall(_PART, dotted))


def _keys(lines: Sequence[str]) -> Iterator[tuple[tuple[str, ...], int]]:
    """Yield every table and key with its line, numbered from 1."""
    table: tuple[str, ...] = ()
    for number, line in enumerate(lines, 1):
        if header := _HEADER.match(line):
            table = _parts(header[1])
            yield table, number
        elif key := _KEY.match(line):
            yield (*table, *_parts(key[1])), number


def _element_line(lines: Sequence[str], start: int, index: int) -> int:
    """Return the line of element ``index`` of the array whose key stands on line ``start``."""
    key = _KEY.match("\n".join(lines[start - 1 :]))
    if key is None:
        return start
    line, depth, commas = start, 0, 0
    for piece in _PIECE.findall(key[2]):
        if piece == "\n":
            line += 1
        elif piece in "[]":
            depth += 1 if piece == "[" else -1
            if depth == 0:
                break
        elif depth == 0:  # no array
            break
        elif piece == "," and depth == 1:
            commas += 1
        elif piece[0] != "#" and commas == index:
            return line
    return start


def line_of(text: str, path: Path) -> int:
    """Return the line of the key at ``path``, or of the nearest table around it, or 1."""
    lines = text.split("\n")
    first: dict[tuple[str | int, ...], int] = {}
    for key, number in _keys(lines):
        for size in range(1, len(key) + 1):
            first.setdefault(key[:size], number)
    for size in range(len(path), 0, -1):
        number = first.get(tuple(path[:size]), 0)
        if number:
            rest = path[size:]
            if rest and isinstance(rest[0], int):
                return _element_line(lines, number, rest[0])
            return number
    return 1
