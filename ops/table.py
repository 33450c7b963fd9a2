"""Columns of text for people who read a command's output."""

from collections.abc import Collection, Sequence


def columns(
    head: Sequence[str], rows: Sequence[Sequence[str]], right: Collection[str] = ()
) -> list[str]:
    """Align rows below a head; the columns named in ``right`` end together."""
    table = [head, *rows]
    widths = [max(len(row[index]) for row in table) for index in range(len(head))]
    return [
        "  ".join(cell.rjust(width) if title in right else cell.ljust(width)
                  for title, cell, width in zip(head, row, widths, strict=True)).rstrip()
        for row in table
    ]
