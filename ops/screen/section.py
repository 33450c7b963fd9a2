"""Tables that share the height of a screen: the most important first, the rest where room is.

A section that had to leave rows out says so in its title.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from rich.text import Text

from ops.screen import text
from ops.screen.text import Cell, Column

GOOD, BAD, CARE, QUIET = "green", "bold red", "yellow", "dim"
ALL: Final = 1_000  # rows
APART: Final = 2  # characters between two panes


@dataclass(slots=True)
class Section:
    """A table that may be shown in part; ``empty`` is said where there are no rows.

    It is left out where not even ``least`` of its rows have room; ``first`` are given before
    any section gets more.  ``count`` is of all there is, where more than ``rows`` are.
    """

    columns: Sequence[Column]
    rows: list[list[Cell]]
    empty: str
    least: int = 1
    first: int = ALL
    count: int = 0
    shown: int = 0

    def lines(self, width: int) -> list[Text]:
        """Return title, rows, and how many rows are missing."""
        first, *others = self.columns
        whole = max(self.count, len(self.rows))
        if self.shown < whole:
            first = replace(first, title=f"{first.title} {self.shown}/{whole}")
        made = text.lines((first, *others), self.rows[: self.shown], width)
        if not self.rows:
            made.append(Text(f"  {self.empty}"[:width], QUIET, no_wrap=True))
        return made


def fill(
    shown: Sequence[Section], importance: Sequence[Section], width: int, height: int
) -> list[Text]:
    """Return the lines of sections, in the order of ``shown``, that have room within a height."""
    left, chosen = height, list[Section]()
    for section in importance:
        least = min(section.least, len(section.rows))
        need = 1 + (least or 1)
        if left >= need:
            section.shown = least
            left -= need
            chosen.append(section)
    left = _share(left, [(each, each.first) for each in chosen])
    airy = left >= len(chosen)
    left -= len(chosen) * airy
    _share(left, [(each, ALL) for each in chosen])
    lines: list[Text] = []
    for section in shown:
        if any(section is each for each in chosen):
            lines += [Text()] * airy + section.lines(width)
    return lines


def _share(left: int, wanted: Sequence[tuple[Section, int]]) -> int:
    """Give rows in turn, one each, until all have what they want; return what is left."""
    while left > 0:
        hungry = [each for each, most in wanted if each.shown < min(most, len(each.rows))]
        if not hungry:
            break
        for section in hungry[:left]:
            section.shown += 1
        left -= len(hungry[:left])
    return left


def beside(left: Sequence[Text], right: Sequence[Text], width: int) -> list[Text]:
    """Return two panes side by side, the left one ``width`` wide."""
    made = []
    for at in range(max(len(left), len(right))):
        line = left[at].copy() if at < len(left) else Text(no_wrap=True)
        line.truncate(width)
        if at < len(right):
            line.append(" " * (width + APART - line.cell_len))
            line.append_text(right[at])
        made.append(line)
    return made


def line(*parts: Cell) -> Text:
    """Return one line of parts with their styles."""
    return Text.assemble(*parts, no_wrap=True, overflow="crop")
