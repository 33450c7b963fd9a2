"""Kraken's spellings: BTC/USD, XBT/USD, XBTUSD and XXBTZUSD are one market.

Old assets carry an X (coins) or a Z (money) in REST; pairs listed in the old days join those
codes, newer ones join the short names.  Source: shared/venues/kraken.md, 2026-11-21, and the
AssetPairs answers it quotes.
"""

from typing import Final

SHORT: Final = {"BTC": "XBT", "DOGE": "XDG"}  # REST and v1; v2 says BTC and DOGE
CODES: Final = {
    "BTC": "XXBT", "DOGE": "XXDG", "ETH": "XETH", "LTC": "XLTC", "XRP": "XXRP", "XLM": "XXLM",
    "XMR": "XXMR", "ZEC": "XZEC", "ETC": "XETC", "REP": "XREP", "MLN": "XMLN",
    "USD": "ZUSD", "EUR": "ZEUR", "GBP": "ZGBP", "CAD": "ZCAD", "JPY": "ZJPY", "AUD": "ZAUD",
}
_OLD_QUOTES: Final = {
    "BTC": "USD EUR GBP CAD JPY", "ETH": "USD EUR GBP CAD JPY BTC", "LTC": "USD EUR BTC",
    "XRP": "USD EUR CAD JPY BTC", "XLM": "USD EUR GBP AUD BTC", "XMR": "USD EUR BTC",
    "ZEC": "USD EUR BTC", "ETC": "USD EUR BTC ETH", "REP": "USD EUR BTC ETH",
    "MLN": "USD EUR BTC ETH", "DOGE": "BTC", "EUR": "USD", "GBP": "USD", "USDT": "USD",
    "USD": "CAD JPY",
}
MONEY: Final = frozenset({"USD", "EUR", "GBP", "CAD", "JPY", "AUD"})


def code(asset: str) -> str:
    """Return an asset's name in REST: XXBT, ZUSD, USDT."""
    return CODES.get(asset, asset)


def short(asset: str) -> str:
    """Return an asset's altname: XBT, USD, USDT."""
    return SHORT.get(asset, asset)


def asset_of(name: str) -> str | None:
    """Return the unified asset behind any of its names, None for an empty one."""
    for unified, old in CODES.items():
        if name in (old, SHORT.get(unified, unified)):
            return unified
    return name or None


def altname(base: str, quote: str) -> str:
    """Return a pair's short REST name: XBTUSD."""
    return short(base) + short(quote)


def key(base: str, quote: str) -> str:
    """Return the name under which REST answers: XXBTZUSD, XDGUSD, USDTZUSD, SOLUSD."""
    if quote in _OLD_QUOTES.get(base, "").split():
        return code(base) + code(quote)
    return altname(base, quote)
