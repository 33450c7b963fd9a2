"""Binance.US spot: the protocol of Binance.com at other hosts, with other books and limits.

Facts from ``venues/binance.md``, read 2026-11-21; the venue's text is of 2023-09-06, so limits
and fees here are older and less certain than those of .com.
"""

from typing import Final

from msgspec.structs import replace

from feeds.venue import KeepAlive
from feeds.venues import binance

VENUE: Final = replace(
    binance.VENUE,
    name="binance-us",
    market="binanceus.spot",
    ws_url="wss://stream.binance.us:9443/stream",
    rest_url="https://api.binance.us",
    # the same rate of snapshots: weight 10 each of 1200 a minute
    keep_alive=KeepAlive(silence_max_s=60.0),  # the venue pings every 3 minutes: we ping too
    taker_fee_ppm=1_000,  # ccxt's table; it changed repeatedly: name yours in the config
    maker_fee_ppm=1_000,
)
