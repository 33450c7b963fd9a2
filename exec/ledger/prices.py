"""The newest price of each asset that a ledger knows: of a trade, or of an opportunity's leg.

An asset that is not quoted in the reference currency is valued over one that is: ETH by ETH/BTC
and BTC/USDT.
"""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from exec.ledger.store import Database
from exec.reference import MICRO, REFERENCE
from exec.state.entries import money
from exec.state.outstanding import MONEY_DECIMALS

Price = tuple[int, int]  # quanta of 10**-24 for one unit, and since when, in Unix ns
_UNIT: Final = 10**MONEY_DECIMALS
_SHOWN: Final = 10**12  # quanta: a price that was calculated keeps 12 decimals
_BATCH: Final = 500  # opportunities at a time, newest first,
_BATCHES_MAX: Final = 40  # until every pair was seen


def prices_of(database: Database) -> dict[str, Price]:
    """Return each asset's price in the reference currency; assets that have none are missing."""
    prices = {asset: (_UNIT * rate // MICRO, 0) for asset, rate in REFERENCE.items()}
    pairs = _newest(database)
    while found := _next(prices, pairs):
        prices |= found
    return prices


def _next(prices: dict[str, Price], pairs: dict[tuple[str, str], Price]) -> dict[str, Price]:
    """Return the newest price of each asset that one pair alone divides from a priced one."""
    found: dict[str, Price] = {}

    def see(asset: str, price: int, at_ns: int) -> None:
        if asset not in prices and price and at_ns >= found.get(asset, (0, 0))[1]:
            found[asset] = price, at_ns

    for (base, quote), (price, at_ns) in pairs.items():
        if quote in prices:
            worth, since_ns = prices[quote]
            whole = price * worth // _UNIT
            see(base, price if worth == _UNIT else whole // _SHOWN * _SHOWN,
                min(at_ns, since_ns or at_ns))
        if base in prices:
            worth, since_ns = prices[base]
            see(quote, worth * _UNIT // price // _SHOWN * _SHOWN, min(at_ns, since_ns or at_ns))
    return found


def _newest(database: Database) -> dict[tuple[str, str], Price]:
    """Return the newest price of each base and quote, at whatever venue."""
    traded = {(row["venue"], row["symbol"]): (str(row["base"]), str(row["quote"]))
              for row in database.select("SELECT venue, symbol, base, quote FROM instruments")}
    found: dict[tuple[str, str], Price] = {}

    def see(row: Any, at_ns: int) -> None:
        pair = traded.get((row["venue"], row["symbol"]))
        price = money(str(row["price"]))
        if pair is not None and price > 0 and at_ns >= found.get(pair, (0, 0))[1]:
            found[pair] = price, at_ns

    for row in database.select(
        "SELECT venue, symbol, price, unix_ns FROM fills WHERE sequence IN"
        " (SELECT MAX(sequence) FROM fills WHERE kind = 'fill' GROUP BY venue, symbol)"
    ):
        see(row, int(row["unix_ns"] or 0))
    for rows in _opportunities(database):
        for row in rows:
            for leg in msgspec.json.decode(str(row["legs"])):
                see(leg, int(row["unix_ns"] or 0))
        if len(found) == len({*traded.values()}):
            break
    return found


def _opportunities(database: Database) -> Iterator[list[dict[str, Any]]]:
    """Yield opportunities in batches, newest first."""
    before = 2**63 - 1
    for _ in range(_BATCHES_MAX):
        rows = database.select(
            "SELECT sequence, legs, unix_ns FROM opportunities WHERE sequence < ?"
            " ORDER BY sequence DESC LIMIT ?", (before, _BATCH))
        if not rows:
            return
        before = int(rows[-1]["sequence"] or 0)
        yield rows
