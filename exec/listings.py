"""A venue's instruments as its feed's catalogue has them, in shared memory."""

from collections.abc import Sequence

from engine.model.instrument import Instrument
from exec.gateways.codec import Listing
from shm.board import InstrumentTable
from shm.layout import InstrumentStatus


def listings_of(
    venue: str, table: Sequence[Instrument], rows: InstrumentTable
) -> list[Listing]:
    """Return a venue's instruments, nothing while its catalogue has not come."""
    found = []
    for each in table:
        if each.venue != venue:
            continue
        row = rows[each.index]
        if row["status"] == InstrumentStatus.UNKNOWN:
            return []
        pair = each.pair
        found.append(Listing(
            each.name, row.text("native"), pair.base, pair.quote, pair.settle,
            each.price_decimals, each.size_decimals, row.text("code")))
    return found
