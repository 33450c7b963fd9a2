"""Numbers for people: short, with their unit, never wider than said; and lines of columns."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from rich.text import Text

Cell = str | tuple[str, str]  # text, or text and style

GROWTH_MAX: Final = 12  # characters that a growing column may gain

_UNITS: Final = ((1_000, "ns", 1), (1_000_000, "µs", 1_000), (1_000_000_000, "ms", 1_000_000))


def duration(ns: float | None) -> str:
    """Return a duration in at most 6 characters: 950ns, 12.3µs, 2m05s; ``-`` for none."""
    if ns is None:
        return "-"
    ns = max(ns, 0)
    for limit, unit, size in _UNITS:
        if ns < limit * 0.9995:
            return f"{ns:.0f}{unit}" if size == 1 else f"{_three(ns / size)}{unit}"
    seconds = int(ns / 1e9)
    if ns < 59.95e9:
        return f"{_three(ns / 1e9)}s"
    if seconds < 3_600:
        return f"{seconds // 60}m{seconds % 60:02d}s"
    if seconds < 86_400:
        return f"{seconds // 3_600}h{seconds % 3_600 // 60:02d}m"
    days = seconds // 86_400
    return f"{days}d{seconds % 86_400 // 3_600:02d}h" if days < 100 else f"{min(days, 99_999)}d"


def count(number: float | None) -> str:
    """Return a count in at most 5 characters: 9999, 12.3k, 4.56M; ``-`` for none."""
    if number is None:
        return "-"
    if number < 9_999.5:
        return f"{number:.0f}"
    for limit, unit, size in ((999_950, "k", 1e3), (999_950_000, "M", 1e6)):
        if number < limit:
            return f"{_three(number / size)}{unit}"
    return f"{_three(min(number / 1e9, 999))}G"


def memory(size: int) -> str:
    """Return bytes in at most 7 characters: 812MiB, 1.25GiB."""
    mebibytes = size / (1 << 20)
    return f"{mebibytes:.0f}MiB" if mebibytes < 999.5 else f"{_three(mebibytes / 1024)}GiB"


def price(value: float) -> str:
    """Return a price with seven significant digits, 10 characters below 1e10; ``-`` for none."""
    if math.isnan(value):
        return "-"
    digits = 6 - math.floor(math.log10(value)) if value > 0 else 0
    return f"{value:.{min(max(digits, 0), 8)}f}"


def bps(value: float) -> str:
    """Return signed basis points in at most 7 characters; ``-`` for none."""
    if math.isnan(value):
        return "-"
    return f"{value:+.2f}" if abs(value) < 999.995 else f"{min(max(value, -99999), 99999):+.0f}"


def money(value: float) -> str:
    """Return an amount of quote currency in at most 8 characters."""
    if abs(value) < 99.995:
        return f"{value:+.4f}"
    return f"{value:+.1f}" if abs(value) < 99_999 else f"{min(max(value, -1e6), 1e6):+.1e}"


def _three(value: float) -> str:
    """Return three significant digits of a number below 1000."""
    return f"{value:.2f}" if value < 9.995 else f"{value:.1f}" if value < 99.95 else f"{value:.0f}"


@dataclass(frozen=True, slots=True)
class Column:
    """One column: ``width`` characters, more where the screen has them and ``grows`` is set."""

    title: str
    width: int
    right: bool = False
    grows: bool = False


def lines(
    columns: Sequence[Column], rows: Iterable[Sequence[Cell]], width: int
) -> list[Text]:
    """Return a title line and one line per row, none wider than ``width``.

    Words that do not fit lose their middle, numbers never have to.
    """
    spare = max(width - sum(column.width + 1 for column in columns) + 1, 0)
    growing = sum(column.grows for column in columns)
    growth = min(spare // growing, GROWTH_MAX) if growing else 0
    widths = [column.width + growth * column.grows for column in columns]
    titles = [(column.title, "dim") for column in columns]
    titles[0] = (columns[0].title, "bold")
    made = []
    for row in (titles, *rows):
        line = Text(no_wrap=True, overflow="crop")
        for column, room, cell in zip(columns, widths, row, strict=True):
            text, style = (cell, "") if isinstance(cell, str) else cell
            if len(text) > room:
                head = room // 2
                text = f"{text[:head]}…{text[len(text) - (room - head - 1):]}"
            line.append(text.rjust(room) if column.right else text.ljust(room), style)
            line.append(" ")
        line.rstrip()
        made.append(line)
    return made
