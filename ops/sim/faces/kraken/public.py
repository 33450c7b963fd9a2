"""REST below /0/public: time, status, catalogue and market data, result maps keyed by pair key.

Source: shared/venues/kraken.md, 2026-11-21.  Depth prints sizes in full (Kraken rounds them to
three decimals), so that a client's book equals the truth.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from ops.sim.book import ASK, BID
from ops.sim.day import DEALS_MAX
from ops.sim.face import Query, count, iso
from ops.sim.faces.kraken import catalogue, names
from ops.sim.faces.kraken.account import seconds
from ops.sim.faces.kraken.answers import UNKNOWN_METHOD, UNKNOWN_PAIR, Declined, invalid
from ops.sim.faces.kraken.finder import Finder
from ops.sim.faces.kraken.instruments import Instrument, long_price
from ops.sim.faces.kraken.tape import Tape
from ops.sim.floor import Floor

PREFIX: Final = "/0/public/"
DEPTH_MAX: Final = 500


class Public:
    """Answers unsigned requests."""

    def __init__(self, floor: Floor, finder: Finder, tapes: Mapping[str, Tape]) -> None:
        self._floor, self._finder, self._tapes = floor, finder, tapes
        self._methods: dict[str, Callable[[Query], Any]] = {
            "Time": self._time, "SystemStatus": self._status, "Assets": self._assets,
            "AssetPairs": self._pairs, "Depth": self._depth, "Trades": self._trades,
            "Ticker": self._ticker, "Spread": self._spread,
        }

    def answer(self, path: str, query: Query) -> Any:
        """Return the ``result`` of a request; raise Declined."""
        method = self._methods.get(path.removeprefix(PREFIX))
        if method is None:
            raise Declined(UNKNOWN_METHOD)
        return method(query)

    def _time(self, _query: Query) -> dict[str, Any]:
        now_s = self._floor.now_ns() // 10**9
        return {"unixtime": now_s,
                "rfc1123": f"{datetime.fromtimestamp(now_s, UTC):%a, %d %b %y %H:%M:%S} +0000"}

    def _status(self, _query: Query) -> dict[str, str]:
        return {"status": "online", "timestamp": iso(self._floor.now_ns())[:19] + "Z"}

    def _assets(self, query: Query) -> dict[str, Any]:
        known = self._floor.exchange.assets
        asked = [names.asset_of(name) for name in query.get("asset", "").split(",") if name]
        if any(name not in known for name in asked):
            raise Declined("EQuery:Unknown asset")
        return {names.code(name): catalogue.asset_row(name)
                for name in sorted(known) if not asked or name in asked}

    def _pairs(self, query: Query) -> dict[str, Any]:
        return {each.key: catalogue.pair_row(each) for each in self._several(query)}

    def _depth(self, query: Query) -> dict[str, Any]:
        each = self._one(query)
        depth = count(query.get("count"), default=100, most=DEPTH_MAX)
        if depth is None:
            raise invalid("count")
        line, now_s = each.line, self._floor.now_ns() // 10**9
        return {each.key: {
            name: [[_long(each, price), line.size(size), now_s]
                   for price, size in line.book.top(side, depth)]
            for name, side in (("asks", ASK), ("bids", BID))}}

    def _trades(self, query: Query) -> dict[str, Any]:
        """Return trades after ``since`` (ns, or seconds), oldest first; ``last`` goes on there."""
        each = self._one(query)
        most = count(query.get("count"), default=DEALS_MAX, most=DEALS_MAX)
        since = query.get("since", "0") or "0"
        if most is None or not (since.isascii() and since.isdigit() and len(since) <= 19):
            raise invalid("count" if most is None else "since")
        since_ns = int(since) * (10**9 if len(since) <= 10 else 1)
        day, line = self._tapes[each.native].day, each.line
        deals = day.latest(DEALS_MAX, lambda deal: deal.unix_ns > since_ns)
        chosen = deals[:most] if since_ns else deals[-most:]
        rows = [[_long(each, deal.price), line.size(deal.size), seconds(deal.unix_ns),
                 "b" if deal.taker_buys else "s", "m", "", deal.trade_id] for deal in chosen]
        last_ns = chosen[-1].unix_ns if chosen else since_ns or self._floor.now_ns()
        return {each.key: rows, "last": str(last_ns)}

    def _ticker(self, query: Query) -> dict[str, Any]:
        return {each.key: self._ticker_row(each) for each in self._several(query)}

    def _ticker_row(self, each: Instrument) -> dict[str, Any]:
        line, day = each.line, self._tapes[each.native].summary()
        touch, unit = line.book.touch(), int(10**line.size_decimals)

        def quote(price: int, size: int) -> list[str]:
            whole = size // unit
            return [_long(each, price), str(whole), f"{whole}.000"]

        return {
            "a": quote(touch.ask, touch.ask_size), "b": quote(touch.bid, touch.bid_size),
            "c": day.last, "v": day.volume, "p": day.average, "t": day.trades, "l": day.low,
            "h": day.high, "o": day.open,
        }

    def _spread(self, query: Query) -> dict[str, Any]:
        each, since = self._one(query), query.get("since", "0") or "0"
        if not (since.isascii() and since.isdigit() and len(since) <= 12):
            raise invalid("since")
        rows = [[at_ns // 10**9, _long(each, bid), _long(each, ask)]
                for at_ns, bid, ask in self._tapes[each.native].spreads
                if at_ns // 10**9 >= int(since)]
        return {each.key: rows, "last": self._floor.now_ns() // 10**9}

    # --- pairs ---------------------------------------------------------------------------------

    def _several(self, query: Query) -> list[Instrument]:
        """Return the pairs asked for, all of them by default."""
        asked = [name for name in query.get("pair", "").split(",") if name]
        if not asked:
            return list(self._finder.instruments.values())
        return [self._finder.pair(name) for name in asked]

    def _one(self, query: Query) -> Instrument:
        found = self._several(query)
        if "pair" not in query or len(found) != 1:
            raise Declined(UNKNOWN_PAIR if query.get("pair") else "EGeneral:Invalid arguments")
        return found[0]


def _long(each: Instrument, price: int) -> str:
    return long_price(each.line, price)
