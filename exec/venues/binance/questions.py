"""REST requests that remember why they were asked, so that their answers can be understood.

A codec keeps no list of what is under way: what a question was about goes with it and comes back
beside its answer.
"""

from exec.core.ports import Seen
from exec.gateways.codec import Request
from exec.records import Intended
from exec.venues.binance.rows import Trade


class Fate(Request, frozen=True, kw_only=True):
    """Asks what became of an order."""

    order: Intended


class FillsOf(Request, frozen=True, kw_only=True):
    """Asks which fills an order had; what else was found of it is told after them."""

    order: Intended
    seen: Seen
    venue_order: int


class StillOpen(Request, frozen=True, kw_only=True):
    """Asks whether an order that was not found is among the open ones of its symbol."""

    order: Intended
    first_asked_ns: int  # Unix; absence is as of then


class Among(Request, frozen=True, kw_only=True):
    """Asks for a page of all orders since it was born: is it among them."""

    order: Intended
    first_asked_ns: int


class OpenOrders(Request, frozen=True, kw_only=True):
    """Asks what rests on the account."""


class Strays(Request, frozen=True, kw_only=True):
    """Asks what rests in symbols that we do not count: it is to be cancelled too."""


class Trades(Request, frozen=True, kw_only=True):
    """Asks which fills the account had in a symbol, in a time."""

    native: str
    start_ms: int
    end_ms: int  # included
    last: bool  # of a time that was cut in two: no further time follows


class NamesOf(Request, frozen=True, kw_only=True):
    """Asks for a page of orders: which client ids those of these trades have."""

    native: str
    trades: tuple[Trade, ...]


class Money(Request, frozen=True, kw_only=True):
    """Asks what the account holds."""


class Positions(Request, frozen=True, kw_only=True):
    """Asks for its positions."""


class Incomes(Request, frozen=True, kw_only=True):
    """Asks for a page of the money that came and went in a time."""

    start_ms: int
    end_ms: int
    page: int


class Key(Request, frozen=True, kw_only=True):
    """Asks for a listen key, or for a longer life of one."""
