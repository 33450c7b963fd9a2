"""Binance spot: the user stream is a subscription of the WebSocket API; no dead-man switch.

Orders are answered in full (FULL): their first fills come with the answer, and again by the stream.
Source: shared/venues/binance.md (Private), 2026-11-21.
"""

from collections.abc import Sequence
from typing import Any, Final

from exec.core import ports as p
from exec.gateways.codec import ORDERS, USER, Answer, Outcome, Request
from exec.venues.binance import questions as q
from exec.venues.binance import rows
from exec.venues.binance.inquiry import Shape
from exec.venues.binance.market import LOGIN, SUBSCRIBE, BinanceCodec, Manner
from exec.venues.binance.numbers import MS_NS, is_zero, read
from exec.venues.binance.refusals import Failure
from exec.venues.binance.reports import QUERY, STREAM

PATH: Final = "/ws-api/v3"
ALREADY_SUBSCRIBED: Final = -2035


class BinanceSpot(BinanceCodec):
    """One account at Binance spot."""

    orders_path = user_path = PATH
    time_path = "/api/v3/time"
    rest_weight_per_s = 50.0  # of 6000 a minute, which market data and orders share
    rest_weight_burst = 1_000
    shape = Shape(
        root="/api/v3", trades="myTrades", read_trades=rows.spot_trades, span_ms=86_400_000,
        weights={"order": 4, "openOrders": 6, "openOrders of all": 80, "allOrders": 20,
                 "myTrades": 20, "trades of one": 5, "account": 20})
    manner = Manner(
        reply="FULL", post_only=("LIMIT_MAKER", ""), place_weight=1, cancel_all="openOrders",
        login="account.status",
        limits={"x-mbx-used-weight-1m": 6000, "x-mbx-order-count-10s": 50,
                "x-mbx-order-count-1d": 160_000})

    def _listen(self, now_unix_ns: int) -> Sequence[Request]:
        number = self._number(SUBSCRIBE)
        text = self._wire.signed(
            number, "userDataStream.subscribe.signature", self._stamped(now_unix_ns))
        return [Request(channel=USER, purpose="subscribe", id=number, text=text, weight=2)]

    def _opened(
        self, number: str, failure: Failure | None, spent: Sequence[p.Report]
    ) -> Outcome:
        channel = ORDERS if number.startswith(LOGIN) else USER
        if failure is None or (channel == USER and failure.code == ALREADY_SUBSCRIBED):
            return Outcome(reports=spent, answers=number, live=[channel])
        return Outcome(reports=[*spent, *self._unready(failure)], answers=number)

    def _holdings(self, since_unix_ns: int, now_unix_ns: int) -> Sequence[Request]:
        return [self._wire.rest(q.Money, "GET", f"{self.shape.root}/account", "", now_unix_ns,
                                purpose="survey", weight=self.shape.weights["account"])]

    def _money(
        self, request: Request, answer: Answer, failure: Failure | None, asked_unix_ns: int
    ) -> Outcome:
        """Tell balances that are not nothing, or of assets that are traded here."""
        if failure is not None:
            return self._inquiry.lost(request, failure)
        traded = {asset for each in self._reports.listings.values()
                  for asset in (each.base, each.quote)}
        account = read(rows.SPOT_ACCOUNT, answer.body)
        return Outcome(reports=[
            p.Balance(self.venue, row.asset, row.free, row.locked, QUERY)
            for row in account.balances
            if row.asset in traded or not (is_zero(row.free) and is_zero(row.locked))])

    def _ends(self, body: bytes) -> list[p.Report]:
        return [report for row in read(rows.CANCELLED_ALL, body)
                for report in self._reports.cancelled(row)]

    def _event(self, text: bytes | Any, now_unix_ns: int) -> Outcome:
        """Return what an event means; kinds that tell nothing of orders or money are left aside."""
        kind = read(rows.KIND, text).kind
        if kind == "executionReport":
            return Outcome(reports=self._reports.execution(read(rows.EXECUTION, text)))
        if kind == "outboundAccountPosition":
            return Outcome(reports=[
                p.Balance(self.venue, row.asset, row.free, row.locked, STREAM)
                for row in read(rows.ACCOUNT_POSITION, text).balances])
        if kind == "balanceUpdate":
            return Outcome(reports=[self._moved(read(rows.BALANCE_UPDATE, text))])
        if kind == "eventStreamTerminated":
            return Outcome(reports=[p.Ready(self.venue, "the venue ended the user stream")],
                           requests=self._listen(now_unix_ns))
        if kind == "serverShutdown":
            return Outcome(reports=[p.Ready(self.venue, "the venue shuts a connection down")])
        return Outcome()

    def _moved(self, row: rows.BalanceUpdate) -> p.Moved:
        kind = "withdrawal" if row.change.startswith("-") else "deposit"
        reference = f"{row.asset}:{row.change}:{row.time_ms}:{row.event_ms}"
        return p.Moved(
            self.venue, row.asset, row.change, kind, reference, row.time_ms * MS_NS)
