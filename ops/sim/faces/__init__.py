"""The faces by venue name; adding a venue's protocol touches nothing else."""

from typing import Final

from ops.sim.face import Face
from ops.sim.faces.binance import Binance, BinanceUs, BinanceUsdm
from ops.sim.faces.coinbase import Coinbase
from ops.sim.faces.coinbase_exchange import CoinbaseExchange
from ops.sim.faces.kraken import Kraken
from ops.sim.faces.okx import Okx

FACES: Final[dict[str, type[Face]]] = {
    "binance": Binance,
    "binance-us": BinanceUs,
    "binance-usdm": BinanceUsdm,
    "okx": Okx,
    "okx-us": Okx,
    "kraken": Kraken,
    "coinbase": Coinbase,
    "coinbase-exchange": CoinbaseExchange,
}
