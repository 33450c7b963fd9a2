"""What recordings hold: markets, symbols under their unified names, and the decimals they need.

A quantum is 10**-decimals, and every number must be a whole count of quanta within 64 bits.  So
each number can be read with a range of decimals, and those are taken with which most numbers
can: all of them, with as few decimals as that needs, unless the recording holds absurd ones (an
exponent of twenty digits, a print with 32 decimals, a price beside which the others have no
room).  These do not decide about the rest: they are counted, and whoever replays the recording
judges their frames as garbled, as it would live.
"""

import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

import msgspec

from engine.model.errors import CaptureInvalid, DecodeError, UnknownInstrument
from engine.model.quanta import DECIMALS_MAX, INT64_MAX
from feeds.recorded.capture import Capture
from feeds.venue import Delta, Event, LevelText, Listing, Quote, Snapshot, Trade, Venue

# Quote currencies by which spellings without a separator end, the longer ones first.
_QUOTES: Final = (
    "FDUSD", "USDT", "USDC", "BUSD", "TUSD", "BIDR", "IDRT", "USD", "BTC", "ETH", "BNB", "EUR",
    "GBP", "AUD", "BRL", "TRY", "JPY", "RUB", "UAH", "NGN", "DAI", "TRX", "XRP", "DOGE", "VAI",
)
_MODERN: Final = {"XBT": "BTC", "XDG": "DOGE"}
Decimals = tuple[int, int]  # from, to: those with which a number can be read exactly
Numbers = Counter[Decimals]
NONE: Final[Decimals] = (DECIMALS_MAX + 1, -1)
_DIGITS_MAX: Final = len(str(INT64_MAX))
# as ``feeds/book/numbers.py``: an exponent only without quotes
_NUMBER: Final = re.compile(
    rb'(?P<quote>")?(?P<whole>\d+)(?:\.(?P<fraction>\d+))?'
    rb'(?(quote)"|(?:[eE](?P<exponent>[+-]?\d{1,6}))?)')


class Symbol(msgspec.Struct):
    """One symbol of a recording, and its numbers by the decimals that can read them."""

    native: str
    name: str = ""  # unified; "" where neither a catalogue nor the spelling tells it
    prices: Numbers = msgspec.field(default_factory=Counter)
    sizes: Numbers = msgspec.field(default_factory=Counter)

    @property
    def price_decimals(self) -> int:
        """Return the decimals of its prices, were it alone."""
        return decimals(self.prices)

    @property
    def size_decimals(self) -> int:
        """Return the decimals of its sizes, were it alone."""
        return decimals(self.sizes)


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


def unread(numbers: Numbers, at: int) -> int:
    """Return how many of ``numbers`` cannot be read with ``at`` decimals."""
    return sum(count for (least, most), count in numbers.items() if not least <= at <= most)


def decimals(numbers: Numbers) -> int:
    """Return the decimals with which most of ``numbers`` can be read; of equals the fewest."""
    return min(range(DECIMALS_MAX + 1), key=lambda at: unread(numbers, at))


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
            _tally(symbol, event, parse)


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


def _tally(symbol: Symbol, event: Delta | Snapshot | Quote | Trade, parse: _Parse) -> None:
    """Count the numbers of ``event``; levels that break are left."""
    prices, sizes = symbol.prices, symbol.sizes
    if isinstance(event, Delta | Snapshot):
        try:
            levels = [*parse(event.bids), *parse(event.asks)]
        except msgspec.MsgspecError:
            return
        for level in levels:
            prices[_range(bytes(level.price))] += 1
            sizes[_range(bytes(level.size))] += 1
    elif isinstance(event, Trade):
        prices[_range(event.price.encode())] += 1
        sizes[_range(event.size.encode())] += 1
    else:
        for price in (event.bid, event.ask):
            prices[_range(price.encode())] += 1
        for size in (event.bid_size, event.ask_size):
            sizes[_range(size.encode())] += 1


@lru_cache(1 << 16)
def _range(text: bytes) -> Decimals:
    """Return with how many decimals, from and to, the feed's parser can read ``text``."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        return NONE
    whole, fraction, exponent = match["whole"], match["fraction"] or b"", match["exponent"] or b"0"
    digits = (whole + fraction).rstrip(b"0")
    scale = int(exponent) - len(fraction) + len(whole + fraction) - len(digits)
    if not digits:
        return 0, DECIMALS_MAX
    if len(digits.lstrip(b"0")) > _DIGITS_MAX:
        return NONE
    room = INT64_MAX // int(digits)  # 10 to the power of decimals + scale must not be more
    least, most = max(0, -scale), min(DECIMALS_MAX, len(str(room)) - 1 - scale)
    return (least, most) if room and least <= most else NONE


def main(paths: Sequence[str]) -> int:
    """Print the survey of ``paths`` as JSON; 2 and one message for what cannot be read."""
    try:
        markets = survey(paths)
    except CaptureInvalid as error:
        sys.stderr.write(f"{error}\n")
        return 2
    found = [
        {"venue": it.venue.name, "market": it.market, "symbols": [
            {"native": symbol.native, "name": symbol.name,
             "price_decimals": symbol.price_decimals, "size_decimals": symbol.size_decimals}
            for symbol in it.symbols.values()],
            "files": [str(capture.path) for capture in it.captures]}
        for it in markets
    ]
    sys.stdout.write(msgspec.json.encode(found).decode() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
