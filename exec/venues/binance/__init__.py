"""Binance's private protocols: spot, and USD-M perpetuals.

    order ─ entry ─▶ wire (signs) ─▶ Request        text ─ rows ─▶ market ─▶ reports, requests

*wire* signs and writes requests; *entry* has a prepared text per instrument for orders; *rows* is
what the venue writes; *numbers* reads its decimals; *refusals* says what an error proves;
*budget* reads its limits; *questions* are requests that remember why they were asked; *market* is
what both protocols share, *spot* and *usdm* are where they differ.

Client order ids of ours (18 letters and digits) are accepted as they are: [A-Za-z0-9_-]{1,36}.
Trades are named by the venue's trade id, one per symbol, and our side of it (56b, 56s): both sides
of a self-trade share the id, and USD-M prevents no self-trade of a FOK order.
Spot's FULL answer does not say who made a fill: it is named a taker's, as such fills happened when
the order came in.  Where the stream or a query tells of the trade first, theirs is the word.
Source: shared/venues/binance.md, 2026-11-21; USD-M: developers.binance.com/docs/derivatives/
usds-margined-futures as quoted in ops/sim/faces/binance, 2026-11-21.
"""

from exec.venues.binance.spot import BinanceSpot
from exec.venues.binance.usdm import BinanceUsdm

__all__ = ["BinanceSpot", "BinanceUsdm"]
