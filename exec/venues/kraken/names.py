"""Kraken's spellings: BTC/USD, XBTUSD and XXBTZUSD are one pair; XXBT and ZUSD are assets.

Source: shared/venues/kraken.md (Symbols), 2026-11-21.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from exec.gateways.codec import Listing

ASSETS: Final = {
    "XXBT": "BTC", "XBT": "BTC", "XXDG": "DOGE", "XDG": "DOGE",
    **{f"X{name}": name for name in (
        "ETH", "LTC", "XRP", "XLM", "XMR", "ZEC", "ETC", "REP", "MLN")},
    **{f"Z{name}": name for name in ("USD", "EUR", "GBP", "CAD", "JPY", "AUD")},
}
_SHORT: Final = {"BTC": "XBT", "DOGE": "XDG"}


def asset_of(code: str) -> str:
    """Return the asset behind a REST code; "" for what is no spot money: staked, bonded, held."""
    return "" if "." in code else ASSETS.get(code, code)


def altname_of(native: str) -> str:
    """Return the short REST name of a v2 symbol: BTC/USD is XBTUSD."""
    base, _, quote = native.partition("/")
    return _SHORT.get(base, base) + _SHORT.get(quote, quote)


def _spellings(listing: Listing) -> Iterator[str]:
    """Yield every name of a pair: answers say XXBTZUSD or XBTUSD, whatever the request said."""
    yield listing.native
    if listing.code:
        yield listing.code
    base, _, quote = listing.native.partition("/")
    codes = [[name, *(code for code, asset in ASSETS.items() if asset == name)]
             for name in (base, quote)]
    yield from (first + second for first in codes[0] for second in codes[1])


class Pairs:
    """The instruments that are traded, by every name that Kraken gives them."""

    def __init__(self, listings: Sequence[Listing]) -> None:
        self.by_symbol = {each.symbol: each for each in listings}
        self._named = {
            name: each for each in listings for name in _spellings(each)}

    def find(self, name: str) -> Listing | None:
        """Return an instrument by a v2 symbol or a REST name, None if it is none of ours."""
        return self._named.get(name)

    def rest(self, symbol: str) -> str:
        """Return what REST calls a unified symbol."""
        listing = self.by_symbol[symbol]
        return listing.code or altname_of(listing.native)
