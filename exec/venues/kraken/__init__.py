"""Kraken spot: orders, executions and balances over WebSocket v2, everything else by signed REST.

    codec ─┬▶ entry ──────▶ rest, tokens      what leaves: orders, cancels, subscriptions
           ├▶ executions ─▶ known             the private stream
           ├▶ inquiries ──▶ known             what became of one order
           └▶ surveys ────▶ known             open orders, trades, balances
    names, numbers, wire, refusals            how things are spelled, and what refusals prove

Source: shared/venues/kraken.md, 2026-11-21.  Client order ids go as they are: 18 free ASCII letters
are allowed.  REST requests carry rising nonces: whoever sends them keeps their order, one at a
time.
"""

from exec.venues.kraken.codec import KrakenCodec
from exec.venues.kraken.nonces import Nonces

__all__ = ["KrakenCodec", "Nonces"]
