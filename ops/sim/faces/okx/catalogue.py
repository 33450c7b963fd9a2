"""The instruments a venue lists: the rows clients load before anything else.

Source: shared/venues/okx.md, Symbols, 2026-11-21; the fields of the documented answer.
"""

from typing import Any, Final

from engine.model.quanta import from_quanta, plain
from ops.sim.exchange.filters import Mode
from ops.sim.face import Answer, Query
from ops.sim.faces.okx.errors import answer, failure, refusal_of, wrong
from ops.sim.floor import Floor
from ops.sim.listing import Line

KINDS: Final = ("SPOT", "MARGIN", "SWAP", "FUTURES", "OPTION", "EVENTS")  # only SPOT is listed
FIRST_CODE: Final = 100_000
GROUP: Final = "1"  # of fees
MARKET_MAX: Final = 1_000_000  # of a market order, in units of the quote asset
LISTED_MS: Final = "1733454000000"
EMPTY: Final = (
    "alias", "auctionEndTime", "contTdSwTime", "ctMult", "ctType", "ctVal", "ctValCcy", "expTime",
    "instFamily", "lever", "optType", "preMktSwTime", "settleCcy", "stk", "uly",
)
STATES: Final = {  # what is not open to all takes no ordinary order
    Mode.OPEN: "live", Mode.LIMIT_ONLY: "live", Mode.POST_ONLY: "post_only",
    Mode.CANCEL_ONLY: "suspend", Mode.HALTED: "suspend",
}


class Catalogue:
    """What is listed, by name and by code."""

    def __init__(self, lines: dict[str, Line], floor: Floor) -> None:
        self._lines, self._floor = lines, floor
        self.codes = {native: FIRST_CODE + number for number, native in enumerate(lines)}
        self.by_code = {code: native for native, code in self.codes.items()}

    def rows(self, query: Query) -> Answer:
        """Answer both lists of instruments, the public one and the account's."""
        kind, native = query.get("instType"), query.get("instId")
        if kind not in KINDS:
            return refusal_of(wrong("instType"))
        rows = [self.row(line) for line in self._lines.values()
                if kind == "SPOT" and native in (None, line.native)]
        if native is not None and not rows:
            return refusal_of(failure("51001"))
        return answer(rows)

    def row(self, line: Line) -> dict[str, Any]:
        """Write one instrument down, with the limits in force."""
        filters = self._floor.filters(line.native)
        symbol = self._floor.exchange.listed[line.native].symbol
        size = symbol.size_decimals
        return {
            "instType": "SPOT", "instId": line.native, "instIdCode": self.codes[line.native],
            "baseCcy": line.pair.base, "quoteCcy": line.pair.quote,
            "tradeQuoteCcyList": [line.pair.quote],
            "tickSz": plain(from_quanta(filters.tick, symbol.price_decimals)),
            "lotSz": plain(from_quanta(filters.lot, size)),
            "minSz": plain(from_quanta(filters.size_min, size)),
            "maxLmtSz": plain(from_quanta(filters.size_max, size)),
            "maxMktSz": str(MARKET_MAX), "maxLmtAmt": "20000000", "maxMktAmt": str(MARKET_MAX),
            "maxIcebergSz": "9999999999", "maxStopSz": str(MARKET_MAX),
            "maxTriggerSz": "9999999999", "maxTwapSz": "9999999999",
            "category": "1", "instCategory": "1", "groupId": GROUP, "ruleType": "normal",
            "state": STATES[filters.mode], "listTime": LISTED_MS, "openType": "call_auction",
            "elp": "0", "futureSettlement": False, "upcChg": [],
        } | dict.fromkeys(EMPTY, "")
