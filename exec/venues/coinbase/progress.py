"""What the user channel says that filled, against the fills that are known.

The channel tells totals alone, so each growth is a question for the order's fills; and fills do
not name our own id, so the names of orders are kept.  The end of an order is told after its fills.
"""

from collections.abc import Iterable
from typing import Final, TypeVar

import msgspec

from exec.core import ports as p
from exec.venues.reading import NS_PER_S

KEPT: Final = 10_000  # orders remembered; the oldest goes first
DUE_MAX: Final = 1_000  # whose fills are waited for
AGAIN_NS: Final = NS_PER_S
TRIES_MAX: Final = 60  # then the core's own doubts have to ask
T = TypeVar("T")


class _Due(msgspec.Struct):
    """An order whose fills are not all known yet."""

    told: int = 0
    over: p.Over | None = None
    asked_ns: int = 0
    tries: int = 0


class Progress:
    """The orders of one account, as far as the user channel told of them."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._known: dict[str, int] = {}  # size quanta in fills
        self._due: dict[str, _Due] = {}

    def name(self, venue_order: str, client_id: str) -> None:
        """Remember whose an order is."""
        _keep(self._names, venue_order, client_id, KEPT)

    def name_of(self, venue_order: str) -> str | None:
        """Return an order's client id; None where nobody told it."""
        return self._names.get(venue_order)

    def tell(
        self, venue_order: str, filled: int, over: p.Over | None, now_unix_ns: int
    ) -> tuple[p.Over | None, bool]:
        """Take in a total; return what may be told at once, and whether to ask for the fills."""
        due = self._due.get(venue_order)
        if due is None:
            if filled <= self._known.get(venue_order, 0):
                return over, False
            due = _Due()
            _keep(self._due, venue_order, due, DUE_MAX)
        due.told, due.over = max(due.told, filled), over or due.over
        if now_unix_ns - due.asked_ns < AGAIN_NS:
            return None, False
        due.asked_ns = now_unix_ns
        return None, True

    def told(self, venue_orders: Iterable[str]) -> tuple[int, ...]:
        """Return how much of each order filled by the channel's word."""
        return tuple(
            due.told if (due := self._due.get(each)) else 0 for each in venue_orders)

    def know(self, venue_order: str, filled: int, asked_told: int) -> tuple[p.Over | None, bool]:
        """Take in the sum of an order's fills; return what may be told, and whether to ask again.

        It is asked again at once where more was told of since the question left.
        """
        known = max(filled, self._known.get(venue_order, 0))
        _keep(self._known, venue_order, known, KEPT)
        due = self._due.get(venue_order)
        if due is None:
            return None, False
        if known >= due.told:
            del self._due[venue_order]
            return due.over, False
        return None, due.told > asked_told

    def late(self, now_unix_ns: int, most: int) -> tuple[str, ...]:
        """Return the orders whose fills must be asked for once more."""
        found = [each for each, due in self._due.items()
                 if now_unix_ns - due.asked_ns >= AGAIN_NS][:most]
        for each in found:
            due = self._due[each]
            due.asked_ns, due.tries = now_unix_ns, due.tries + 1
            if due.tries > TRIES_MAX:
                del self._due[each]
        return tuple(each for each in found if each in self._due)


def _keep(kept: dict[str, T], key: str, value: T, most: int) -> None:
    kept.pop(key, None)
    kept[key] = value
    if len(kept) > most:
        del kept[next(iter(kept))]
