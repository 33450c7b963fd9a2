"""Text for people: aligned columns, times and money, for what execution's commands print."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from engine.model.quanta import from_quanta, plain


def columns(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Align rows below a head; numbers to the right."""
    table = [head, *rows]
    widths = [max(len(row[at]) for row in table) for at in range(len(head))]
    right = [bool(rows) and all(_number(row[at]) for row in rows) for at in range(len(head))]
    return "\n".join(
        "  ".join(cell.rjust(width) if to_right else cell.ljust(width)
                  for cell, width, to_right in zip(row, widths, right, strict=True)).rstrip()
        for row in table)


def when(unix_ns: int | None) -> str:
    """Return a time in UTC, to the millisecond; "-" for none."""
    if not unix_ns:
        return "-"
    moment = datetime.fromtimestamp(unix_ns // 10**9, UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S}.{unix_ns // 10**6 % 1000:03d}"


def micro(amount: int | None) -> str:
    """Return millionths of the reference currency as a decimal; "-" for none."""
    return "-" if amount is None else plain(from_quanta(amount, 6))


def cents(amount: int | None) -> str:
    """Return millionths of the reference currency to the cent, thousands apart; "-" for none."""
    if amount is None:
        return "-"
    whole = (abs(amount) + 5_000) // 10_000
    return f"{'-' * (amount < 0 < whole)}{whole // 100:,}.{whole % 100:02d}"


def amounts(by_asset: Mapping[str, str]) -> str:
    """Return amounts of several assets: "0.12 USDT, 0.001 BTC"."""
    return ", ".join(f"{amount} {asset}" for asset, amount in by_asset.items()) or "0"


def _number(text: str) -> bool:
    plain_text = text.removesuffix("%").removeprefix("-").replace(",", "").replace(".", "", 1)
    return text == "-" or plain_text.isdecimal()
