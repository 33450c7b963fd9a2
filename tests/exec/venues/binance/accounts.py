"""Codecs, instruments and orders that the tests of Binance share."""

from typing import Any

from exec.gateways.codec import Answer, Listing
from exec.records import Intended, Tif
from exec.signing.binance import BinanceSigner
from exec.venues.binance import BinanceSpot, BinanceUsdm

NS, MS_NS = 10**9, 10**6
NOW_NS = 1_760_000_123_456 * MS_NS
BTC = Listing("BTC/USDT", "BTCUSDT", "BTC", "USDT", "", 2, 5)
ETH = Listing("ETH/BTC", "ETHBTC", "ETH", "BTC", "", 5, 4)
PERP = Listing("BTC/USDT:USDT", "BTCUSDT", "BTC", "USDT", "USDT", 1, 4)
SIGNER = BinanceSigner("key", "secret")


def spot(signer: BinanceSigner = SIGNER, **more: Any) -> BinanceSpot:
    """Return a codec of Binance spot."""
    return BinanceSpot("binance", signer, [BTC, ETH], **more)


def usdm(signer: BinanceSigner = SIGNER, **more: Any) -> BinanceUsdm:
    """Return a codec of USD-M."""
    return BinanceUsdm("binance-usdm", signer, [PERP], **more)


def intended(
    client_id: str = "t1x1", symbol: str = "BTC/USDT", side: int = 1, price: int = 6_123_450,
    size: int = 1_250, tif: int = Tif.GTC, *, post_only: bool = False, reduce_only: bool = False,
    deadline_ns: int = NOW_NS + 10 * NS,
) -> Intended:
    """Return an order: 0.0125 BTC at 61234.5 unless told otherwise."""
    return Intended(1, 1, 0, "binance", symbol, side, price, size, tif, post_only, reduce_only,
                    client_id, 1, deadline_ns, "enter")


def ok(body: bytes, **headers: str) -> Answer:
    """Return a successful REST answer."""
    return Answer(200, headers, body)


def refused(status: int, code: int, msg: str = "no", headers: dict[str, str] | None = None
            ) -> Answer:
    """Return an error as REST tells it."""
    return Answer(status, headers or {}, b'{"code":%d,"msg":"%s"}' % (code, msg.encode()))
