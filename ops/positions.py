"""``positions [--json]``: what perpetuals are held, what they cost and gained."""

import argparse

from ops import client
from ops.portfolio import Portfolio
from ops.portfolio_text import amount, answer, cents, position_json
from ops.table import columns

HEAD = ("venue", "symbol", "size", "cost", "worth", "unrealised", "realised")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    client.add_name(parser)
    client.add_example(parser, "positions --json")


def run(options: argparse.Namespace) -> int:
    """Print the positions; return 0, or 1 when they may not be how things are now."""
    return answer(options, text=text_of, facts=lambda portfolio: {
        "positions": [position_json(each) for each in portfolio.positions],
        "position_count": portfolio.position_count})


def text_of(portfolio: Portfolio) -> list[str]:
    """Write positions for a person."""
    hidden = portfolio.position_count - len(portfolio.positions)
    rows = [(each.venue, each.symbol, amount(each.size), amount(each.cost), cents(each.value),
             cents(each.unrealised), amount(each.realised)) for each in portfolio.positions]
    return [
        f"{portfolio.position_count} positions" + (f", {hidden} have no room here" * (hidden > 0)),
        "", *columns(HEAD, rows, right=HEAD[2:])]
