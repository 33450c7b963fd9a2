"""Binance USD-M perpetuals.  Source: shared/venues/binance.md, 2026-11-21."""

from ops.sim.faces.binance.public import PublicFace


class BinanceUsdm(PublicFace):
    """Their own REST root, linked diffs, 10 requests a second.

    The old root serves books and prints alike; ``/public`` and ``/market`` only their own.
    """

    ping_every_s = 180.0
    requests_per_s = 10
    perpetual = True
    prefix = "/fapi/v1"
    depth_max = 1000
