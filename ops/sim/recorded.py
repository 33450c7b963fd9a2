"""Reading recorded frames back: which topic a frame belongs to, and what it does to its line.

One reader per protocol, written for the simulator alone: it must agree with ``feeds`` without
sharing its code.
"""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple, Protocol

import msgspec
import orjson

from ops.sim.book import ASK, BID, Change
from ops.sim.face import BUY, SELL, Topic
from ops.sim.listing import Line

SIDES: Final = {"buy": BUY, "sell": SELL}
DEPTH_UNKNOWN: Final = 10  # Kraken's default, where a recording lacks the acknowledgement
BUFFER_MAX: Final = 10_000  # diffs kept per line until its REST snapshot comes


class RecordedTrade(NamedTuple):
    """One recorded print; ``side`` is the taker's, the numbers are the recorded text."""

    side: int
    price: str
    size: str


class Reader(Protocol):
    """What playback needs to know of one recorded protocol."""

    def topic(self, text: bytes) -> Topic | None:
        """Return what a frame belongs to; None for answers, heartbeats and unknown streams."""

    def is_book(self, topic: Topic) -> bool:
        """Return whether frames of a topic change the line's book."""

    def apply(self, line: Line, text: bytes) -> list[Change] | None:
        """Bring the line to where a book frame leads; return the changes, None for a new book."""

    def trades(self, topic: Topic, text: bytes) -> list[RecordedTrade]:
        """Return what a frame says was traded just now; nothing if it is of another kind."""


def quanta(text: str, decimals: int) -> int:
    """Return decimal text in units of 10**-decimals; it has no more decimals than that."""
    whole, _, fraction = text.partition(".")
    return int(whole + fraction.ljust(decimals, "0"))


def decimals_of(text: str) -> int:
    """Return how many digits follow the point."""
    return len(text.partition(".")[2])


def to_changes(line: Line, rows: Iterable[tuple[int, str, str]]) -> list[Change]:
    """Turn (side, price, size) text into ticks and lots, widening the line where needed."""
    listed = list(rows)
    line.widen(
        max((decimals_of(price) for _, price, _ in listed), default=0),
        max((decimals_of(size) for _, _, size in listed), default=0),
    )
    return [
        Change(side, quanta(price, line.price_decimals), quanta(size, line.size_decimals))
        for side, price, size in listed
    ]


class BinanceReader:
    """Combined frames, diffs spliced onto a REST snapshot."""

    def __init__(self, *, perpetual: bool) -> None:
        self._keep_equal = perpetual  # USD-M keeps a diff that ends at the snapshot's id
        self._waiting: dict[str, list[dict[str, Any]]] = {}

    def topic(self, text: bytes) -> Topic | None:
        """Read the stream's name off the envelope."""
        if not text.startswith(b'{"stream":"'):
            return None
        name = text[11 : text.index(b'"', 11)].decode()
        symbol, _, stream = name.partition("@")
        kind = stream.partition("@")[0]
        known = kind in ("depth", "bookTicker", "trade", "aggTrade")
        return (kind, symbol.upper()) if known else None

    def is_book(self, topic: Topic) -> bool:
        """Return whether it is a diff."""
        return topic[0] == "depth"

    def apply(self, line: Line, text: bytes) -> list[Change] | None:
        """Apply a diff, or keep it until the snapshot comes."""
        diff = orjson.loads(text)["data"]
        if line.started:
            return self._diff(line, diff)
        waiting = self._waiting.setdefault(line.native, [])
        waiting.append(diff)
        del waiting[:-BUFFER_MAX]
        return []

    def trades(self, topic: Topic, text: bytes) -> list[RecordedTrade]:
        """Read a print, single or aggregated; ``m`` says that the buyer was the maker."""
        if topic[0] not in ("trade", "aggTrade"):
            return []
        row = orjson.loads(text)["data"]
        return [RecordedTrade(SELL if row["m"] else BUY, row["p"], row["q"])]

    def snapshot(self, line: Line, body: bytes) -> int:
        """Start the book from a REST answer, then apply what waited; return the answer's id."""
        answer = orjson.loads(body)
        rows = [(side, p, s) for side, name in ((BID, "bids"), (ASK, "asks"))
                for p, s in answer[name]]
        line.book.clear()
        line.book.apply(to_changes(line, rows))
        line.last_id, line.started = answer["lastUpdateId"], True
        for diff in self._waiting.pop(line.native, []):
            self._diff(line, diff)
        return int(answer["lastUpdateId"])

    def _diff(self, line: Line, diff: dict[str, Any]) -> list[Change]:
        if diff["u"] + self._keep_equal <= line.last_id:
            return []
        rows = [(side, p, s) for side, name in ((BID, "b"), (ASK, "a")) for p, s in diff[name]]
        changes = to_changes(line, rows)
        line.book.apply(changes)
        line.last_id = diff["u"]
        return changes


class OkxReader:
    """Snapshot and updates in the stream, with or without numbers."""

    def topic(self, text: bytes) -> Topic | None:
        """Map every book channel to ``books``."""
        message = orjson.loads(text)
        if "data" not in message:
            return None
        channel, native = message["arg"]["channel"], message["arg"]["instId"]
        return ("books" if channel.startswith("books") else channel), native

    def is_book(self, topic: Topic) -> bool:
        """Return whether it is a book channel."""
        return topic[0] == "books"

    def apply(self, line: Line, text: bytes) -> list[Change] | None:
        """Replace or change the book."""
        message = orjson.loads(text)
        row, fresh = message["data"][0], message["action"] == "snapshot"
        rows = [(side, level[0], level[1]) for side, name in ((BID, "bids"), (ASK, "asks"))
                for level in row[name]]
        if fresh:
            line.book.clear()
        changes = to_changes(line, rows)
        line.book.apply(changes)
        line.numbered = "seqId" in row
        line.last_id = row.get("seqId", 0)
        line.started = line.started or fresh
        return None if fresh else changes

    def trades(self, topic: Topic, text: bytes) -> list[RecordedTrade]:
        """Read the prints of one message; ``side`` is the taker's."""
        if topic[0] != "trades":
            return []
        return [RecordedTrade(SIDES[row["side"]], row["px"], row["sz"])
                for row in orjson.loads(text)["data"]]


class _KrakenLevel(msgspec.Struct, gc=False):
    price: msgspec.Raw
    qty: msgspec.Raw
    side: str = ""  # of a print


class _KrakenBook(msgspec.Struct, gc=False):
    symbol: str = ""
    bids: list[_KrakenLevel] = []
    asks: list[_KrakenLevel] = []


class _KrakenTrades(msgspec.Struct, gc=False):
    type: str
    data: list[_KrakenLevel]


class _KrakenMessage(msgspec.Struct, gc=False):
    channel: str = ""
    type: str = ""
    method: str = ""
    result: dict[str, Any] = {}
    data: list[_KrakenBook] = []


class KrakenReader:
    """Books of one depth, numbers as JSON numbers whose every digit counts."""

    def __init__(self) -> None:
        self._parse = msgspec.json.Decoder(_KrakenMessage).decode
        self._parse_trades = msgspec.json.Decoder(_KrakenTrades).decode
        self._depths: dict[str, int] = {}

    def topic(self, text: bytes) -> Topic | None:
        """Learn the depth from the acknowledgement; name the book by it."""
        message = self._parse(text)
        if message.method == "subscribe" and message.result.get("channel") == "book":
            self._depths[message.result["symbol"]] = message.result["depth"]
        if message.channel not in ("book", "trade", "ticker") or not message.data:
            return None
        native = message.data[0].symbol
        depth = f":{self._depths.get(native, DEPTH_UNKNOWN)}" if message.channel == "book" else ""
        return message.channel + depth, native

    def is_book(self, topic: Topic) -> bool:
        """Return whether it is a book channel."""
        return topic[0].startswith("book")

    def apply(self, line: Line, text: bytes) -> list[Change] | None:
        """Replace or change the book, then cut it to its depth."""
        message = self._parse(text)
        row, fresh = message.data[0], message.type == "snapshot"
        rows = [(side, bytes(level.price).decode(), bytes(level.qty).decode())
                for side, levels in ((BID, row.bids), (ASK, row.asks)) for level in levels]
        if fresh:
            line.book.clear()
        changes = to_changes(line, rows)
        line.book.apply(changes)
        changes += line.book.truncate(self._depths.get(line.native, DEPTH_UNKNOWN))
        line.started = line.started or fresh
        return None if fresh else changes

    def trades(self, topic: Topic, text: bytes) -> list[RecordedTrade]:
        """Read the prints of an update; a snapshot tells of the past.  ``side`` is the taker's."""
        if topic[0] != "trade":
            return []
        message = self._parse_trades(text)
        return [RecordedTrade(SIDES[row.side], bytes(row.price).decode(), bytes(row.qty).decode())
                for row in (message.data if message.type == "update" else ())]


class CoinbaseExchangeReader:
    """Snapshot, then l2update; tickers and matches beside them."""

    TOPICS: Final = {
        b"snapshot": "level2_batch", b"l2update": "level2_batch", b"match": "matches",
        b"last_match": "matches", b"ticker": "ticker",
    }

    def topic(self, text: bytes) -> Topic | None:
        """Map the message's type to the channel that brings it."""
        if not text.startswith(b'{"type":"'):
            return None
        channel = self.TOPICS.get(text[9 : text.index(b'"', 9)])
        return (channel, orjson.loads(text)["product_id"]) if channel else None

    def is_book(self, topic: Topic) -> bool:
        """Return whether it is the book channel."""
        return topic[0] == "level2_batch"

    def apply(self, line: Line, text: bytes) -> list[Change] | None:
        """Replace or change the book."""
        message = orjson.loads(text)
        if message["type"] == "snapshot":
            rows = [(side, p, s) for side, name in ((BID, "bids"), (ASK, "asks"))
                    for p, s in message[name]]
            line.book.clear()
            line.book.apply(to_changes(line, rows))
            line.started = True
            return None
        sides = {"buy": BID, "sell": ASK}  # of the book
        changes = to_changes(line, ((sides[side], p, s) for side, p, s in message["changes"]))
        line.book.apply(changes)
        return changes

    def trades(self, topic: Topic, text: bytes) -> list[RecordedTrade]:
        """Read a match; its ``side`` is the maker's (shared/venues/coinbase.md, 2026-11-21)."""
        if topic[0] != "matches":
            return []
        row = orjson.loads(text)
        if row["type"] != "match":  # the last one before the subscription
            return []
        return [RecordedTrade(-SIDES[row["side"]], row["price"], row["size"])]


def reader_of(venue: str) -> Reader:
    """Return a new reader of the venue's recorded protocol."""
    if venue.startswith("binance"):
        return BinanceReader(perpetual=venue == "binance-usdm")
    if venue.startswith("okx"):
        return OkxReader()
    return KrakenReader() if venue == "kraken" else CoinbaseExchangeReader()
