"""Binance spot and Binance.US.  Source: shared/venues/binance.md, 2026-11-21."""

from ops.sim.faces.binance.public import PublicFace


class Binance(PublicFace):
    """Binance spot."""


class BinanceUs(Binance):
    """Binance.US: the same protocol, slower pings."""

    ping_every_s = 180.0
