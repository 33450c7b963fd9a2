"""Books as dicts of Decimals: the slow twin of ``feeds/book/publish.py``, to be obviously right."""

import json
import zlib
from decimal import Decimal
from typing import Any

import msgspec

from feeds.venue import NO_CHECKSUM, Checksum, Delta, LevelText, Quote, Snapshot, Trade, Venue
from shm.layout import BookFault, BookState


class PlainBook:
    """One book; values are (price, size) as sent, keys are prices as numbers."""

    def __init__(self) -> None:
        self.bids: dict[Decimal, tuple[str, str]] = {}
        self.asks: dict[Decimal, tuple[str, str]] = {}
        self.depth = 0
        self.short = False
        self.states: list[tuple[BookState, BookFault]] = []
        self.trades: list[Trade] = []
        self.quotes: list[Quote] = []
        self.updates = self.checksums_ok = self.checksums_failed = 0

    @property
    def state(self) -> BookState:
        """Return the last state written."""
        return self.states[-1][0] if self.states else BookState.EMPTY

    def top(self, count: int) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        """Return the best levels per side, as sent, best first."""
        return (
            [self.bids[price] for price in sorted(self.bids, reverse=True)[:count]],
            [self.asks[price] for price in sorted(self.asks)[:count]],
        )


class PlainBooks:
    """All books of one feed; the same calls as ``feeds.port.Books``."""

    def __init__(self, venue: Venue, count: int) -> None:
        self.venue = venue
        self.books = [PlainBook() for _ in range(count)]
        for book in self.books:
            book.depth = venue.truncate_depth

    def load(self, local: int, snapshot: Snapshot, _unix_ns: int, _mono_ns: int) -> int:
        """Replace the book."""
        book = self.books[local]
        book.bids, book.asks = {}, {}
        return self._take(book, snapshot)

    def apply(self, local: int, change: Delta, _unix_ns: int, _mono_ns: int) -> int:
        """Change the book."""
        book = self.books[local]
        fault = self._take(book, change)
        book.updates += not fault
        return fault

    def quote(self, local: int, quote: Quote, _unix_ns: int, _mono_ns: int) -> int:
        """Write the quote down."""
        self.books[local].quotes.append(quote)
        return 0

    def trade(self, local: int, trade: Trade, _unix_ns: int, _mono_ns: int) -> int:
        """Write the print down."""
        self.books[local].trades.append(trade)
        return 0

    def state(self, local: int, state: int, fault: int, _now_mono_ns: int) -> None:
        """Write the state down."""
        self.books[local].states.append((BookState(state), BookFault(fault)))

    def is_short(self, local: int) -> bool:
        """Tell what the test has set."""
        return self.books[local].short

    def truncate(self, local: int, depth: int) -> None:
        """Cut from now on."""
        self.books[local].depth = depth

    def checksum(self, local: int) -> int:
        """Return the venue's checksum over one book as it is."""
        return _checksum(self.venue.checksum, self.books[local])

    def _take(self, book: PlainBook, message: Snapshot | Delta) -> int:
        try:
            rows = self._rows(message)
        except (ValueError, KeyError, IndexError, TypeError, AttributeError):
            return BookFault.PARSE
        for side, price, size in rows:
            levels = book.bids if side == "bid" else book.asks
            if Decimal(size):
                levels[Decimal(price)] = (price, size)
            else:
                levels.pop(Decimal(price), None)
        if book.depth:
            bids, asks = book.top(book.depth)
            book.bids = {Decimal(price): (price, size) for price, size in bids}
            book.asks = {Decimal(price): (price, size) for price, size in asks}
        if book.bids and book.asks and max(book.bids) >= min(book.asks):
            return BookFault.CROSSED
        if message.checksum != NO_CHECKSUM and self.venue.checksum is not Checksum.NONE:
            if _checksum(self.venue.checksum, book) != message.checksum:
                book.checksums_failed += 1
                return BookFault.CHECKSUM
            book.checksums_ok += 1
        return BookFault.NONE

    def _rows(self, message: Snapshot | Delta) -> list[tuple[str, str, str]]:
        """Return (side, price, size) of every level in the order sent; raise on what is none."""
        encoding = self.venue.level_text
        bids, asks = _json(message.bids), _json(message.asks)
        if encoding is LevelText.PAIRS:
            rows = [("bid", row[0], row[1]) for row in bids]
            rows += [("ask", row[0], row[1]) for row in asks]
        elif encoding is LevelText.OBJECTS:
            rows = [("bid", row["price"], row["qty"]) for row in bids]
            rows += [("ask", row["price"], row["qty"]) for row in asks]
        elif encoding is LevelText.SIDED_PAIRS:
            rows = [("bid" if row[0] in ("buy", "bid") else "ask", row[1], row[2])
                    for row in bids + asks]
        else:
            rows = [("bid" if row["side"] == "bid" else "ask", row["price_level"],
                     row["new_quantity"]) for row in bids + asks]
        for _, price, size in rows:
            if not all(part.isdigit() for part in f"{price}.{size}".split(".")):
                raise ValueError(f"{price} {size}")
        return rows


def _json(text: msgspec.Raw) -> list[Any]:
    rows = json.loads(bytes(text), parse_float=str, parse_int=str)
    if not isinstance(rows, list):
        raise TypeError(rows)
    return rows


def _checksum(kind: Checksum, book: PlainBook) -> int:
    bids, asks = book.top(25 if kind is Checksum.OKX else 10)
    if kind is Checksum.KRAKEN:
        parts = [number.replace(".", "").lstrip("0") for level in asks + bids for number in level]
        return zlib.crc32("".join(parts).encode())
    parts = []
    for rank in range(max(len(bids), len(asks))):
        parts += [":".join(side[rank]) for side in (bids, asks) if rank < len(side)]
    return zlib.crc32(":".join(parts).encode())
