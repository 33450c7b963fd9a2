"""A cryptofeed program, run in its own environment by ``test_cryptofeed.py``.

Arguments, as one JSON object: venue, symbols (its spelling), ports (host name -> loopback port),
checksums, and for Coinbase the table of products, which it can no longer ask for.  Each line on
stdin is answered by a line on stdout: the books, the trades so far, and what was logged as amiss.
The certificate authority comes by SSL_CERT_FILE and REQUESTS_CA_BUNDLE.
"""

import asyncio
import json
import logging
import socket
import sys
from typing import Any

import aiohttp.connector
import aiohttp.resolver
from cryptofeed.defines import L2_BOOK, TRADES
from cryptofeed.exchanges import OKX, Binance, BinanceFutures, Coinbase, Kraken
from cryptofeed.symbols import Symbols

FEEDS = {"binance": Binance, "binance-usdm": BinanceFutures, "okx": OKX, "kraken": Kraken,
         "coinbase": Coinbase}
NO_KEY = {"log": {"disabled": True}, "coinbase": {"key_id": "none", "key_secret": "none"}}


class Amiss(logging.Handler):
    """Collects warnings and errors of the feed."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one line."""
        kind = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else ""
        self.lines.append(f"{record.getMessage()} {kind}")


class Kept:
    """What the callbacks brought."""

    def __init__(self) -> None:
        self.books: dict[str, Any] = {}
        self.trades: list[list[str]] = []
        self.updates = 0

    async def book(self, book: Any, _received: float) -> None:
        """Remember the living book."""
        self.updates += 1
        self.books[book.symbol] = book.book

    async def trade(self, trade: Any, _received: float) -> None:
        """Remember a trade."""
        named = trade.raw if isinstance(trade.raw, dict) else {}
        first, last = named.get("f", trade.id), named.get("l", trade.id)  # Binance's are sums
        self.trades.append([trade.symbol, str(first), str(last), trade.side, str(trade.price),
                            str(trade.amount)])

    def told(self) -> dict[str, Any]:
        """Return all of it as JSON knows it."""
        return {
            "books": {symbol: {
                "bids": [[str(price), str(size)] for price, size in book.to_dict()["bid"].items()],
                "asks": [[str(price), str(size)] for price, size in book.to_dict()["ask"].items()],
            } for symbol, book in self.books.items()},
            "trades": self.trades, "updates": self.updates}


def resolve_on_loopback(ports: dict[str, int]) -> None:
    """Let the venues' names, and no others, be ports of this machine."""
    resolve = socket.getaddrinfo

    def to_loopback(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name not in ports:
            raise socket.gaierror(f"{name} is not simulated")
        return resolve("127.0.0.1", ports[name], *args, **kwargs)

    socket.getaddrinfo = to_loopback
    aiohttp.connector.DefaultResolver = (  # type: ignore[attr-defined]  # others ask DNS
        aiohttp.resolver.ThreadedResolver)


async def serve(wanted: dict[str, Any]) -> None:
    """Follow the venue and answer questions until stdin ends."""
    kept, amiss = Kept(), Amiss()
    logging.getLogger("feedhandler").addHandler(amiss)
    feed_class = FEEDS[wanted["venue"]]
    if wanted["products"]:
        Symbols.set(feed_class.id, wanted["products"], {"instrument_type": {}})
    feed = feed_class(
        config=NO_KEY, symbols=wanted["symbols"], channels=[L2_BOOK, TRADES],
        callbacks={L2_BOOK: kept.book, TRADES: kept.trade},
        checksum_validation=wanted["checksums"])
    loop = asyncio.get_running_loop()
    feed.start(loop)
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while await lines.readline():
        sys.stdout.write(json.dumps(kept.told() | {"amiss": amiss.lines}) + "\n")
        sys.stdout.flush()
    feed.stop()


if __name__ == "__main__":
    request = json.loads(sys.argv[1])
    resolve_on_loopback(request["ports"])
    asyncio.run(serve(request))
