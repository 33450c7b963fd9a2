"""The shelf of adapters: one value per venue, no socket, no loop, no clock.

A new venue is one module, one import here and one line below.
"""

from typing import Final

from msgspec.structs import replace

from engine.model.errors import CaptureInvalid, ConfigInvalid
from feeds.venue import Venue
from feeds.venues import (
    binance,
    binance_us,
    binance_usdm,
    coinbase,
    coinbase_exchange,
    kraken,
    kraken_v1,
    okx,
    okx_us,
)

VENUES: Final[dict[str, Venue]] = {venue.name: venue for venue in (
    binance.VENUE,
    binance_us.VENUE,
    binance_usdm.VENUE,
    coinbase.VENUE,
    coinbase_exchange.VENUE,
    kraken.VENUE,
    okx.VENUE,
    okx_us.VENUE,
)}

# Recordings outlive protocols: what only replay reads, before the venues of today.
READERS: Final[tuple[Venue, ...]] = (
    replace(binance.VENUE, market="binancetr.spot"),
    kraken_v1.VENUE,
    replace(okx.VENUE, market="okx.mixed"),
    *VENUES.values(),
)


def venue_of(name: str) -> Venue:
    """Return the venue of a config key; raise ConfigInvalid with all known names."""
    if name not in VENUES:
        raise ConfigInvalid(f"unknown venue {name!r}; known are {', '.join(sorted(VENUES))}")
    return VENUES[name]


def reader_of(market: str, url: str) -> Venue:
    """Return what decodes frames of a recorded ``url`` of ``market`` ("binance.spot").

    Raises CaptureInvalid when nothing here speaks that market or that protocol.
    """
    for reader in READERS:
        if reader.market == market and reader.reads(url):
            return reader
    known = sorted({reader.market for reader in READERS})
    if market in known:
        raise CaptureInvalid(f"{market}: no adapter reads the protocol at {url}")
    raise CaptureInvalid(f"unknown market {market!r} in the name; known are {', '.join(known)}")
