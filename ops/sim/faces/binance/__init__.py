"""Binance's markets: spot, Binance.US and USD-M perpetuals.

*public* (streams, depth) is what they share; *auth*, *limits*, *errors*, *params* and
*door* say who may ask what, how much, and in which words it is refused.
"""

from ops.sim.faces.binance.spot import Binance, BinanceUs
from ops.sim.faces.binance.usdm import BinanceUsdm

__all__ = ["Binance", "BinanceUs", "BinanceUsdm"]
