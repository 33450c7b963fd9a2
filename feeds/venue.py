"""All that an adapter can say: the events its frames become, and the rules of its venue.

A frame becomes a short sequence of events.  ``Raw`` levels are views into the frame and are
valid only until the next frame: whoever keeps them copies them.
"""

from collections.abc import Callable, Iterator, Sequence
from enum import IntEnum

import msgspec

Frame = bytes | bytearray | memoryview
NO_CHECKSUM = -1  # checksums are unsigned 32-bit numbers
NO_PREVIOUS = -(2**63)  # the message names no predecessor; any number a venue sends is another
NO_LEVELS = msgspec.Raw(b"[]")


class LevelText(IntEnum):
    """How a venue writes levels; one Numba parser serves each (``feeds/book/levels.py``).

    Numbers may be JSON strings or JSON numbers; elements after the size are skipped.
    """

    PAIRS = 0  # [["price","size",...],...] per side: Binance, OKX, Kraken v1, KuCoin, ...
    OBJECTS = 1  # [{"price":1.5,"qty":2},...] per side: Kraken v2
    SIDED_PAIRS = 2  # [["buy"|"sell","price","size"],...]: Coinbase Exchange
    SIDED_OBJECTS = 3  # [{"side":"bid"|"offer",...,"price_level":"","new_quantity":""},...]


class Link(IntEnum):
    """How one change of a book follows the one before."""

    ORDER_ONLY = 0  # TCP order, and a checksum where the venue has one
    FIRST_IS_NEXT = 1  # first_id == last_id + 1 (Binance spot)
    PREVIOUS_IS_LAST = 2  # previous_id == last_id (Binance USD-M, OKX)
    CONNECTION = 3  # one number counts over all messages of a connection (Coinbase Advanced)


class SnapshotFrom(IntEnum):
    """Where a book's first state comes from."""

    STREAM = 0  # the venue sends it after subscribing
    REST = 1  # asked for; diffs are buffered and spliced


class Checksum(IntEnum):
    """Which checksum a book's messages carry (``feeds/book/checksum.py``)."""

    NONE = 0
    KRAKEN = 1  # CRC32 over the top 10, asks then bids, digits without point and leading zeros
    OKX = 2  # signed CRC32 over the top 25, bid:ask interleaved, numbers as sent; 0 = not sent


class Snapshot(msgspec.Struct, gc=False):
    """The whole book of one symbol, to the depth the venue gives."""

    symbol: str
    bids: msgspec.Raw  # for the SIDED encodings everything is in ``bids``
    asks: msgspec.Raw
    last_id: int = 0
    previous_id: int = 0
    venue_ns: int = 0
    checksum: int = NO_CHECKSUM


class Delta(msgspec.Struct, gc=False):
    """Absolute new sizes of some levels of one symbol; size 0 removes a level."""

    symbol: str
    bids: msgspec.Raw
    asks: msgspec.Raw
    first_id: int = 0
    last_id: int = 0
    previous_id: int = 0  # NO_PREVIOUS where the venue's link needs one and the message has none
    venue_ns: int = 0
    checksum: int = NO_CHECKSUM


class Quote(msgspec.Struct, gc=False):
    """Best bid and offer from a stream of its own, faster than the book; numbers as sent.

    ``update_id`` only where the venue says that books count in the same sequence: readers compare.
    """

    symbol: str
    bid: str
    bid_size: str
    ask: str
    ask_size: str
    update_id: int = 0
    venue_ns: int = 0


class Trade(msgspec.Struct, gc=False):
    """One public print; numbers as sent."""

    symbol: str
    price: str
    size: str
    side: int  # +1 the buyer took, -1 the seller took
    trade_id: int = 0
    venue_ns: int = 0


class Numbered(msgspec.Struct, gc=False):
    """The connection-wide number of this frame (Link.CONNECTION); comes before its events."""

    number: int


class Subscribed(msgspec.Struct, gc=False):
    """The venue acknowledged; ``symbol`` is empty where the ack names none."""

    symbol: str = ""
    channel: str = ""
    depth: int = 0  # cut this book to so many levels; 0: the ack says nothing, see truncate_depth


class Rejected(msgspec.Struct, gc=False):
    """The venue refused a request; ``symbol`` is empty where the answer names none."""

    reason: str
    symbol: str = ""


class BookLost(msgspec.Struct, gc=False):
    """The venue says that this symbol's book is no longer kept up (unsubscribed, resubscribe)."""

    symbol: str
    reason: str


class Alive(msgspec.Struct, gc=False):
    """A heartbeat, pong or status line: proof of life and nothing more."""


class Reply(msgspec.Struct, gc=False):
    """The venue wants this text sent back now (an application-level ping)."""

    text: bytes


class Goodbye(msgspec.Struct, gc=False):
    """The venue announces that it will close: open another connection, then drop this one."""

    reason: str


Event = (
    Snapshot | Delta | Quote | Trade | Numbered | Subscribed | Rejected | BookLost | Alive
    | Reply | Goodbye
)


class Listing(msgspec.Struct, frozen=True):
    """One line of a venue's catalogue; numbers are decimal text as the venue writes them."""

    native: str
    pair: str  # unified name
    tick: str
    lot: str
    size_min: str = "0"
    notional_min: str = "0"
    trading: bool = True
    code: str = ""  # what else the venue calls it: OKX's instIdCode


class Limits(msgspec.Struct, frozen=True):
    """What a venue allows, from its sheet; the shared machinery keeps it."""

    symbols_per_connection: int
    connects_per_minute: int
    sends_per_second: int
    snapshots_per_second: float  # REST book requests, all symbols together
    lifetime_s: float = 0.0  # the venue cuts a connection after this; 0 = never


class KeepAlive(msgspec.Struct, frozen=True):
    """How a connection stays open and how its death is noticed."""

    silence_max_s: float  # nothing at all received for so long: the connection is dead
    ping: bytes | None = None  # application-level ping that we send; None: control frames do
    ping_every_s: float = 0.0
    pong: bytes | None = None  # a frame equal to this is the answer, and nothing else


class Venue(msgspec.Struct, frozen=True):
    """One venue's market, declared; shared machinery does the rest.

    Pure values and functions: no socket, no loop, no clock, no logger.
    """

    name: str  # key in configs: "binance", "binance-usdm", "okx", "kraken", "coinbase"
    market: str  # key in captures: "binance.spot", "binance.usdm", "kraken.spot", ...
    ws_url: str  # production endpoint; the config may name another
    rest_url: str
    level_text: LevelText
    link: Link
    snapshot_from: SnapshotFrom
    limits: Limits
    keep_alive: KeepAlive
    taker_fee_ppm: int  # the venue's entry tier, with its date in the adapter
    maker_fee_ppm: int
    # (native symbols) -> frames to send after the connection opened
    subscribe: Callable[[Sequence[str]], Iterator[bytes]]
    # (native symbol) -> frames that bring a fresh snapshot of one symbol on a live connection
    resubscribe: Callable[[str], Iterator[bytes]]
    # one frame -> its events; raises DecodeError on what the sheet does not allow
    decode: Callable[[Frame], Sequence[Event]]
    # pair -> the venue's spelling: Pair.parse("BTC/USDT") -> "BTCUSDT"
    native: Callable[[str], str]
    # path and query of the REST snapshot of one native symbol; "" where the stream has it
    snapshot_path: Callable[[str], str] = lambda _symbol: ""
    # (native symbol, body) -> Snapshot
    decode_snapshot: Callable[[str, bytes], Snapshot] | None = None
    # path and query of the catalogue, and its decoder; the native symbols asked for are given
    catalogue_path: Callable[[Sequence[str]], str] = lambda _symbols: ""
    decode_catalogue: Callable[[bytes], Sequence[Listing]] | None = None
    checksum: Checksum = Checksum.NONE
    # levels per side that the venue's integrity rule covers; only these are published, since a
    # lost change of a deeper one would stay in a LIVE book; 0 = all
    vouched_depth: int = 0
    # levels per side that a REST snapshot holds at most: what lies beyond is unknown; 0 = all
    snapshot_levels: int = 0
    # REST splice: the first kept change needs first_id <= last_id + overlap <= last_id of change
    # (Binance spot: 1, USD-M: 0), and changes with last_id < snapshot.last_id + overlap are dropped
    splice_overlap: int = 1
    # (native symbols) -> frames that also ask for best quotes, where their stream beats the book's
    subscribe_quotes: Callable[[Sequence[str]], Iterator[bytes]] = lambda _symbols: iter(())
    # where the venue serves prints at an endpoint of their own ("" = ws_url): that endpoint, and
    # (native symbols) -> frames to send there; its connections carry no books
    prints_url: str = ""
    subscribe_prints: Callable[[Sequence[str]], Iterator[bytes]] = lambda _symbols: iter(())
    truncate_depth: int = 0  # the book is cut to this many levels after each message (Kraken)
    book_depth: int = 0  # levels per side that the subscription gives; 0 = all
    # does this adapter speak the protocol of a recorded socket url?
    reads: Callable[[str], bool] = lambda _url: False
    until: str = ""  # for a dated decoder: the UTC day on which the venue switched it off
