"""One peer library on recorded messages: run by ``bench.peers`` in the peers' own environment.

    python peer.py cryptofeed|ccxt|nautilus_trader MESSAGES ROUNDS

MESSAGES is JSON: {"snapshots": {symbol: REST body}, "depth": [frame, ...]}.  Prints JSON: the
version, ns per message of every round, and the best ten levels of each book at the end.  Imports
nothing of ours, so that it runs where only the peers are installed.

Each library is used as its own live client uses it, from the text of a frame to its book:

cryptofeed       ``Binance.message_handler(text)``; books preloaded as its ``_snapshot`` does,
                 no callback registered
ccxt             ``ccxt.pro`` client: ``handle_text_or_binary_message(text)``, which parses and
                 calls ``binance.handle_message``; books preloaded as its
                 ``fetch_order_book_snapshot`` does
nautilus_trader  what its Binance data client does with a frame: msgspec decoder of
                 ``BinanceOrderBookMsg``, ``parse_to_order_book_deltas``; then ``OrderBook.apply``
                 as its data engine does
"""

import asyncio
import gc
import importlib
import json
import sys
import time
from collections.abc import Awaitable, Callable
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

Top = list[list[str]]  # ten bids, then ten asks: prices as plain decimals


class Peer(NamedTuple):
    """One library with its books in place."""

    take: Callable[[str], Awaitable[None] | None]
    top: Callable[[], dict[str, Top]]
    close: Callable[[], Awaitable[None] | None] = lambda: None


UNIFIED = {"BTCUSDT": ("BTC", "USDT"), "ETHUSDT": ("ETH", "USDT")}


def cryptofeed_books(snapshots: dict[str, str]) -> Peer:
    """Return cryptofeed's Binance feed with its books in place."""
    exchanges = importlib.import_module("cryptofeed.exchanges")
    types = importlib.import_module("cryptofeed.types")
    symbols = importlib.import_module("cryptofeed.symbols").Symbols
    names = {symbol: "-".join(pair) for symbol, pair in UNIFIED.items()}
    symbols.set("BINANCE", {name: symbol for symbol, name in names.items()}, {})
    feed = exchanges.Binance(symbols=list(names.values()), channels=["l2_book"])
    for symbol, body in snapshots.items():
        rest = json.loads(body)
        feed.last_update_id[names[symbol]] = rest["lastUpdateId"]
        feed._l2_book[names[symbol]] = types.OrderBook(  # noqa: SLF001
            feed.id, names[symbol], max_depth=0,
            bids={Decimal(price): Decimal(size) for price, size in rest["bids"]},
            asks={Decimal(price): Decimal(size) for price, size in rest["asks"]})

    def top() -> dict[str, Top]:
        books = {symbol: feed._l2_book[names[symbol]].book for symbol in snapshots}  # noqa: SLF001
        return {
            symbol: [[_plain(side.index(at)[0]) for at in range(10)]
                     for side in (book.bids, book.asks)]
            for symbol, book in books.items()}

    return Peer(lambda text: feed.message_handler(text, None, 0.0), top)


def ccxt_books(snapshots: dict[str, str]) -> Peer:
    """Return ccxt.pro's client and exchange with the books in place."""
    exchange = importlib.import_module("ccxt.pro").binance()
    exchange.set_markets([
        {"id": symbol, "symbol": f"{base}/{quote}", "base": base, "quote": quote, "type": "spot",
         "spot": True, "precision": {}, "limits": {}, "active": True}
        for symbol, (base, quote) in UNIFIED.items()])
    for symbol, body in snapshots.items():
        rest = json.loads(body)
        unified = "/".join(UNIFIED[symbol])
        parsed = exchange.parse_order_book(rest, unified)
        parsed["nonce"] = rest["lastUpdateId"]
        exchange.orderbooks[unified] = exchange.order_book(parsed, 1000)
    client = exchange.client(exchange.urls["api"]["ws"]["spot"] + "/0")

    def top() -> dict[str, Top]:
        return {
            symbol: [[_plain(Decimal(repr(price))) for price, _ in book[side][:10]]
                     for side in ("bids", "asks")]
            for symbol in snapshots
            for book in [exchange.orderbooks["/".join(UNIFIED[symbol])].limit()]}

    return Peer(client.handle_text_or_binary_message, top, exchange.close)


def nautilus_books(snapshots: dict[str, str]) -> Peer:
    """Return NautilusTrader's decoder and books."""
    msgspec = importlib.import_module("msgspec")
    market = importlib.import_module("nautilus_trader.adapters.binance.common.schemas.market")
    identifiers = importlib.import_module("nautilus_trader.model.identifiers")
    model = importlib.import_module("nautilus_trader.model.book")
    enums = importlib.import_module("nautilus_trader.model.enums")
    ids = {symbol: identifiers.InstrumentId.from_str(f"{symbol}.BINANCE") for symbol in snapshots}
    books = {
        symbol: model.OrderBook(name, enums.BookType.L2_MBP) for symbol, name in ids.items()}
    for symbol, body in snapshots.items():
        rest = msgspec.json.decode(body.encode(), type=market.BinanceDepth)
        books[symbol].apply(rest.parse_to_order_book_snapshot(ids[symbol], 0))
    decode = msgspec.json.Decoder(market.BinanceOrderBookMsg).decode

    def take(text: str) -> None:
        message = decode(text)
        symbol = message.data.s
        books[symbol].apply(message.data.parse_to_order_book_deltas(ids[symbol], 0))

    def top() -> dict[str, Top]:
        return {
            symbol: [[_plain(Decimal(str(level.price))) for level in side[:10]]
                     for side in (book.bids(), book.asks())]
            for symbol, book in books.items()}

    return Peer(take, top)


PEERS: dict[str, Callable[[dict[str, str]], Peer]] = {
    "cryptofeed": cryptofeed_books, "ccxt": ccxt_books, "nautilus_trader": nautilus_books}


def _plain(price: Decimal) -> str:
    return f"{price.normalize():f}"


async def play(name: str, messages: dict[str, Any]) -> tuple[list[int], dict[str, Top]]:
    """Send all messages through fresh books of one peer; return ns per message and the end."""
    peer = PEERS[name](messages["snapshots"])
    took = []
    clock = time.perf_counter_ns
    gc.collect()
    gc.disable()
    for text in messages["depth"]:
        start = clock()
        waiting = peer.take(text)
        if waiting is not None:
            await waiting
        took.append(clock() - start)
    gc.enable()
    top = peer.top()
    closing = peer.close()
    if closing is not None:
        await closing
    return took, top


async def main() -> None:
    """Play the rounds and print the result."""
    name, path, rounds = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    messages: dict[str, Any] = json.loads(path.read_text())
    took: list[list[int]] = []
    for _ in range(rounds):
        ns, top = await play(name, messages)
        took.append(ns)
    print(json.dumps({"version": version(name), "took_ns": took, "top": top}))


if __name__ == "__main__":
    asyncio.run(main())
