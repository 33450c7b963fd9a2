"""Kraken's public REST below /0/public.  Source: shared/venues/kraken.md, 2026-11-21.

Results are keyed by the long name of a pair, whatever spelling it was asked by; errors come with
status 200.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ops.sim.book import ASK, BID
from ops.sim.day import Day, average
from ops.sim.face import Answer, Query, count, to_json
from ops.sim.faces import kraken_names
from ops.sim.listing import Line

NS: Final = 1_000_000_000
BY_PAIR: Final = ("AssetPairs", "Ticker", "Depth", "Trades")
FEES_PERCENT: Final = {"fees": [[0, 0.4], [10000, 0.35]], "fees_maker": [[0, 0.25], [10000, 0.2]]}


class KrakenRest:
    """Answers from lines and days."""

    def __init__(self, lines: Sequence[Line], days: Mapping[str, Day]) -> None:
        self._days = days
        self._lines = {key_of(line): line for line in lines}
        self._by_name: dict[str, Line] = {}
        for key, line in self._lines.items():
            base, quote = line.pair.base, line.pair.quote
            names = (key, kraken_names.altname(base, quote), kraken_names.streamed(base, quote))
            self._by_name |= {name.replace("/", ""): line for name in (*names, line.native)}

    def answer(self, verb: str, query: Query, unix_ns: int, now_iso: str) -> Answer:
        """Serve Time, SystemStatus, Assets, AssetPairs, Ticker, Depth and Trades."""
        if verb == "Time":
            return result({"unixtime": unix_ns // NS, "rfc1123": ""})
        if verb == "SystemStatus":
            return result({"status": "online", "timestamp": now_iso[:19] + "Z"})
        if verb == "Assets":
            return result(self._assets())
        if verb not in BY_PAIR:
            return refused("EGeneral:Unknown method")
        names = [name for name in query.get("pair", "").split(",") if name]
        found = [self._by_name.get(name.replace("/", "")) for name in names]
        lines = [line for line in found if line is not None]
        if len(lines) < len(names) or (verb in ("Depth", "Trades") and len(lines) != 1):
            return refused("EQuery:Unknown asset pair")
        if verb == "Depth":
            return self._depth(lines[0], query, unix_ns)
        if verb == "Trades":
            return self._trades(lines[0], query)
        row = self._listing if verb == "AssetPairs" else self.ticker
        wanted = lines or list(self._lines.values())
        return result({key_of(line): row(line, unix_ns) for line in wanted})

    def _assets(self) -> dict[str, Any]:
        pairs = [line.pair for line in self._lines.values()]
        codes = {code for pair in pairs for code in (pair.base, pair.quote)}
        return {kraken_names.asset(code): {
            "aclass": "currency", "altname": kraken_names.OLD.get(code, code),
            "decimals": 10 if code != "USD" else 4, "display_decimals": 5 if code != "USD" else 2,
            "status": "enabled",
        } for code in sorted(codes)}

    def _listing(self, line: Line, _unix_ns: int) -> dict[str, Any]:
        base, quote = line.pair.base, line.pair.quote
        return {
            "altname": kraken_names.altname(base, quote),
            "wsname": kraken_names.streamed(base, quote), "aclass_base": "currency",
            "base": kraken_names.asset(base), "aclass_quote": "currency",
            "quote": kraken_names.asset(quote), "lot": "unit", "cost_decimals": 5,
            "pair_decimals": line.tick_decimals, "lot_decimals": line.lot_decimals,
            "lot_multiplier": 1, "leverage_buy": [], "leverage_sell": [], **FEES_PERCENT,
            "fee_volume_currency": "ZUSD", "margin_call": 80, "margin_stop": 40,
            "ordermin": line.lot, "costmin": "0.5", "tick_size": line.tick, "status": "online",
        }

    def ticker(self, line: Line, unix_ns: int) -> dict[str, Any]:
        """Return a line's row of Ticker."""
        touch, day = line.book.touch(), self._days[line.native]
        of_day, deal = day.figures(unix_ns), day.last()
        last, volume = line.price(of_day.last), line.size(of_day.volume)
        mean = line.price(average(of_day))
        whole = 10**line.size_decimals
        return {
            "a": [line.price(touch.ask), str(touch.ask_size // whole), line.size(touch.ask_size)],
            "b": [line.price(touch.bid), str(touch.bid_size // whole), line.size(touch.bid_size)],
            "c": [last, line.size(deal.size if deal else 0)], "v": [volume, volume],
            "p": [mean, mean], "t": [of_day.trades, of_day.trades],
            "l": [line.price(of_day.low)] * 2, "h": [line.price(of_day.high)] * 2,
            "o": line.price(of_day.open),
        }

    def _depth(self, line: Line, query: Query, unix_ns: int) -> Answer:
        depth = count(query.get("count"), default=100, most=500)
        if depth is None:
            return refused("EGeneral:Invalid arguments:count")
        return result({key_of(line): {
            name: [[line.price(price), line.size(size), unix_ns // NS]
                   for price, size in line.book.top(side, depth)]
            for name, side in (("asks", ASK), ("bids", BID))
        }})

    def _trades(self, line: Line, query: Query) -> Answer:
        """Answer the newest, or those after ``since`` (seconds or ns), oldest first."""
        limit, since = count(query.get("count"), default=1000, most=1000), query.get("since", "0")
        if limit is None or not since.replace(".", "", 1).isdigit():
            return refused("EGeneral:Invalid arguments")
        after_ns = int(float(since) * NS) if len(since.partition(".")[0]) < 15 else int(since)
        deals = self._days[line.native].latest(limit, lambda deal: deal.unix_ns > after_ns)
        rows = [[line.price(deal.price), line.size(deal.size), deal.unix_ns / NS,
                 "b" if deal.taker_buys else "s", "m", "", deal.trade_id] for deal in deals]
        last = deals[-1].unix_ns if deals else after_ns
        return result({key_of(line): rows, "last": str(last)})


def key_of(line: Line) -> str:
    """Return the key of a line's results."""
    return kraken_names.key(line.pair.base, line.pair.quote)


def result(value: object) -> Answer:
    """Make a good answer."""
    return to_json({"error": [], "result": value})


def refused(text: str) -> Answer:
    """Make an error of it."""
    return to_json({"error": [text]})
