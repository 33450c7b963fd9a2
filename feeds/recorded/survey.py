"""What recordings hold: markets, symbols under their unified names, and the decimals they need."""

import sys
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final

import msgspec

from engine.model.errors import CaptureInvalid, DecodeError, UnknownInstrument
from feeds.recorded.capture import Capture
from feeds.venue import Delta, Event, LevelText, Listing, Quote, Snapshot, Trade, Venue

# Quote currencies by which spellings without a separator end, the longer ones first.
_QUOTES: Final = (
    "FDUSD", "USDT", "USDC", "BUSD", "TUSD", "BIDR", "IDRT", "USD", "BTC", "ETH", "BNB", "EUR",
    "GBP", "AUD", "BRL", "TRY", "JPY", "RUB", "UAH", "NGN", "DAI", "TRX", "XRP", "DOGE", "VAI",
)
_MODERN: Final = {"XBT": "BTC", "XDG": "DOGE"}


class Symbol(msgspec.Struct):
    """One symbol of a recording; decimals are the most that any of its numbers needs."""

    native: str
    name: str = ""  # unified; "" where neither a catalogue nor the spelling tells it
    price_decimals: int = 0
    size_decimals: int = 0


class Surveyed(msgspec.Struct):
    """One market: what reads it, the files that hold it, and its symbols as first met."""

    venue: Venue
    captures: list[Capture]
    symbols: dict[str, Symbol]
    catalogue: list[Listing]

    @property
    def market(self) -> str:
        """Return the first two parts of the files' names."""
        return self.captures[0].market


def survey(paths: Sequence[str | Path]) -> list[Surveyed]:
    """Read ``paths`` once from end to end; raise CaptureInvalid for what cannot be read.

    Frames that do not decode are left to whoever replays them.
    """
    markets: dict[tuple[str, str], Surveyed] = {}
    for capture in [Capture(path) for path in paths]:
        key = capture.market, capture.venue.name
        market = markets.setdefault(key, Surveyed(capture.venue, [], {}, []))
        market.captures.append(capture)
        _read(capture, market)
    for market in markets.values():
        listed = {line.native: line.pair for line in market.catalogue}
        for native, symbol in market.symbols.items():
            symbol.name = listed.get(native) or unified(market.venue, native)
    return list(markets.values())


def unified(venue: Venue, native: str) -> str:
    """Return the unified name that ``venue`` itself would spell ``native``, or "" for none."""
    for base, quote in _splits(native):
        pair = f"{_MODERN.get(base, base)}/{_MODERN.get(quote, quote)}"
        for name in (pair, f"{pair}:{quote}", f"{pair}:{base}"):
            try:
                if venue.native(name) == native:
                    return name
            except (UnknownInstrument, ValueError):
                continue  # the venue has no spelling for this guess
    return ""


def _splits(native: str) -> Iterator[tuple[str, str]]:
    for separator in "/-_":
        if separator in native:
            base, quote, *_ = native.split(separator)
            yield base, quote
            return
    ends = [(native.removesuffix(quote), quote) for quote in _QUOTES if native.endswith(quote)]
    yield from sorted(ends, key=lambda end: len(end[0]) < 3)  # HNTUSD is HNT/USD, not HN/TUSD


def _read(capture: Capture, market: Surveyed) -> None:
    venue, parse = capture.venue, _LEVELS[capture.venue.level_text]
    for line in capture.lines():
        if line.dir == "out":
            continue
        try:
            events = _events(capture, venue, line.ch, line.url, line.m.encode(), market)
        except DecodeError:
            continue
        for event in events:
            if not isinstance(event, Delta | Snapshot | Quote | Trade):
                continue
            symbol = market.symbols.get(event.symbol)
            if symbol is None:
                symbol = market.symbols[event.symbol] = Symbol(event.symbol)
            _widen(symbol, event, parse)


def _events(
    capture: Capture, venue: Venue, channel: str, url: str, message: bytes, market: Surveyed
) -> Sequence[Event]:
    if channel == "ws":
        return venue.decode(message)
    native = capture.snapshot_symbol(url)
    if native and venue.decode_snapshot is not None:
        return (venue.decode_snapshot(native, message),)
    if venue.decode_catalogue is not None and capture.is_catalogue(url):
        market.catalogue.extend(venue.decode_catalogue(message))
    return ()


class _Pair(msgspec.Struct, array_like=True, gc=False):
    price: msgspec.Raw
    size: msgspec.Raw


class _SidedPair(msgspec.Struct, array_like=True, gc=False):
    side: str
    price: msgspec.Raw
    size: msgspec.Raw


class _Object(msgspec.Struct, gc=False):
    price: msgspec.Raw
    size: msgspec.Raw = msgspec.field(name="qty")


class _SidedObject(msgspec.Struct, gc=False):
    price: msgspec.Raw = msgspec.field(name="price_level")
    size: msgspec.Raw = msgspec.field(name="new_quantity")


_Level = _Pair | _SidedPair | _Object | _SidedObject
_Parse = Callable[[msgspec.Raw], Sequence[_Level]]
_LEVELS: Final[dict[LevelText, _Parse]] = {
    LevelText.PAIRS: msgspec.json.Decoder(list[_Pair]).decode,
    LevelText.SIDED_PAIRS: msgspec.json.Decoder(list[_SidedPair]).decode,
    LevelText.OBJECTS: msgspec.json.Decoder(list[_Object]).decode,
    LevelText.SIDED_OBJECTS: msgspec.json.Decoder(list[_SidedObject]).decode,
}


def _widen(symbol: Symbol, event: Delta | Snapshot | Quote | Trade, parse: _Parse) -> None:
    """Raise the decimals of ``symbol`` to what ``event`` needs; levels that break are left."""
    price, size = symbol.price_decimals, symbol.size_decimals
    if isinstance(event, Delta | Snapshot):
        try:
            levels = [*parse(event.bids), *parse(event.asks)]
        except msgspec.MsgspecError:
            return
        for level in levels:
            price = max(price, _decimals(bytes(level.price)))
            size = max(size, _decimals(bytes(level.size)))
    elif isinstance(event, Trade):
        price = max(price, _decimals(event.price.encode()))
        size = max(size, _decimals(event.size.encode()))
    else:
        price = max(price, _decimals(event.bid.encode()), _decimals(event.ask.encode()))
        size = max(size, _decimals(event.bid_size.encode()), _decimals(event.ask_size.encode()))
    symbol.price_decimals, symbol.size_decimals = price, size


def _decimals(text: bytes) -> int:
    """Return how many decimals ``text`` needs, without trailing zeros; 0 for what is no number."""
    text = text.strip(b'"')
    if b"e" in text or b"E" in text:
        try:
            exponent = Decimal(text.decode()).normalize().as_tuple().exponent
        except (InvalidOperation, UnicodeDecodeError):
            return 0
        return -exponent if isinstance(exponent, int) and exponent < 0 else 0
    return len(text.rpartition(b".")[2].rstrip(b"0")) if b"." in text else 0


def main(paths: Sequence[str]) -> int:
    """Print the survey of ``paths`` as JSON; 2 and one message for what cannot be read."""
    try:
        markets = survey(paths)
    except CaptureInvalid as error:
        sys.stderr.write(f"{error}\n")
        return 2
    found = [
        {"venue": it.venue.name, "market": it.market, "symbols": list(it.symbols.values())}
        for it in markets
    ]
    sys.stdout.write(msgspec.json.encode(found).decode() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
