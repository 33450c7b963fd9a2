"""Funding of the perpetuals beside the listed pairs: read by anyone, traded by nobody here.

Source: shared/venues/okx.md, Funding, 2026-11-21.  Every eight hours; ``fundingRate`` is the
running estimate, which moves from the last settled rate to the next one.  A rate follows from the
instrument and its time alone, so that each run tells the same past.
"""

from random import Random
from typing import Any, Final

import orjson

from engine.model.quanta import from_quanta, plain
from ops.sim.face import Answer, Outlet, Query, Topic, count
from ops.sim.faces.okx.errors import answer, empty, failure, refusal_of, wrong
from ops.sim.floor import Floor
from ops.sim.listing import Line

CHANNEL: Final = "funding-rate"
PERIOD_MS: Final = 8 * 3_600_000
PUSH_NS: Final = 60_000_000_000
HISTORY_MS: Final = 90 * 24 * 3_600_000
PAGE: Final = 400
DECIMALS: Final = 16
UNIT: Final = 10**DECIMALS
LIMIT: Final = 375 * UNIT // 100_000
QUOTES: Final = ("USDT", "USDC", "USD")


class Funding:
    """Rates in units of 10**-16 per period."""

    def __init__(self, lines: dict[str, Line], outlet: Outlet, floor: Floor) -> None:
        self._outlet, self._floor = outlet, floor
        self.natives = [
            f"{native}-SWAP" for native, line in lines.items()
            if floor.venue == "okx" and line.pair.quote in QUOTES]
        self._pushed_ns = floor.mono_ns()

    def answer(self, query: Query, *, history: bool) -> Answer:
        """Answer with the rates of now, or with settled ones."""
        native = query.get("instId", "")
        if not native:
            return refusal_of(empty("instId"))
        if native not in (*self.natives, *(() if history else ("ANY",))):
            return refusal_of(failure("51001"))
        if not history:
            return answer([self._row(each) for each in self.natives if native in ("ANY", each)])
        limit = count(query.get("limit") or None, default=PAGE, most=PAGE)
        if limit is None:
            return refusal_of(wrong("limit"))
        bounds = [query.get(name) or "0" for name in ("after", "before")]
        if not all(each.isascii() and each.isdigit() for each in bounds):
            return refusal_of(wrong("after"))
        after, before = (int(each) for each in bounds)
        return answer(self._settled(native, after, before)[:limit])

    def tick(self) -> None:
        """Push every rate once a minute."""
        if self._floor.mono_ns() - self._pushed_ns < PUSH_NS:
            return
        self._pushed_ns = self._floor.mono_ns()
        for native in self.natives:
            topic: Topic = (CHANNEL, native)
            if self._outlet.wanted(topic):
                self._outlet.publish(topic, self.push(native))

    def push(self, native: str) -> bytes:
        """Return the push of one rate."""
        arg = {"channel": CHANNEL, "instId": native}
        return orjson.dumps({"arg": arg, "data": [self._row(native)]})

    def _row(self, native: str) -> dict[str, str]:
        now_ms = self._now_ms()
        at_ms = now_ms - now_ms % PERIOD_MS + PERIOD_MS
        estimate = self._estimate(native, at_ms, now_ms)
        return {
            "formulaType": "noRate", "fundingRate": _text(estimate), "fundingTime": str(at_ms),
            "impactValue": "", "instId": native, "instType": "SWAP", "interestRate": "",
            "maxFundingRate": _text(LIMIT), "method": "current_period",
            "minFundingRate": _text(-LIMIT), "nextFundingRate": "",
            "nextFundingTime": str(at_ms + PERIOD_MS), "premium": _text(estimate // 2),
            "settFundingRate": _text(settled(native, at_ms - PERIOD_MS)),
            "settState": "settled", "ts": str(now_ms),
        }

    def _estimate(self, native: str, at_ms: int, now_ms: int) -> int:
        """Return the rate expected at ``at_ms``: what it will be, the surer the nearer."""
        passed_ms = min(PERIOD_MS, now_ms - (at_ms - PERIOD_MS))
        before, then = settled(native, at_ms - PERIOD_MS), settled(native, at_ms)
        return before + (then - before) * passed_ms // PERIOD_MS

    def _settled(self, native: str, after: int, before: int) -> list[dict[str, Any]]:
        now_ms = self._now_ms()
        newest = now_ms - now_ms % PERIOD_MS
        return [{
            "formulaType": "noRate", "instId": native, "instType": "SWAP",
            "fundingRate": _text(self._estimate(native, at_ms, at_ms - 60_000)),
            "fundingTime": str(at_ms), "method": "current_period",
            "realizedRate": _text(settled(native, at_ms)),
        } for at_ms in range(newest, newest - HISTORY_MS, -PERIOD_MS)
            if at_ms > before and not (after and at_ms >= after)]

    def _now_ms(self) -> int:
        return self._floor.now_ns() // 1_000_000


def settled(native: str, at_ms: int) -> int:
    """Return the rate that is charged at a funding time, in units of 10**-16."""
    drawn = Random(f"{native} {at_ms}").gauss(5e-5, 1e-4)  # noqa: S311  not a secret
    return max(-LIMIT, min(LIMIT, int(drawn * UNIT)))


def _text(rate: int) -> str:
    return plain(from_quanta(rate, DECIMALS))
