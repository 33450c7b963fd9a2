"""Coinbase Advanced Trade as simulated: one idea per file.

``face.Coinbase`` is the door.  *stream*, *user*, *messages*: the WebSocket; *market*, *app*:
public REST; *tokens*, *limits*: who may ask, how often; *entry*, *preview*, *history*, *account*:
private REST; *tickets*, *rows*, *names*, *reasons*: orders in the venue's words.

Decisions, 2026-11-21: a market buy's ``quote_size`` includes its fee, rounded down; two orders of
one user never trade, both shrink (the matching engine's documented default); a GTD order is
cancelled by the face and called EXPIRED; USDC products are books of their own.

Where the page is silent, and this is our reading: self-trade prevention is by account and
decrements; what an IOC or FOK leaves is CANCELLED; the wording of reasons but "User requested
cancel", and of WebSocket errors but "authentication failure"; the rate of new WebSocket connections
is not limited, as its sources disagree.
"""

from ops.sim.faces.coinbase.face import Coinbase

__all__ = ["Coinbase"]
