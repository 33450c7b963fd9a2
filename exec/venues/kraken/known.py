"""What is known of orders by the venue's id: later rows name them by it alone.

The newest KNOWN_MAX are kept, ended ones too: a fill may come after the end.
"""

from typing import Final

import msgspec

from exec.gateways.codec import Listing

KNOWN_MAX: Final = 20_000


class Known(msgspec.Struct):
    """One order at the venue, ours or not."""

    client_id: str = ""
    listing: Listing | None = None  # None: of no instrument of ours, or not told yet
    side: int = 0
    size: int = 0
    filled: int = 0  # as far as the venue's cumulative word goes, or its trades add up
    traded: int = 0  # by ``trades``, each once
    trades: set[str] = set()
    fee_in_base: bool = False
    accepted: bool = False  # that was reported
    told: bool = False  # the venue told of it as a whole: no client id means that it has none

    def trade(self, name: str, size: int) -> None:
        """Note a trade that is reported, once."""
        if name not in self.trades:
            self.trades.add(name)
            self.traded += size
            self.filled = max(self.filled, self.traded)


class Orders:
    """Known orders by the venue's id."""

    def __init__(self) -> None:
        self._orders: dict[str, Known] = {}

    def find(self, venue_order: str) -> Known | None:
        """Return what is known, None if it was never heard of."""
        return self._orders.get(venue_order)

    def note(self, venue_order: str) -> Known:
        """Return what is known of an order, to be added to."""
        known = self._orders.get(venue_order)
        if known is None:
            known = self._orders[venue_order] = Known()
            if len(self._orders) > KNOWN_MAX:
                del self._orders[next(iter(self._orders))]
        return known
