"""OKX's public REST: time, status, instruments, books, tickers, trades and funding below /api/v5.

Source: shared/venues/okx.md, 2026-11-21; status and paging as in the documentation.
"""

from typing import Final

import orjson

from engine.model.fault import Fault, Kind
from ops.sim.book import ASK, BID
from ops.sim.day import Deal
from ops.sim.face import Answer, Query, count, to_json
from ops.sim.faces.okx.catalogue import KINDS, Catalogue
from ops.sim.faces.okx.errors import answer, failure, refusal_of, wrong
from ops.sim.faces.okx.funding import Funding
from ops.sim.faces.okx.market import Market, levels
from ops.sim.faces.okx.window import DEPTH
from ops.sim.floor import Floor
from ops.sim.listing import Line

ROOT: Final = "/api/v5/"
FULL_DEPTH: Final = 5000
AHEAD_NS: Final = 60_000_000_000  # maintenance is told of so long before
PATHS: Final = {
    "public/time", "public/instruments", "system/status", "market/tickers", "market/ticker",
    "market/books", "market/books-full", "market/trades", "market/history-trades",
    "public/funding-rate", "public/funding-rate-history",
}


class PublicRest:
    """Answers that need no key."""

    def __init__(
        self, lines: dict[str, Line], floor: Floor, market: Market, catalogue: Catalogue,
        funding: Funding,
    ) -> None:
        self._lines, self._floor = lines, floor
        self._market, self._catalogue, self._funding = market, catalogue, funding
        self._seen_ms: tuple[int, int] = (0, 0)  # begin of what maintenance, and when we saw it

    def answer(self, verb: str, query: Query) -> Answer:
        """Answer one request; ``verb`` is the path below /api/v5/."""
        if verb == "public/time":
            return answer([{"ts": str(self._now_ms())}])
        if verb == "public/instruments":
            return self._catalogue.rows(query)
        if verb == "system/status":
            return self._status(query.get("state"))
        if verb in ("public/funding-rate", "public/funding-rate-history"):
            return self._funding.answer(query, history=verb.endswith("history"))
        if verb == "market/tickers":
            return self._tickers(query)
        if verb not in PATHS:
            return to_json({"msg": "Invalid URL", "code": "404", "data": []}, 404)
        if (line := self._lines.get(query.get("instId", ""))) is None:
            return refusal_of(failure("51001"))
        if verb == "market/ticker":
            return answer([self._market.ticker_row(line)])
        if verb == "market/trades":
            return self._deals(line, query, most=500)
        if verb == "market/history-trades":
            return self._deals(line, query, most=100)
        return self._book(line, query, full=verb == "market/books-full")

    def _now_ms(self) -> int:
        return self._floor.now_ns() // 1_000_000

    def _book(self, line: Line, query: Query, *, full: bool) -> Answer:
        size = count(query.get("sz"), default=1, most=FULL_DEPTH if full else DEPTH)
        if size is None:
            return refusal_of(wrong("sz"))
        row: dict[str, object] = {"asks": [], "bids": [], "ts": str(self._now_ms())}
        for name, side in (("asks", ASK), ("bids", BID)):
            rows = orjson.loads(f"[{levels(line, line.book.top(side, size))}]")
            row[name] = [[p, s, n] for p, s, _, n in rows] if full else rows
        return answer([row] if full else [row | {"seqId": line.last_id}])

    def _tickers(self, query: Query) -> Answer:
        kind = query.get("instType")
        if kind not in KINDS:
            return refusal_of(wrong("instType"))
        lines = self._lines.values() if kind == "SPOT" else ()
        return answer([self._market.ticker_row(line) for line in lines])

    def _deals(self, line: Line, query: Query, *, most: int) -> Answer:
        """Return prints, newest first; those before id ``after``, those after ``before``."""
        limit = count(query.get("limit"), default=100, most=most)
        if limit is None:
            return refusal_of(wrong("limit"))
        bounds = [query.get("after", ""), query.get("before", "")]
        for name, text in zip(("after", "before"), bounds, strict=True):
            if text and not (text.isascii() and text.isdigit()):
                return refusal_of(wrong(name))
        after, before = (int(text or 0) for text in bounds)

        def wanted(deal: Deal) -> bool:
            return deal.trade_id > before and not (after and deal.trade_id >= after)

        return answer([{
            "instId": line.native, "side": "buy" if deal.taker_buys else "sell",
            "sz": line.plain_size(deal.size), "source": "0", "px": line.plain_price(deal.price),
            "tradeId": str(deal.trade_id), "ts": str(deal.unix_ns // 1_000_000),
        } for deal in reversed(self._market.day(line.native).latest(limit, wanted))])

    # --- maintenance ---------------------------------------------------------------------------

    def maintenance_ahead(self) -> Fault | None:
        """Return the maintenance that begins within a minute."""
        floor = self._floor
        ahead = floor.faults.in_force(
            floor.venue, Kind.MAINTENANCE, floor.mono_ns() + AHEAD_NS)
        return ahead[0] if ahead else None

    def _status(self, state: str | None) -> Answer:
        if state not in (None, "scheduled", "ongoing", "pre_open", "completed", "canceled"):
            return refusal_of(wrong("state"))
        return answer(self.scheduled() if state in (None, "scheduled") else [])

    def scheduled(self) -> list[dict[str, str]]:
        """Return the row of the maintenance ahead, if there is one."""
        ahead = self.maintenance_ahead()
        if ahead is None:
            return []
        now_ms = self._now_ms()
        if self._seen_ms[0] != int(ahead.start_s * 1000):
            self._seen_ms = (int(ahead.start_s * 1000), now_ms)
        begin_ms = self._seen_ms[1] + AHEAD_NS // 1_000_000
        return [{
            "begin": str(begin_ms),
            "end": str(begin_ms + int(min(ahead.end_s - ahead.start_s, 3600.0) * 1000)),
            "href": "", "preOpenBegin": "", "scheDesc": "", "serviceType": "5",
            "state": "scheduled", "maintType": "1", "env": "1", "system": "unified",
            "title": "Trading account system upgrade",
        }]

    def status_push(self) -> bytes:
        """Return the push of the maintenance ahead."""
        return orjson.dumps({"arg": {"channel": "status"}, "data": self.scheduled()})
