"""Profit and loss from the ledger's rows: expected against realised, and what it cost.

Sums are exact; profits are millionths of the reference currency, as the journal closed each
trade.  By venue a trade counts at each venue that filled a part of it, so those lines overlap.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import msgspec

from exec.ledger.prices import Price, prices_of
from exec.ledger.results import RESCUES, decimal
from exec.ledger.store import Database
from exec.reference import MICRO
from exec.state.entries import money
from exec.state.outstanding import MONEY_DECIMALS
from shm.layout import Strategy

Amounts = dict[str, int]  # by asset, in quanta of 10**-24
_UNIT: Final = 10**MONEY_DECIMALS
SUMS: Final = ("volume", "fees", "slippage", "leg_risk")


class Line(msgspec.Struct):
    """One line of the answer; amounts by asset as exact decimal text."""

    name: str
    trades: int = 0
    open: int = 0
    wins: int = 0
    losses: int = 0
    win_rate: float | None = None  # of the closed trades that filled and made or lost something
    expected_micro: int = 0  # of the closed ones
    realised_micro: int = 0
    fills: int = 0
    volume: dict[str, str] = {}  # traded, by quote currency
    fees: dict[str, str] = {}
    slippage: dict[str, str] = {}  # beyond the planned prices; positive is a cost
    leg_risk: dict[str, str] = {}  # of chasing and unwinding; positive is a cost
    valued_micro: dict[str, int | None] = {}  # these four at the newest prices; None: one has none


class Holding(msgspec.Struct):
    """What an account holds of one asset over all venues."""

    asset: str
    total: str
    value_micro: int | None  # None: no price of it was ever seen
    price: str = ""
    priced_ns: int = 0


class Equity(msgspec.Struct):
    """What there is now."""

    value_micro: int
    unrealised_micro: int  # of perpetuals, contained in it
    assets: list[Holding]
    unpriced: list[str]


class Answer(msgspec.Struct):
    """All of it."""

    ledger: str
    records: int
    unix_ns: int
    by: str
    total: Line
    lines: list[Line]
    equity: Equity


class _Fill(NamedTuple):
    plan: int
    place: tuple[str, str]
    sums: dict[str, Amounts]  # by SUMS


def answer(database: Database, by: str, since_ns: int = 0) -> Answer:
    """Return profit and loss of trades planned since a time, by strategy, venue, symbol or day."""
    trades = {row["plan"]: row for row in database.select(
        "SELECT * FROM trades WHERE unix_ns >= ? ORDER BY plan", (since_ns,))}
    fills = list(_fills(database, trades))
    (position,) = database.select("SELECT sequence, unix_ns FROM position")
    prices = prices_of(database)
    return Answer(
        database.where, int(position["sequence"] or 0), int(position["unix_ns"] or 0), by,
        _line("total", trades.values(), fills, prices), _lines(by, trades, fills, prices),
        equity(database, prices))


def _lines(
    by: str, trades: dict[Any, Any], fills: list[_Fill], prices: Mapping[str, Price]
) -> list[Line]:
    """Return a line for each group that there is."""
    if by == "venue":
        venues = sorted({fill.place[0] for fill in fills})
        parts = {venue: [fill for fill in fills if fill.place[0] == venue] for venue in venues}
        return [_line(venue, [trades[plan] for plan in dict.fromkeys(
                    fill.plan for fill in part)], part, prices)
                for venue, part in parts.items()]
    name = _NAMES[by]
    groups: dict[str, list[Any]] = {}
    for trade in trades.values():
        groups.setdefault(name(trade), []).append(trade)
    found = []
    for group, rows in sorted(groups.items()):
        plans = {row["plan"] for row in rows}
        mine = [fill for fill in fills if fill.plan in plans]
        found.append(_line(group, rows, mine, prices))
    return found


def _strategy(trade: Any) -> str:
    if not trade["run"]:
        return "operator"
    return strategy_name(trade["strategy"])


def strategy_name(number: int) -> str:
    """Return a strategy's name; its number for one that this engine does not know."""
    return Strategy(number).name.lower() if number in [*Strategy] else f"strategy {number}"


def _symbol(trade: Any) -> str:
    legs = msgspec.json.decode(trade["legs"])
    return "+".join(dict.fromkeys(leg["symbol"].partition(":")[0] for leg in legs))


def _day(trade: Any) -> str:
    return f"{datetime.fromtimestamp(trade['unix_ns'] // 10**9, UTC):%Y-%m-%d}"


_NAMES: Final[dict[str, Callable[[Any], str]]] = {
    "strategy": _strategy, "symbol": _symbol, "day": _day}
GROUPS: Final = (*_NAMES, "venue")


def _fills(database: Database, trades: dict[Any, Any]) -> Iterator[_Fill]:
    """Yield what each fill or bust of these trades did."""
    quotes = {(row["venue"], row["symbol"]): str(row["quote"])
              for row in database.select("SELECT venue, symbol, quote FROM instruments")}
    for row in database.select(
        "SELECT fills.*, orders.leg, orders.purpose, orders.side AS order_side FROM fills"
        " JOIN orders ON orders.number = fills.number ORDER BY fills.sequence"
    ):
        trade = trades.get(row["plan"])
        if trade is None:
            continue
        place = (str(row["venue"]), str(row["symbol"]))
        quote, sign = quotes[place], 1 if row["kind"] == "fill" else -1
        value, size = money(str(row["value"])), money(str(row["size"]))
        fees = {str(row["fee_asset"]): money(str(row["fee"]))}
        sums: dict[str, Amounts] = {"volume": {quote: sign * value}, "fees": fees}
        legs, leg = msgspec.json.decode(str(trade["legs"])), int(row["leg"] or 0)
        if leg < len(legs):
            planned = money(legs[leg]["price"]) * size // _UNIT
            cost = int(row["order_side"] or 0) * (value - planned) * sign
            sums["leg_risk" if row["purpose"] in RESCUES else "slippage"] = {quote: cost}
        yield _Fill(int(row["plan"] or 0), place, sums)


def _line(
    name: str, trades: Iterable[Any], fills: Iterable[_Fill], prices: Mapping[str, Price]
) -> Line:
    line = Line(name)
    sums: dict[str, Amounts] = {kind: {} for kind in SUMS}
    for fill in fills:
        line.fills += 1
        for kind, amounts in fill.sums.items():
            for asset, amount in amounts.items():
                sums[kind][asset] = sums[kind].get(asset, 0) + amount
    for trade in trades:
        line.trades += 1
        realised = trade["realised_micro"]
        if realised is None:
            line.open += 1
            continue
        line.expected_micro += trade["expected_micro"]
        line.realised_micro += realised
        line.wins += realised > 0
        line.losses += realised < 0
    if line.wins + line.losses:
        line.win_rate = line.wins / (line.wins + line.losses)
    for kind, amounts in sums.items():
        setattr(line, kind, {asset: decimal(amount, MONEY_DECIMALS)
                             for asset, amount in sorted(amounts.items()) if amount})
        line.valued_micro[kind] = _valued(amounts, prices)
    return line


def _valued(amounts: Amounts, prices: Mapping[str, Price]) -> int | None:
    """Return what amounts are worth in millionths of the reference; None where one has no price."""
    if any(amount and asset not in prices for asset, amount in amounts.items()):
        return None
    worth = sum(amount * prices[asset][0] for asset, amount in amounts.items() if amount)
    return worth // _UNIT // (_UNIT // MICRO)


# --- equity ---------------------------------------------------------------------------------------


def equity(database: Database, prices: Mapping[str, Price]) -> Equity:
    """Return what all accounts hold, valued at these prices."""
    totals: Amounts = {}
    for row in database.select("SELECT * FROM balances"):
        asset = str(row["asset"])
        totals[asset] = totals.get(asset, 0) + total_of(row)
    assets: list[Holding] = []
    unpriced, value = list[str](), 0
    for asset, total in sorted(totals.items()):
        if not total:
            continue
        price, at_ns = prices.get(asset, (0, 0))
        worth = total * price // _UNIT // (_UNIT // MICRO) if price else None
        if worth is None:
            unpriced.append(asset)
        value += worth or 0
        assets.append(Holding(asset, decimal(total, MONEY_DECIMALS), worth,
                              decimal(price, MONEY_DECIMALS) if price else "", at_ns))
    unrealised = _unrealised(database, prices)
    return Equity(value + unrealised, unrealised, assets, unpriced)


def total_of(balance: Any) -> int:
    """Return what a balance is now: what the venue counted, and what was booked since."""
    booked = money(str(balance["booked"]))
    if balance["free"] is None:
        return booked
    counted = money(str(balance["free"])) + money(str(balance["locked"]))
    return counted + booked - money(str(balance["booked_then"]))


def _unrealised(database: Database, prices: Mapping[str, Price]) -> int:
    """Return what perpetuals would make if closed now, in millionths of the reference."""
    total = 0
    for row in database.select(
        "SELECT positions.*, instruments.base FROM positions JOIN instruments ON"
        " instruments.venue = positions.venue AND instruments.symbol = positions.symbol"
    ):
        price, _ = prices.get(str(row["base"]), (0, 0))
        if price:
            worth = money(str(row["size"])) * price // _UNIT
            total += (worth - money(str(row["cost"]))) // (_UNIT // MICRO)
    return total
