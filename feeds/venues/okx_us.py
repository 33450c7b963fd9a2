"""OKX US spot: the protocol of OKX at other hosts, with other books, among them ``-USD`` ones.

Facts from ``venues/okx.md``, read 2026-11-21.
"""

from typing import Final

from msgspec.structs import replace

from feeds.venues import okx

VENUE: Final = replace(
    okx.VENUE,
    name="okx-us",
    market="okxus.spot",
    ws_url="wss://wsus.okx.com:8443/ws/v5/public",
    rest_url="https://us.okx.com",
    taker_fee_ppm=5_000,  # schedule not verified: high on purpose, so that no cross is invented;
    maker_fee_ppm=5_000,  # name your own in the config
)
