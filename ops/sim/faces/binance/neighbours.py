"""What stands beside /api/v3 on Binance's host: wallet, margin, and COIN-M next door.

Clients that list everything, ccxt for one, ask here first.  There is no margin and no COIN-M, so
those list nothing.  Shapes after ccxt 4.5.90, binance.py (fetch_currencies, fetch_markets); they
are not in shared/venues/binance.md.
"""

from typing import Final

from engine.model.quanta import from_quanta, plain
from ops.sim.faces.binance.door import Ask, Route, Security
from ops.sim.floor import Floor
from ops.sim.rules import MONEY_DECIMALS

FIAT: Final = ("EUR", "GBP", "USD")


class Neighbours:
    """Answers for the venue as a whole."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    def routes(self) -> dict[str, Route]:
        """Return the routes by "METHOD path"."""
        return {
            "GET /sapi/v1/capital/config/getall": Route(self._coins, 10, Security.SIGNED),
            "GET /sapi/v1/margin/allPairs": Route(self._nothing, 1, Security.KEY),
            "GET /sapi/v1/margin/isolated/allPairs": Route(self._nothing, 10, Security.SIGNED),
            "GET /dapi/v1/exchangeInfo": Route(self._coin_margined),
        }

    def _coins(self, ask: Ask) -> object:
        """Return every asset, with what the account has of it."""
        return [{
            "coin": asset, "depositAllEnable": True, "withdrawAllEnable": True, "name": asset,
            "free": plain(from_quanta(free, MONEY_DECIMALS)),
            "locked": plain(from_quanta(locked, MONEY_DECIMALS)), "freeze": "0",
            "withdrawing": "0", "ipoing": "0", "ipoable": "0", "storage": "0",
            "isLegalMoney": asset in FIAT, "trading": True, "networkList": [],
        } for asset, (free, locked) in self._floor.exchange.balances(ask.account).items()]

    def _nothing(self, _ask: Ask) -> object:
        return []

    def _coin_margined(self, ask: Ask) -> object:
        return {"timezone": "UTC", "serverTime": self._floor.now_ns() // ask.unit,
                "rateLimits": [], "exchangeFilters": [], "symbols": []}
