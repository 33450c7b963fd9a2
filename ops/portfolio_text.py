"""Execution's portfolio for people and for programs: what ``orders`` and its kin have alike.

All read shared memory alone, so they answer while any process hangs, and say how old the answer is.
"""

import argparse
import sys
from collections.abc import Callable
from decimal import Decimal

import msgspec

from ops.attach import attach
from ops.portfolio import Balance, Order, Portfolio, Position
from ops.trading import TradingWord

Facts = dict[str, object]


def answer(
    options: argparse.Namespace, *, text: Callable[[Portfolio], list[str]],
    facts: Callable[[Portfolio], Facts],
) -> int:
    """Print what is wanted of the portfolio of ``options.name``.

    Returns 0, or 1 when there is none or it may not be how things are now: that is said too.
    """
    with attach(options.name) as engine:
        portfolio, trading, name = engine.portfolio(), engine.trading, engine.name
        doubted = engine.doubt(portfolio)
    if portfolio is None:
        print(f"{name}: {doubted}", file=sys.stderr)
        return 1
    if options.json:
        whole = {**summary_json(portfolio, trading), "doubt": doubted, **facts(portfolio)}
        print(msgspec.json.encode(whole).decode())
    else:
        lines = [headline(name, portfolio, trading), *text(portfolio)]
        print("\n".join([f"BEWARE: {doubted}"] * bool(doubted) + lines))
    return 1 if doubted else 0


def headline(name: str, portfolio: Portfolio, trading: TradingWord) -> str:
    """Return whose portfolio it is, what may be done, and how old it is."""
    return (f"{name}: {portfolio.mode}, account {portfolio.account}, {trading_text(trading)},"
            f" {portfolio.age_ns / 1e9:.1f} s old")


def trading_text(trading: TradingWord) -> str:
    """Return the trading state with who set it and why, where anybody did."""
    said = ": ".join(part for part in (trading.who, trading.why) if part)
    return f"trading {trading.state.name.lower()}" + (f" ({said})" if said else "")


def amount(number: Decimal) -> str:
    """Return exact decimal text without an exponent or trailing zeros."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def cents(number: Decimal) -> str:
    """Return an amount of the reference currency to its cent, thousands apart."""
    return f"{number:,.2f}"


def age(ns: int) -> str:
    """Return a time in words, coarse where it is long."""
    seconds = max(ns, 0) / 1e9
    for limit, size, unit in ((100, 1, "s"), (6_000, 60, "min"), (172_800, 3_600, "h")):
        if seconds < limit:
            return f"{seconds / size:.1f} {unit}" if size == 1 else f"{seconds / size:.0f} {unit}"
    return f"{seconds / 86_400:.0f} d"


def summary_json(portfolio: Portfolio, trading: TradingWord) -> Facts:
    """Return the figures of a portfolio, money as exact decimal strings, without its lists."""
    money = ("profit", "profit_day", "profit_hour", "unhedged", "gross", "equity")
    counts = ("order_count", "live_count", "unknown_count", "plan_count", "open_plans",
              "fill_count", "losses_in_row", "life", "records", "version", "unix_ns")
    return {
        "mode": portfolio.mode, "account": portfolio.account,
        "trading_state": trading.state.name.lower(), "who": trading.who, "why": trading.why,
        "age_ms": round(portfolio.age_ns / 1e6), "unready": portfolio.unready,
        **{name: getattr(portfolio, name) for name in counts},
        **{name: amount(getattr(portfolio, name)) for name in money},
    }


def order_json(order: Order) -> Facts:
    """Return an order's fields, numbers of the market as exact decimal strings."""
    return {
        "number": order.number, "plan": order.plan, "venue": order.venue, "symbol": order.symbol,
        "side": "buy" if order.side > 0 else "sell", "price": amount(order.price),
        "size": amount(order.size), "filled": amount(order.filled),
        "state": order.state.name.lower(), "live": order.live, "tif": order.tif.name.lower(),
        "purpose": order.purpose, "strategy": order.strategy, "client_id": order.client_id,
        "venue_order": order.venue_order, "born_unix_ns": order.born_unix_ns,
        "changed_unix_ns": order.changed_unix_ns,
    }


def position_json(position: Position) -> Facts:
    """Return a position's fields, numbers as exact decimal strings."""
    return {
        "venue": position.venue, "symbol": position.symbol, "size": amount(position.size),
        "cost": amount(position.cost), "realised": amount(position.realised),
        "value": amount(position.value), "unrealised": amount(position.unrealised),
    }


def balance_json(balance: Balance) -> Facts:
    """Return a balance's fields, numbers as exact decimal strings."""
    return {
        "venue": balance.venue, "asset": balance.asset, "total": amount(balance.total),
        "reserved": amount(balance.reserved), "free": amount(balance.free),
        "value": amount(balance.value), "counted_unix_ns": balance.counted_unix_ns,
    }
