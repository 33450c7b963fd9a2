"""The names of the markets that adapters exist for, and what each one trades.

The config may not import the adapters; a test holds these names against their registry.
"""

from collections.abc import Mapping
from typing import Final

from engine.model.instrument import Kind

VENUES: Final[Mapping[str, tuple[Kind, ...]]] = {
    "binance": (Kind.SPOT,),
    "binance-us": (Kind.SPOT,),
    "binance-usdm": (Kind.PERPETUAL,),
    "okx": (Kind.SPOT,),
    "okx-us": (Kind.SPOT,),
    "kraken": (Kind.SPOT,),
    "coinbase": (Kind.SPOT,),
    "coinbase-exchange": (Kind.SPOT,),
}
TRADED: Final = ("binance", "binance-usdm", "okx", "kraken", "coinbase")  # orders can go there
