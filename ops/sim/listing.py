"""What the simulated venues list: spelling, tick, lot, wire format and first price of each line."""

import math
from typing import Final, NamedTuple

from engine.model.errors import ConfigInvalid
from engine.model.instrument import Kind, Pair
from engine.model.quanta import from_quanta, plain
from ops.sim.book import ASK, BID, Book, Change
from ops.sim.digits import Texts, written

PRICES: Final = {  # USD, about those of late 2026; where a walk starts, nothing more
    "BTC": 64_000.0, "ETH": 2_400.0, "SOL": 120.0, "XRP": 1.1, "DOGE": 0.12, "ADA": 0.4,
    "LTC": 80.0, "LINK": 14.0, "AVAX": 18.0, "DOT": 3.5, "BNB": 620.0, "EUR": 1.15, "GBP": 1.32,
    "USD": 1.0, "USDT": 1.0, "USDC": 1.0, "DAI": 1.0,
}
UNKNOWN_PRICE: Final = 10.0
DECIMALS_MAX: Final = 8


class Wire(NamedTuple):
    """How a venue's numbers look; None for wire decimals: as many as the tick or lot has."""

    joint: str  # between base and quote
    lot_digits: int | None  # decimals of the lot: None: by price, so that a lot is about 1 USD
    price_wire: int | None
    size_wire: int | None


WIRES: Final = {
    "binance": Wire("", None, 8, 8),
    "binance-us": Wire("", None, 4, 8),
    "binance-usdm": Wire("", None, None, None),
    "okx": Wire("-", 8, None, None),
    "okx-us": Wire("-", 8, None, None),
    "kraken": Wire("/", 8, None, None),
    "coinbase": Wire("-", 8, None, None),
    "coinbase-exchange": Wire("-", 8, None, None),
}


class Line:
    """One instrument at one simulated venue, with its books.

    Book prices count ticks of 10**-price_decimals, sizes count lots of 10**-size_decimals; the
    catalogue lists steps of ``tick_decimals`` and ``lot_decimals``, which a recording's line has
    before its first frame.
    ``outside`` is what the market shows, ``book`` what the public sees: the same object until a
    client trades there, then clients' orders are in the second alone (floor.py).
    ``last_id`` is the venue's own number of the book's state, 0 where the venue has none.
    ``numbered`` is False for recordings older than the venue's sequence numbers (OKX 2022).
    """

    __slots__ = (
        "book", "last_id", "lot_decimals", "native", "numbered", "outside", "pair",
        "plain_prices", "price_decimals", "price_pad", "prices", "recorded", "size_decimals",
        "size_pad", "started", "tick_decimals", "venue",
    )

    def __init__(
        self, venue: str, pair: Pair, native: str, *, price_decimals: int, size_decimals: int,
        price_pad: str = "", size_pad: str = "", started: bool = True,
    ) -> None:
        self.venue, self.pair, self.native = venue, pair, native
        self.price_decimals, self.size_decimals = price_decimals, size_decimals
        self.tick_decimals, self.lot_decimals = price_decimals, size_decimals
        self.price_pad, self.size_pad = price_pad, size_pad
        self._remember()
        self.book = self.outside = Book()
        self.last_id = 0
        self.numbered = True
        self.started = started  # False: the recording's first snapshot has not come yet
        self.recorded = not started

    def _remember(self) -> None:
        """Begin new tables of price texts: ``prices[ticks]``, and without trailing zeros."""
        self.prices = Texts(self.price_decimals, self.price_pad)
        self.plain_prices = Texts(self.price_decimals, is_plain=True)

    def price(self, ticks: int) -> str:
        """Return a price with all of its wire decimals."""
        return self.prices[ticks]

    def size(self, lots: int) -> str:
        """Return a size with all of its wire decimals."""
        return written(lots, self.size_decimals, self.size_pad)

    def plain_price(self, ticks: int) -> str:
        """Return a price without trailing zeros."""
        return self.plain_prices[ticks]

    def plain_size(self, lots: int) -> str:
        """Return a size without trailing zeros."""
        return plain(written(lots, self.size_decimals))

    def widen(self, price_decimals: int, size_decimals: int) -> None:
        """Count in finer ticks and lots, if asked for more decimals than now."""
        price_by = 10 ** max(0, price_decimals - self.price_decimals)
        size_by = 10 ** max(0, size_decimals - self.size_decimals)
        if price_by == size_by == 1:
            return
        self.price_decimals = max(price_decimals, self.price_decimals)
        self.size_decimals = max(size_decimals, self.size_decimals)
        self._remember()
        levels = [Change(side, price * price_by, size * size_by)
                  for side in (BID, ASK) for price, size in self.book.sizes[side].items()]
        self.book.clear()
        self.book.apply(levels)

    @property
    def tick(self) -> str:
        """Return the listed price step as text."""
        return from_quanta(1, self.tick_decimals)

    @property
    def lot(self) -> str:
        """Return the listed size step as text."""
        return from_quanta(1, self.lot_decimals)


def native_of(venue: str, pair: Pair) -> str:
    """Spell a pair as the venue does: BTC/USDT is BTCUSDT, BTC-USDT or BTC/USDT."""
    return f"{pair.base}{WIRES[venue].joint}{pair.quote}"


def listed_pair(venue: str, symbol: str) -> Pair:
    """Take a unified symbol apart; raise ConfigInvalid if the venue cannot list it."""
    if venue not in WIRES:
        known = ", ".join(WIRES)
        raise ConfigInvalid(f"venue {venue!r} has no simulated server; there are {known}")
    pair = Pair.parse(symbol)
    if (pair.kind is Kind.PERPETUAL) != (venue == "binance-usdm"):
        raise ConfigInvalid(f"{venue} does not list {symbol}; binance-usdm alone has perpetuals")
    return pair


def first_price(pair: Pair) -> float:
    """Return where the pair's random walk starts, in quote units."""
    return PRICES.get(pair.base, UNKNOWN_PRICE) / PRICES.get(pair.quote, 1.0)


def invented_line(venue: str, symbol: str) -> Line:
    """List a unified symbol with a tick and lot that suit its price."""
    pair = listed_pair(venue, symbol)
    wire = WIRES[venue]
    digits = math.floor(math.log10(first_price(pair)))
    price_decimals = max(0, min(wire.price_wire or DECIMALS_MAX, 5 - digits))
    size_decimals = max(0, min(DECIMALS_MAX, wire.lot_digits or digits))
    return Line(
        venue, pair, native_of(venue, pair),
        price_decimals=price_decimals, size_decimals=size_decimals,
        price_pad=_pad(price_decimals, wire.price_wire),
        size_pad=_pad(size_decimals, wire.size_wire),
    )


def _pad(decimals: int, wire_decimals: int | None) -> str:
    if wire_decimals is None:
        return ""
    return ("" if decimals else ".") + "0" * (wire_decimals - decimals)
