"""What happened to an account on USD-M: orders, fills, and income, by time.

Source: developers.binance.com/docs/derivatives/usds-margined-futures (All Orders, Account Trade
List, Get Income History), read 2026-11-21.  Queries reach at most seven days from end to end.
"""

from collections import deque
from typing import Final, NamedTuple

from ops.sim.exchange.events import Covered, Event, Fill, Funded, Transferred
from ops.sim.faces.binance.door import Ask
from ops.sim.faces.binance.errors import BAD_COMBINATION, INVALID, Problem, Refused
from ops.sim.faces.binance.params import Params
from ops.sim.faces.binance.usdm_errors import INTERVAL
from ops.sim.faces.binance.usdm_text import Rows, money
from ops.sim.faces.binance.usdm_trade import Trading
from ops.sim.floor import Floor

WEEK_MS: Final = 7 * 86_400_000
ROWS_DEFAULT: Final = 500
ROWS_MAX: Final = 1000
INCOMES_DEFAULT: Final = 100
INCOMES_MAX: Final = 10_000  # remembered per account
PAGES_MAX: Final = INCOMES_MAX
INCOME_TYPES: Final = {name: name for name in (
    "TRANSFER", "WELCOME_BONUS", "REALIZED_PNL", "FUNDING_FEE", "COMMISSION", "INSURANCE_CLEAR",
    "REFERRAL_KICKBACK", "COMMISSION_REBATE", "API_REBATE", "CONTEST_REWARD", "AUTO_EXCHANGE",
    "CROSS_COLLATERAL_TRANSFER", "OPTIONS_PREMIUM_FEE", "OPTIONS_SETTLE_PROFIT",
    "INTERNAL_TRANSFER", "DELIVERED_SETTELMENT", "COIN_SWAP_DEPOSIT", "COIN_SWAP_WITHDRAW",
    "POSITION_LIMIT_INCREASE_FEE", "STRATEGY_UMFUTURES_TRANSFER", "FEE_RETURN", "BFUSD_REWARD",
)}  # the misspelling of one is the venue's
START_AFTER_END: Final = Problem(-1023, "Start time is greater than end time.")


class Income(NamedTuple):
    """One flow of money."""

    time_ms: int
    kind: str
    symbol: str
    asset: str
    amount: int
    number: int
    trade_id: str

    def row(self) -> dict[str, object]:
        """Return the row of the answer."""
        return {
            "symbol": self.symbol, "incomeType": self.kind, "income": money(self.amount),
            "asset": self.asset, "info": self.kind, "time": self.time_ms,
            "tranId": self.number, "tradeId": self.trade_id,
        }


class History:
    """Answers from what the matching engine remembers, and from the money it moved."""

    def __init__(self, floor: Floor, trading: Trading, rows: Rows) -> None:
        self._floor, self._trading, self._rows = floor, trading, rows
        self._incomes: dict[str, deque[Income]] = {}
        self._numbered = 0

    def heard(self, event: Event) -> None:
        """Note the money that an event moved."""
        if isinstance(event, Fill):
            if event.pnl:
                self._note(event, "REALIZED_PNL", event.symbol, event.fee_asset, event.pnl)
            if event.fee:
                self._note(event, "COMMISSION", event.symbol, event.fee_asset, -event.fee)
        elif isinstance(event, Funded):
            self._note(event, "FUNDING_FEE", event.symbol, event.asset, event.amount)
        elif isinstance(event, Transferred):
            self._note(event, "TRANSFER", "", event.asset, event.amount)
        elif isinstance(event, Covered):
            self._note(event, "INSURANCE_CLEAR", "", event.asset, event.amount)

    def _note(
        self, event: Fill | Funded | Transferred | Covered, kind: str, symbol: str, asset: str,
        amount: int,
    ) -> None:
        self._numbered += 1
        trade_id = str(event.trade_id) if isinstance(event, Fill) else ""
        self._incomes.setdefault(event.account, deque(maxlen=INCOMES_MAX)).append(Income(
            event.now_ns // 1_000_000, kind, symbol, asset, amount, self._numbered, trade_id))

    # --- queries -------------------------------------------------------------------------------

    def orders(self, ask: Ask) -> object:
        """Return orders of a contract, from an id on, or the newest."""
        params, reader = ask.params, self._trading.reader
        native = reader.symbol(params)
        first_id = params.whole("orderId")
        start_ms, end_ms = self._span(params)
        limit = _limit(params, ROWS_DEFAULT)
        params.done()
        orders = [
            order for order in self._floor.exchange.orders(ask.account, native)
            if start_ms <= order.created_ns // 1_000_000 <= end_ms
            and order.id >= (first_id or 0)
        ]
        kept = orders[-limit:] if first_id is None else orders[:limit]
        return [self._rows.queried(order, self._trading.terms(order)) for order in kept]

    def fills(self, ask: Ask) -> object:
        """Return fills of a contract, from an id on, or the newest."""
        params = ask.params
        native = self._trading.reader.symbol(params)
        order_id, first_id = params.whole("orderId"), params.whole("fromId")
        if first_id is not None and {"startTime", "endTime"} & params.values.keys():
            raise Refused(BAD_COMBINATION)
        start_ms, end_ms = self._span(params)
        limit = _limit(params, ROWS_DEFAULT)
        params.done()
        fills = [
            fill for fill in self._floor.exchange.fills_since(
                ask.account, max(0, (first_id or 0) - 1), native)
            if start_ms <= fill.now_ns // 1_000_000 <= end_ms
            and (order_id is None or fill.order_id == order_id)
        ]
        kept = fills[-limit:] if first_id is None else fills[:limit]
        return [self._rows.fill(fill) for fill in kept]

    def incomes(self, ask: Ask) -> object:
        """Return what money came and went, oldest first."""
        params = ask.params
        native = self._trading.reader.optional_symbol(params)
        kind = params.choice("incomeType", INCOME_TYPES, INVALID)
        start_ms, end_ms = self._span(params)
        page = params.whole("page", least=1, most=PAGES_MAX) or 1
        limit = _limit(params, INCOMES_DEFAULT)
        params.done()
        found = [
            each for each in self._incomes.get(ask.account, ())
            if start_ms <= each.time_ms <= end_ms
            and (not native or each.symbol == native) and (not kind or each.kind == kind)
        ]
        return [each.row() for each in found[(page - 1) * limit:page * limit]]

    def _span(self, params: Params) -> tuple[int, int]:
        """Return the times asked for, by default the last seven days."""
        start_ms, end_ms = params.whole("startTime"), params.whole("endTime")
        if start_ms is None:
            end_ms = self._floor.now_ns() // 1_000_000 if end_ms is None else end_ms
            return end_ms - WEEK_MS, end_ms
        if end_ms is None:
            return start_ms, start_ms + WEEK_MS
        if start_ms > end_ms:
            raise Refused(START_AFTER_END)
        if end_ms - start_ms > WEEK_MS:
            raise Refused(INTERVAL, 7)
        return start_ms, end_ms


def _limit(params: Params, default: int) -> int:
    return params.whole("limit", least=1, most=ROWS_MAX) or default
