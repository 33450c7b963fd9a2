"""Kraken's spellings.  Source: shared/venues/kraken.md, 2026-11-21.

BTC/USD in WebSocket v2 is XBT/USD in v1, XXBTZUSD as the key of a REST result and XBTUSD as its
altname; REST calls the assets XXBT and ZUSD.  Which assets carry the old letters: the sheet's
examples and, for the others, the venue's well-known list (not verified).
"""

from typing import Final

OLD: Final = {"BTC": "XBT", "DOGE": "XDG"}  # REST and v1; v2 says BTC and DOGE
_X: Final = frozenset(
    {"BTC", "ETH", "XRP", "LTC", "DOGE", "ETC", "XLM", "MLN", "REP", "XMR", "ZEC"})
_Z: Final = frozenset({"USD", "EUR", "GBP", "CAD", "JPY"})


def asset(code: str) -> str:
    """Return an asset's REST name: XXBT, ZUSD, SOL."""
    letter = "X" if code in _X else "Z" if code in _Z else ""
    return letter + OLD.get(code, code)


def altname(base: str, quote: str) -> str:
    """Return a pair's short REST name: XBTUSD."""
    return OLD.get(base, base) + OLD.get(quote, quote)


def key(base: str, quote: str) -> str:
    """Return the name of a pair in REST results: XXBTZUSD, but SOLUSD, XBTUSDT and XDGUSD."""
    both_old = base in _X - {"DOGE"} and quote in _X | _Z
    return asset(base) + asset(quote) if both_old else altname(base, quote)


def streamed(base: str, quote: str) -> str:
    """Return a pair's v1 name, which AssetPairs calls wsname: XBT/USD."""
    return f"{OLD.get(base, base)}/{OLD.get(quote, quote)}"
