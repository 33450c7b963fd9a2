"""``orders [--all] [--json]``: the orders that live, and with --all the newest that ended."""

import argparse

from ops import client
from ops.portfolio import Order, Portfolio
from ops.portfolio_text import age, amount, answer, order_json
from ops.table import columns

HEAD = ("order", "age", "venue", "symbol", "side", "price", "size", "filled", "state", "tif",
        "purpose", "by", "client id", "venue's id")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--all", action="store_true", help="the newest that ended as well")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    client.add_name(parser)
    client.add_example(parser, "orders", "orders --all --json")


def run(options: argparse.Namespace) -> int:
    """Print the orders; return 0, or 1 when they may not be how things are now."""
    def wanted(portfolio: Portfolio) -> list[Order]:
        return [each for each in portfolio.orders if each.live or options.all]

    return answer(
        options,
        text=lambda portfolio: text_of(portfolio, wanted(portfolio)),
        facts=lambda portfolio: {
            "orders": [order_json(each) for each in wanted(portfolio)],
            "order_count": portfolio.order_count, "live_count": portfolio.live_count})


def text_of(portfolio: Portfolio, orders: list[Order]) -> list[str]:
    """Write orders for a person."""
    lines = [f"{portfolio.live_count} live, {portfolio.unknown_count} of them in doubt;"
             f" {portfolio.order_count} since the books began"]
    live = sum(each.live for each in orders)
    if live < portfolio.live_count:
        lines.append(f"{portfolio.live_count - live} live ones have no room here")
    rows = [
        (str(each.number), age(portfolio.unix_ns - each.born_unix_ns), each.venue, each.symbol,
         "buy" if each.side > 0 else "sell", amount(each.price), amount(each.size),
         amount(each.filled), each.state.name.lower(), each.tif.name.lower(), each.purpose,
         each.strategy, each.client_id, each.venue_order)
        for each in orders
    ]
    return [*lines, "", *columns(HEAD, rows, right=("order", "age", "price", "size", "filled"))]
