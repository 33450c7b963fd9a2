"""Orders: what a client asks for, what becomes of it, and who numbers it."""

from enum import Enum
from typing import Final

import msgspec

from ops.sim.exchange.fees import NO_FEES, Fees
from ops.sim.exchange.positions import Position

BUY: Final = 1
SELL: Final = -1
IDS_PER_EPOCH: Final = 10**5


class Kind(Enum):
    """How an order is priced."""

    LIMIT = "limit"
    MARKET = "market"


class Tif(Enum):
    """How long it stays."""

    GTC = "good till cancelled"
    IOC = "immediate or cancel"
    FOK = "fill or kill"


class Stp(Enum):
    """What happens where an account would trade with itself; the taker's mode decides."""

    NONE = "none"  # it trades
    EXPIRE_TAKER = "expire taker"
    EXPIRE_MAKER = "expire maker"
    EXPIRE_BOTH = "expire both"
    DECREMENT = "decrement"  # both shrink by the smaller, which ends


class Status(Enum):
    """Where an order stands; one that is partly filled is OPEN."""

    OPEN = "open"
    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class Why(Enum):
    """Why an order ended unfilled."""

    ASKED = "asked"
    IOC = "immediate or cancel"
    FOK = "fill or kill"
    NO_LIQUIDITY = "no liquidity"  # a market order that found too little
    SELF_TRADE = "self-trade prevention"
    WOULD_TAKE = "post-only"
    MARGIN = "margin"  # a loss needed the money it held
    REDUCE_ONLY = "reduce only"  # it would have reversed what is left of the position
    WITHDRAWN = "withdrawn"  # by the venue: delisting, dead-man switch


class ClientIds(Enum):
    """When a client may use one of its order ids again."""

    UNIQUE_OPEN = "unique among open orders"  # Binance, OKX, Kraken
    UNIQUE_EVER = "unique for ever"  # Coinbase, Bitstamp; remembered without bound


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """An order as asked for.  Sizes and prices in the symbol's quanta.

    A market order gives ``size``, or ``quote`` (quanta of the quote asset to spend or to raise).
    """

    account: str
    symbol: str
    side: int
    kind: Kind = Kind.LIMIT
    price: int = 0  # 0 for a market order
    size: int = 0
    quote: int = 0
    tif: Tif = Tif.GTC
    post_only: bool = False  # refused if it would take
    post_only_ends: bool = False  # OKX: not refused then, but taken and ended at once
    reduce_only: bool = False  # perpetuals: never opens or reverses a position
    stp: Stp = Stp.NONE
    client_id: str = ""


class Order(msgspec.Struct, eq=False, kw_only=True, weakref=True):
    """An order the venue took; lives on, closed, until it is forgotten."""

    id: int
    account: str
    client_id: str
    symbol: str
    side: int
    kind: Kind
    price: int
    size: int
    tif: Tif
    post_only: bool
    reduce_only: bool
    stp: Stp
    fees: Fees = NO_FEES  # at placement: a reservation must stay enough
    created_ns: int
    updated_ns: int
    status: Status = Status.OPEN
    why: Why | None = None
    filled: int = 0
    value: int = 0  # of what is filled, in quote quanta
    prevented: int = 0  # taken off by self-trade prevention
    reduces: Position | None = None  # what a reduce-only order may close
    margin_ppm: int = 0  # perpetuals: initial margin at placement
    asset: str = ""  # of the reservation
    reserved: int = 0
    closing: int = 0  # perpetuals: the first so many close a position and need no margin
    ahead: int = 0  # outside size that was at its level before it

    @property
    def remaining(self) -> int:
        """Return what may still fill."""
        return self.size - self.filled - self.prevented

    @property
    def fillable(self) -> int:
        """Return what of that may fill now: of a reduce-only order what its position has."""
        if self.reduces is None:
            return self.remaining
        return min(self.remaining, self.reduces.closable(self.side))


class Ids:
    """Numbers orders and trades of one venue, rising, also across restarts if the epoch does.

    Trades count through the venue, or each symbol's by themselves, without holes.
    Restarting with the same epoch uses ids again: that is a fault some venues showed.
    """

    def __init__(self, epoch: int, *, trades_per_symbol: bool = False) -> None:
        self._first = self._order = epoch * IDS_PER_EPOCH
        self._per_symbol = trades_per_symbol
        self._trades: dict[str, int] = {}

    def begin_again(self) -> None:
        """Use the same numbers as from the start on."""
        self._order = self._first
        self._trades.clear()

    def order(self) -> int:
        """Return the next order id."""
        self._order += 1
        return self._order

    def trade(self, symbol: str) -> int:
        """Return the next trade id; the two fills of a trade share it."""
        key = symbol if self._per_symbol else ""
        number = self._trades[key] = self._trades.get(key, self._first) + 1
        return number
