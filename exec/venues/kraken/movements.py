"""Money that moved without a trade: what the balances channel and Ledgers say of it.

Source: shared/venues/kraken.md (Private), 2026-11-21; a fee is taken beside the amount.
"""

from decimal import Decimal
from typing import Final

from exec.core import ports as p
from exec.venues.kraken.numbers import difference
from exec.venues.kraken.wire import Movement

TRADE: Final = "trade"  # fills tell of it, to the last digit


def moved(
    venue: str, asset: str, kind: str, change: Decimal, fee: Decimal, reference: str,
    unix_ns: int = 0,
) -> p.Moved:
    """Return one movement, fee included; raise DecodeError for what is no amount."""
    return p.Moved(venue, asset, difference(change, fee), kind, reference, unix_ns)


def movements(venue: str, rows: list[Movement]) -> list[p.Report]:
    """Return what rows of the balances channel report; snapshots and trades report nothing."""
    return [moved(venue, row.asset, row.type, row.amount, row.fee, row.ledger_id)
            for row in rows if row.ledger_id and row.type != TRADE]
