"""What a Binance spot client may ask of its account: money, orders, trades, limits.

Source: binance-spot-api-docs:rest-api.md (Account endpoints) @ a5e0bc3, 2026-11-21.
"""

import hashlib
from itertools import islice
from typing import Final

from ops.sim.exchange.orders import Order
from ops.sim.faces.binance.door import Ask
from ops.sim.faces.binance.errors import BAD_COMBINATION, NO_SUCH_ORDER, Problem, Refused
from ops.sim.faces.binance.limits import Limits
from ops.sim.faces.binance.numbers import Numbers, fixed
from ops.sim.faces.binance.params import Params
from ops.sim.faces.binance.spot_notes import Notes
from ops.sim.faces.binance.spot_orders import Reader
from ops.sim.faces.binance.spot_reports import NO_GROUP, Reports
from ops.sim.faces.binance.spot_stream import UserStream
from ops.sim.faces.binance.spot_trading import Trading
from ops.sim.floor import Floor

ROWS: Final = 500
ROWS_MAX: Final = 1000
DAY_NS: Final = 86_400 * 10**9
TOO_LONG: Final = Problem(-1127, "More than 24 hours between startTime and endTime.")
MICROSECONDS: Final = 10**15


class AccountQueries:
    """Answers from the matching engine's memory."""

    def __init__(
        self, floor: Floor, reader: Reader, trading: Trading, limits: Limits, notes: Notes,
        numbers: Numbers, reports: Reports, stream: UserStream,
    ) -> None:
        self._floor, self._reader, self._trading, self._limits = floor, reader, trading, limits
        self._notes, self._numbers, self._reports, self._stream = notes, numbers, reports, stream

    # --- money ---------------------------------------------------------------------------------

    def account(self, ask: Ask) -> object:
        """Return rates, permissions and balances."""
        lean = ask.params.flag("omitZeroBalances")
        ask.params.done()
        exchange, account = self._floor.exchange, ask.account
        fees, zero = exchange.accounts.by_name[account].fees, fixed(0, 6)
        money = self._numbers.money
        balances = exchange.balances(account)
        return {
            "makerCommission": fees.maker_ppm // 100, "takerCommission": fees.taker_ppm // 100,
            "buyerCommission": 0, "sellerCommission": 0,
            "commissionRates": {
                "maker": fixed(fees.maker_ppm, 6), "taker": fixed(fees.taker_ppm, 6),
                "buyer": zero, "seller": zero},
            "canTrade": True, "canWithdraw": True, "canDeposit": True, "brokered": False,
            "requireSelfTradePrevention": False, "preventSor": False,
            "updateTime": self._stream.updated_ns.get(account, 0) // ask.unit,
            "accountType": "SPOT",
            "balances": [{"asset": asset, "free": money(free), "locked": money(locked)}
                         for asset, (free, locked) in sorted(balances.items())
                         if free or locked or not lean],
            "permissions": ["SPOT"], "uid": uid(account), "tradeGroupId": NO_GROUP,
        }

    def commission(self, ask: Ask) -> object:
        """Return the rates for one symbol."""
        native = self._reader.symbol(ask.params)
        ask.params.done()
        return {"symbol": native} | self._trading.commission(ask.account)

    def order_limits(self, ask: Ask) -> object:
        """Return how many unfilled orders count against the limits."""
        ask.params.done()
        return self._limits.order_rows(self._floor.mono_ns(), ask.account)

    # --- orders --------------------------------------------------------------------------------

    def order(self, ask: Ask) -> object:
        """Return one order by either id."""
        native = self._reader.symbol(ask.params)
        ids = self._trading.ids(ask.params)
        ask.params.done()
        order = self._trading.find(ask.account, native, *ids)
        if order is None:
            raise Refused(NO_SUCH_ORDER)
        return self._reports.status(order, ask.unit)

    def open_orders(self, ask: Ask) -> object:
        """Return what rests, of one symbol or all."""
        native = self._reader.symbol(ask.params) if "symbol" in ask.params.values else ""
        ask.params.done()
        orders = self._floor.exchange.open_orders(ask.account, native)
        return [self._reports.status(order, ask.unit) for order in orders]

    def all_orders(self, ask: Ask) -> object:
        """Return orders of a symbol, open or ended: from an id, in a time, or the newest."""
        native = self._reader.symbol(ask.params)
        first = ask.params.whole("orderId")
        span, limit = self._span(ask.params), self._limit(ask.params)
        ask.params.done()
        orders = self._floor.exchange.orders(ask.account, native)
        if span is not None:
            rows = [each for each in orders if span[0] <= each.updated_ns < span[1]]
            rows = rows[:limit] if span[2] else rows[-limit:]
        elif first is not None:
            rows = [each for each in orders if each.id >= first][:limit]
        else:
            rows = orders[-limit:]
        return [self._reports.status(order, ask.unit) for order in rows]

    def amendments(self, ask: Ask) -> object:
        """Return how an order was reduced."""
        native, order = self._named(ask)
        first = ask.params.whole("fromExecutionId") or 0
        limit = self._limit(ask.params)
        ask.params.done()
        if order is None or order.symbol != native:
            raise Refused(NO_SUCH_ORDER)
        rows = [each for each in self._notes.of(order).amendments if each.execution_id >= first]
        return [self._reports.amendment(order, each, ask.unit) for each in rows[:limit]]

    def _named(self, ask: Ask) -> tuple[str, Order | None]:
        native = self._reader.symbol(ask.params)
        ask.params.required("orderId")
        order_id = ask.params.whole("orderId") or 0
        return native, self._trading.find(ask.account, native, order_id, "")

    # --- trades --------------------------------------------------------------------------------

    def trades(self, ask: Ask) -> object:
        """Return fills of a symbol: of an order, from an id, in a time, or the newest."""
        params = ask.params
        native = self._reader.symbol(params)
        order_id, first = params.whole("orderId"), params.whole("fromId")
        span, limit = self._span(params), self._limit(params)
        params.done()
        if span is not None and (order_id is not None or first is not None):
            raise Refused(BAD_COMBINATION)
        fills = self._floor.exchange.fills_since(ask.account, (first or 1) - 1, native)
        if order_id is not None:
            fills = [fill for fill in fills if fill.order_id == order_id]
        if span is not None:
            fills = [fill for fill in fills if span[0] <= fill.now_ns < span[1]]
        oldest = first is not None or (span is not None and span[2])
        fills = fills[:limit] if oldest else fills[-limit:]
        return [self._reports.trade(fill, ask.unit) for fill in fills]

    def prevented(self, ask: Ask) -> object:
        """Return self-trades that did not happen, by match or by order."""
        params = ask.params
        native = self._reader.symbol(params)
        match_id, order_id = params.whole("preventedMatchId"), params.whole("orderId")
        first, limit = params.whole("fromPreventedMatchId") or 0, self._limit(params)
        params.done()
        if (match_id is None) == (order_id is None):
            raise Refused(BAD_COMBINATION)
        matches = (
            match for match in self._notes.matches.get(ask.account, [])
            if match.symbol == native and match.id >= first
            and (match_id is None or match.id == match_id)
            and (order_id is None or order_id in (match.taker_id, match.maker_id)))
        return [self._reports.match(match, ask.unit) for match in islice(matches, limit)]

    # --- parameters ----------------------------------------------------------------------------

    @staticmethod
    def _limit(params: Params) -> int:
        """Return how many rows; more than the most is the most."""
        return min(params.whole("limit", least=1) or ROWS, ROWS_MAX)

    @staticmethod
    def _span(params: Params) -> tuple[int, int, bool] | None:
        """Return a time's begin and end in ns, and whether it has a begin; None without one."""
        start, end = params.whole("startTime"), params.whole("endTime")
        if start is None and end is None:
            return None
        begin = _to_ns(start) if start is not None else 0
        finish = _to_ns(end) + 1_000_000 if end is not None else begin + DAY_NS
        if start is not None and end is not None and _to_ns(end) - begin > DAY_NS:
            raise Refused(TOO_LONG)
        return begin, finish, start is not None


def uid(account: str) -> int:
    """Return the number of an account."""
    return int.from_bytes(hashlib.sha256(account.encode()).digest()[:4])


def _to_ns(stamp: int) -> int:
    return stamp * (1_000 if stamp >= MICROSECONDS else 1_000_000)
