"""``balances [--json]``: what is held of each asset at each venue, and what it is worth."""

import argparse

from ops import client
from ops.portfolio import Portfolio
from ops.portfolio_text import age, amount, answer, balance_json, cents
from ops.table import columns

HEAD = ("venue", "asset", "total", "reserved", "free", "worth", "counted")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    client.add_name(parser)
    client.add_example(parser, "balances --json")


def run(options: argparse.Namespace) -> int:
    """Print the balances; return 0, or 1 when they may not be how things are now."""
    return answer(options, text=text_of, facts=lambda portfolio: {
        "balances": [balance_json(each) for each in portfolio.balances],
        "balance_count": portfolio.balance_count})


def text_of(portfolio: Portfolio) -> list[str]:
    """Write balances for a person."""
    hidden = portfolio.balance_count - len(portfolio.balances)
    found = sorted(portfolio.balances, key=lambda each: (each.venue, -each.value, each.asset))
    rows = [
        (each.venue, each.asset, amount(each.total), amount(each.reserved), amount(each.free),
         cents(each.value) if each.value else "?",
         f"{age(portfolio.unix_ns - each.counted_unix_ns)} ago" if each.counted_unix_ns else "-")
        for each in found
    ]
    return [
        f"{portfolio.balance_count} balances, worth {cents(portfolio.equity)} with what open"
        " positions gained" + (f"; {hidden} have no room here" * (hidden > 0)),
        "", *columns(HEAD, rows, right=HEAD[2:])]
