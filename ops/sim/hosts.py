"""The names by which clients of the real venues know the hosts that each simulated venue plays.

The certificate carries them, so that a client which keeps the venue's own urls needs nothing but
another address for the name and our authority: ``tests/clients`` connects like that.
Source: the endpoints tables of shared/venues/*.md, 2026-11-21.
"""

from typing import Final

REST: Final = {
    "binance": ("api.binance.com", "dapi.binance.com", "data-api.binance.vision"),
    "binance-us": ("api.binance.us",),
    "binance-usdm": ("fapi.binance.com",),
    "okx": ("www.okx.com",),
    "okx-us": ("us.okx.com",),
    "kraken": ("api.kraken.com",),
    "coinbase": ("api.coinbase.com",),
    "coinbase-exchange": ("api.exchange.coinbase.com",),
}
STREAM: Final = {
    "binance": ("stream.binance.com", "data-stream.binance.vision", "ws-api.binance.com"),
    "binance-us": ("stream.binance.us", "ws-api.binance.us"),
    "binance-usdm": ("fstream.binance.com", "ws-fapi.binance.com"),
    "okx": ("ws.okx.com",),
    "okx-us": ("wsus.okx.com",),
    "kraken": ("ws.kraken.com", "ws-auth.kraken.com"),
    "coinbase": ("advanced-trade-ws.coinbase.com", "advanced-trade-ws-user.coinbase.com"),
    "coinbase-exchange": ("ws-feed.exchange.coinbase.com",),
}
