"""What a venue asks of an order when it arrives: each rule with the reason of its refusal.

Whether a post-only order would take is the book's to say: see ``exec.paper.venue``.
"""

from typing import Final, Protocol

from exec.core.ports import Quote
from exec.paper.account import Account
from exec.paper.manners import Reason
from exec.records import Intended
from exec.state.outstanding import MONEY_DECIMALS

OPEN_MAX: Final = 1_000  # orders that rest at once
_MICRO_TO_MONEY: Final = 10 ** (MONEY_DECIMALS - 6)


class Market(Protocol):
    """What a paper venue knows of the real one; ``exec.books.LiveBooks`` is one."""

    def quote(self, venue: str, symbol: str) -> Quote:
        """Return the touch now, with why it is not to be believed, if so."""

    def levels(self, venue: str, symbol: str, side: int) -> list[tuple[int, int]]:
        """Return what a taker of ``side`` meets, (price, size) best first; empty: not believed."""

    def versions(self, venue: str, symbol: str) -> tuple[int, int]:
        """Return numbers that change with the levels."""

    def rules(self, venue: str, symbol: str) -> tuple[int, int, int, int]:
        """Return tick, lot, least size, and least notional in millionths of the quote."""

    def taker_fee_ppm(self, venue: str, symbol: str) -> int:
        """Return the taker's fee."""

    def maker_fee_ppm(self, venue: str, symbol: str) -> int:
        """Return the maker's fee."""


def worst_fee_ppm(market: Market, venue: str, symbol: str) -> int:
    """Return the fee that a reservation must cover."""
    return max(market.taker_fee_ppm(venue, symbol), market.maker_fee_ppm(venue, symbol), 0)


def refusal(
    order: Intended, market: Market, account: Account, *, unix_ns: int, open_count: int,
    fee_ppm: int,
) -> Reason | None:
    """Return why an order is not taken, in the order in which venues look; None: it is.

    ``fee_ppm`` of its value is held beside it.  A market whose book is not live takes nothing:
    there is nothing else that a paper venue could fill from.
    """
    if unix_ns > order.deadline_unix_ns:
        return Reason.LATE
    if order.symbol not in account.listed or market.quote(order.venue, order.symbol).distrust:
        return Reason.HALTED
    tick, lot, size_min, notional_min = market.rules(order.venue, order.symbol)
    for broken, reason in (
        (order.price <= 0 or order.size <= 0, Reason.NUMBERS),
        (order.price % tick, Reason.TICK),
        (order.size % lot, Reason.LOT),
        (order.size < size_min, Reason.SIZE_MIN),
        (account.value(order.symbol, order.price, order.size) < notional_min * _MICRO_TO_MONEY,
         Reason.NOTIONAL_MIN),
        (open_count >= OPEN_MAX, Reason.OPEN_ORDERS),
        (order.reduce_only and order.size > -order.side * account.size_of(order.symbol),
         Reason.REDUCE_ONLY),
    ):
        if broken:
            return reason
    asset, amount = account.needs(
        order.symbol, order.side, order.price, order.size, fee_ppm=fee_ppm)
    return Reason.FUNDS if amount > account.free(asset) else None
