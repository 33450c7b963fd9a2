"""Which codec speaks for an account at which venue, and where its venue takes orders.

Hosts from ``venues/*.md``, read 2026-11-21.
"""

import os
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from engine.config import Account
from engine.model.errors import ConfigInvalid
from exec.gateways.codec import Codec, Listing
from exec.gateways.endpoints import Endpoints
from exec.gateways.keys import ApiKey
from exec.signing.binance import BinanceSigner
from exec.signing.coinbase import CoinbaseSigner
from exec.signing.kraken import KrakenSigner
from exec.signing.okx import OkxSigner
from exec.venues.binance.spot import BinanceSpot
from exec.venues.binance.usdm import BinanceUsdm
from exec.venues.coinbase.codec import CoinbaseCodec
from exec.venues.kraken.codec import KrakenCodec
from exec.venues.kraken.nonces import Nonces
from exec.venues.okx.codec import OkxCodec

_TOKEN_BYTES: Final = 16
Make = Callable[[str, ApiKey, Sequence[Listing], Path], Codec]

HOSTS: Final = {
    "binance": Endpoints("wss://ws-api.binance.com:443", "wss://ws-api.binance.com:443",
                         "https://api.binance.com"),
    "binance-usdm": Endpoints("wss://ws-fapi.binance.com", "wss://fstream.binance.com",
                              "https://fapi.binance.com"),
    "okx": Endpoints("wss://ws.okx.com:8443", "wss://ws.okx.com:8443", "https://openapi.okx.com"),
    "kraken": Endpoints("wss://ws-auth.kraken.com", "wss://ws-auth.kraken.com",
                        "https://api.kraken.com"),
    "coinbase": Endpoints("wss://advanced-trade-ws-user.coinbase.com",
                          "wss://advanced-trade-ws-user.coinbase.com",
                          "https://api.coinbase.com"),
}


def _spot(venue: str, key: ApiKey, listings: Sequence[Listing], _: Path) -> Codec:
    return BinanceSpot(venue, BinanceSigner(key.key, key.secret), listings)


def _usdm(venue: str, key: ApiKey, listings: Sequence[Listing], _: Path) -> Codec:
    return BinanceUsdm(venue, BinanceSigner(key.key, key.secret), listings)


def _okx(venue: str, key: ApiKey, listings: Sequence[Listing], _: Path) -> Codec:
    return OkxCodec(OkxSigner(key.key, key.secret, key.passphrase), listings, venue=venue)


def _kraken(venue: str, key: ApiKey, listings: Sequence[Listing], folder: Path) -> Codec:
    kept = folder / f"{venue}-{key.fingerprint}.nonce"

    def reserved() -> int:
        text = kept.read_text() if kept.exists() else ""
        return int(text) if text.isdecimal() else 0  # emptied by a loss of power: the clock is on

    def keep(upto: int) -> None:
        new = kept.with_suffix(f".{os.getpid()}")  # the guard may reserve as well
        new.write_text(str(max(upto, reserved())))
        new.rename(kept)

    return KrakenCodec(
        venue, listings, KrakenSigner(key.key, key.secret), Nonces(reserved(), keep))


def _coinbase(_venue: str, key: ApiKey, listings: Sequence[Listing], _: Path) -> Codec:
    return CoinbaseCodec(
        CoinbaseSigner(key.key, key.secret), listings, lambda: secrets.token_hex(_TOKEN_BYTES))


_MAKERS: Final[dict[str, Make]] = {
    "binance": _spot, "binance-usdm": _usdm, "okx": _okx, "kraken": _kraken,
    "coinbase": _coinbase,
}


def codec_of(venue: str, key: ApiKey, listings: Sequence[Listing], folder: Path) -> Codec:
    """Return a venue's codec for one account; ``folder`` keeps what must outlive us.

    Raises KeyInvalid for a key that cannot sign there, ConfigInvalid for a venue without one.
    """
    make = _MAKERS.get(venue)
    if make is None:
        raise ConfigInvalid(f"no order can go to {venue}; right would be one of"
                            f" {', '.join(_MAKERS)}")
    return make(venue, key, listings, folder)


def endpoints_of(venue: str, account: Account | None) -> Endpoints:
    """Return where a venue takes orders: its own hosts, or those that the config names."""
    hosts = HOSTS[venue]
    if account is None:
        return hosts
    return Endpoints(
        account.orders_url or hosts.orders_url, account.user_url or hosts.user_url,
        account.rest_url or hosts.rest_url)
