"""What Binance spot remembers of an order beyond what every matching engine does."""

from collections.abc import Mapping
from typing import Final

import msgspec

from ops.sim.exchange.orders import Order, Stp, Why

NOTES_MAX: Final = 100_000  # as many ended orders as the matching engine remembers
MATCHES_MAX: Final = 10_000
STP_WORDS: Final = {
    "NONE": Stp.NONE, "EXPIRE_TAKER": Stp.EXPIRE_TAKER, "EXPIRE_MAKER": Stp.EXPIRE_MAKER,
    "EXPIRE_BOTH": Stp.EXPIRE_BOTH, "DECREMENT": Stp.DECREMENT,
    "TRANSFER": Stp.DECREMENT,  # within one account both are the same (faqs/stp_faq.md)
}
_WORDS: Final = {mode: word for word, mode in reversed(STP_WORDS.items())}
EXPIRY_REASONS: Final[Mapping[Why, str]] = {
    Why.IOC: "UNFILLED_IOC_QUANTITY_EXPIRED",
    Why.FOK: "UNFILLED_FOK_ORDER_EXPIRED",
    Why.NO_LIQUIDITY: "INSUFFICIENT_LIQUIDITY",
    Why.WITHDRAWN: "EXCHANGE_CANCELED",
    Why.MARGIN: "EXCHANGE_CANCELED",
}


class Amendment(msgspec.Struct, frozen=True):
    """One reduction of an order; sizes in quanta."""

    execution_id: int
    old_id: str
    new_id: str
    old_size: int
    new_size: int
    at_ns: int


class PreventedMatch(msgspec.Struct, frozen=True):
    """One self-trade that did not happen; sizes in quanta, 0 where nothing was taken off."""

    id: int
    symbol: str
    taker_id: int
    maker_id: int
    mode: str
    price: int
    taker_size: int
    maker_size: int
    at_ns: int


class Note(msgspec.Struct):
    """What was said of one order."""

    created_ns: int
    stp: str
    quote: int = 0  # quoteOrderQty in quanta of the quote asset
    strategy: dict[str, int] = {}
    prevented: int = 0  # quantity taken off by self-trade prevention
    match: int = -1  # the newest prevented match
    amendments: list[Amendment] = []


class Notes:
    """Notes by order id; the oldest are forgotten."""

    def __init__(self) -> None:
        self._notes: dict[int, Note] = {}
        self.matches: dict[str, list[PreventedMatch]] = {}  # by account, oldest first
        self._match_id: dict[str, int] = {}  # the next one, by symbol

    def write(self, order: Order, note: Note) -> None:
        """Remember."""
        if len(self._notes) >= NOTES_MAX:
            del self._notes[next(iter(self._notes))]
        self._notes[order.id] = note

    def of(self, order: Order) -> Note:
        """Return the order's note; ids used again after a restart do not inherit one."""
        note = self._notes.get(order.id)
        if note is None or note.created_ns != order.created_ns:
            note = Note(order.created_ns, _WORDS[order.stp])
            self.write(order, note)
        return note

    def prevent(self, account: str, match: PreventedMatch) -> PreventedMatch:
        """Remember a prevented match under a number of its own; return it."""
        number = self._match_id.get(match.symbol, 0)
        self._match_id[match.symbol] = number + 1
        numbered = msgspec.structs.replace(match, id=number)
        matches = self.matches.setdefault(account, [])
        if len(matches) >= MATCHES_MAX:
            del matches[0]
        matches.append(numbered)
        return numbered
