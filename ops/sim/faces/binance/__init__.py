"""Binance's markets: spot, Binance.US and USD-M perpetuals.

*public* (streams, depth) is what they share; *auth*, *limits*, *errors*, *params* and
*door* say who may ask what, how much, and in which words it is refused.

Where the page is silent, and this is our reading: -4056 for a logon with an HMAC key, -1020 for an
unknown method, -2015 for subscribing before a logon, -1016 during maintenance, the body of 410; the
signature is checked before the timestamp; a ban comes with the eleventh request after a 429.
USD-M: a halt is SETTLING with -1122, a reduce-only order larger than its position is refused
(-2022), ``breakEvenPrice`` is the entry and the taker's fee.
"""

from ops.sim.faces.binance.spot import Binance, BinanceUs
from ops.sim.faces.binance.usdm import BinanceUsdm

__all__ = ["Binance", "BinanceUs", "BinanceUsdm"]
