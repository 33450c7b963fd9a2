"""The account queries of /0/private: what an account has, ordered, traded and pays.

Source: shared/venues/kraken.md (Private, Fees), 2026-11-21.  Fee tiers are not climbed: an
account keeps the rates it was opened with, so TradeVolume tells of no volume.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from ops.sim.exchange.events import Fill
from ops.sim.exchange.orders import Kind, Order, Status
from ops.sim.faces.kraken import ids, names
from ops.sim.faces.kraken.account import ledger_row, order_row, trade_row
from ops.sim.faces.kraken.answers import INVALID, UNKNOWN_PAIR, Declined, invalid
from ops.sim.faces.kraken.catalogue import MAKER_TIERS, TAKER_TIERS
from ops.sim.faces.kraken.instruments import (
    MONEY_UNIT,
    Instrument,
    balance_decimals,
    in_usd,
    money,
    usd_rate,
)
from ops.sim.faces.kraken.journal import Entry, Journal
from ops.sim.faces.kraken.params import Params
from ops.sim.faces.kraken.tickets import Tickets
from ops.sim.floor import Floor

PAGE: Final = 50
QUERY_MAX: Final = 50  # orders or trades per query
_T = TypeVar("_T")


class Queries:
    """Answers by method name; each takes the account and the fields, returns ``result``."""

    def __init__(
        self, floor: Floor, instruments: dict[str, Instrument], named: dict[str, Instrument],
        tickets: Tickets, journal: Journal,
    ) -> None:
        self._floor, self._instruments, self._named = floor, instruments, named
        self._tickets, self._journal = tickets, journal
        self.methods: dict[str, Callable[[str, Params], Any]] = {
            "Balance": self._balance, "BalanceEx": self._balance_ex,
            "TradeBalance": self._trade_balance, "OpenOrders": self._open_orders,
            "ClosedOrders": self._closed_orders, "QueryOrders": self._query_orders,
            "TradesHistory": self._trades_history, "QueryTrades": self._query_trades,
            "Ledgers": self._ledgers, "QueryLedgers": self._query_ledgers,
            "TradeVolume": self._trade_volume,
        }

    # --- money ---------------------------------------------------------------------------------

    def _balance(self, account: str, _params: Params) -> dict[str, str]:
        return {
            names.code(asset): money(free + locked, balance_decimals(asset))
            for asset, (free, locked) in sorted(self._floor.exchange.balances(account).items())
        }

    def _balance_ex(self, account: str, _params: Params) -> dict[str, Any]:
        return {
            names.code(asset): {
                "balance": money(free + locked, balance_decimals(asset)),
                "hold_trade": money(locked, balance_decimals(asset)),
            }
            for asset, (free, locked) in sorted(self._floor.exchange.balances(account).items())
        }

    def _trade_balance(self, account: str, params: Params) -> dict[str, str]:
        """Return the worth of everything, by default in USD; there is no margin."""
        asset = names.asset_of(params.text("asset", "ZUSD"))
        if asset not in self._floor.exchange.assets | names.MONEY:
            raise Declined("EQuery:Unknown asset")
        worth = sum(
            in_usd(each, free + locked, self._floor)
            for each, (free, locked) in self._floor.exchange.balances(account).items())
        amount = worth * MONEY_UNIT // usd_rate(asset, self._floor)
        total = money(amount - amount % (MONEY_UNIT // 10_000), 4)
        none = "0.0000"
        return {"eb": total, "tb": total, "m": none, "uv": none, "n": none, "c": none, "v": none,
                "e": total, "mf": total}

    def _trade_volume(self, _account: str, params: Params) -> dict[str, Any]:
        answer: dict[str, Any] = {"currency": "ZUSD", "volume": "0.0000"}
        pairs = params.texts("pair")
        if not pairs:
            return answer
        found = [self._pair(name) for name in pairs]
        for name, tiers in (("fees", TAKER_TIERS), ("fees_maker", MAKER_TIERS)):
            answer[name] = {each.key: {
                "fee": f"{tiers[0][1]:.4f}", "minfee": f"{tiers[-1][1]:.4f}",
                "maxfee": f"{tiers[0][1]:.4f}", "nextfee": f"{tiers[1][1]:.4f}",
                "tiervolume": "0.0000", "nextvolume": f"{tiers[1][0]:.4f}",
            } for each in found}
        return answer

    # --- orders --------------------------------------------------------------------------------

    def _open_orders(self, account: str, params: Params) -> dict[str, Any]:
        orders = self._floor.exchange.open_orders(account)
        chosen = self._chosen(orders, params)
        return {"open": {ids.order_id(each.id): self._row(each, params)
                         for each in reversed(chosen)}}

    def _closed_orders(self, account: str, params: Params) -> dict[str, Any]:
        """Return a page of ended orders, newest first."""
        word = params.text("closetime", "both")
        if word not in ("open", "close", "both"):
            raise invalid("closetime")
        ended = [each for each in self._floor.exchange.orders(account)
                 if each.status is not Status.OPEN]

        def at_ns(order: Order) -> int:
            return order.created_ns if word == "open" else order.updated_ns

        def find(text: str) -> int | None:
            number = ids.number_of(ids.ORDER, text)
            order = self._floor.exchange.order(account, order_id=number) if number else None
            return at_ns(order) if order else None

        ended.sort(key=at_ns)
        chosen = self._within(self._chosen(ended, params), params, at_ns, find)
        return self._page("closed", chosen, params, lambda each: (
            ids.order_id(each.id), self._row(each, params)))

    def _query_orders(self, account: str, params: Params) -> dict[str, Any]:
        texts = params.texts("txid")
        if len(texts) > QUERY_MAX or not (texts or "cl_ord_id" in params):
            raise Declined(INVALID)
        found = list[Order]()
        for text in texts:
            number = ids.number_of(ids.ORDER, text)
            if number is None:
                raise Declined("EOrder:Invalid order")
            order = self._floor.exchange.order(account, order_id=number) if number else None
            if order is None:
                raise Declined("EQuery:Unknown order")
            found.append(order)
        if "cl_ord_id" in params and not texts:
            found = self._chosen(self._floor.exchange.orders(account), params)
            if not found:
                raise Declined("EQuery:Unknown order")
        return {ids.order_id(each.id): self._row(each, params)
                for each in self._chosen(found, params)}

    def _chosen(self, orders: list[Order], params: Params) -> list[Order]:
        """Return the orders with the client's id or group tag, where one is asked for."""
        client_id, userref = params.text("cl_ord_id"), params.integer("userref")
        return [
            each for each in orders
            if (not client_id or each.client_id == client_id)
            and (userref is None or self._tickets[each.id].userref == userref)]

    def _row(self, order: Order, params: Params) -> dict[str, Any]:
        return order_row(order, self._tickets[order.id], self._instruments[order.symbol],
                         trades=params.flag("trades"))

    # --- trades --------------------------------------------------------------------------------

    def _trades_history(self, account: str, params: Params) -> dict[str, Any]:
        """Return a page of trades, newest first; a taker order's fills are one by default."""
        word = params.text("type", "all")
        if word not in ("all", "any position", "closed position", "closing position",
                        "no position"):
            raise invalid("type")
        fills = self._floor.exchange.fills_since(account)
        if word not in ("all", "no position"):
            fills = []
        trades = list[list[Fill]]()
        merge, of_order = params.flag("consolidate_taker", default=True), dict[int, list[Fill]]()
        for fill in fills:
            if merge and fill.taker and fill.order_id in of_order:
                of_order[fill.order_id].append(fill)
            else:
                trades.append([fill])
                if fill.taker:
                    of_order[fill.order_id] = trades[-1]

        def find(text: str) -> int | None:
            return next((each.now_ns for each in fills if _exec_id(each) == text), None)

        chosen = self._within(trades, params, lambda each: each[0].now_ns, find)
        return self._page("trades", chosen, params, lambda each: (
            _exec_id(each[0]), self._trade(account, each, params)))

    def _query_trades(self, account: str, params: Params) -> dict[str, Any]:
        texts = params.texts("txid")
        if not 0 < len(texts) <= QUERY_MAX:
            raise Declined(INVALID)
        fills = {_exec_id(each): each for each in self._floor.exchange.fills_since(account)}
        if any(text not in fills for text in texts):
            raise Declined("EQuery:Unknown trade")
        return {text: self._trade(account, [fills[text]], params) for text in texts}

    def _trade(self, account: str, fills: list[Fill], params: Params) -> dict[str, Any]:
        order = self._floor.exchange.order(account, order_id=fills[0].order_id)
        return trade_row(
            fills, self._instruments[fills[0].symbol], order.kind if order else Kind.LIMIT,
            ledgers=params.flag("ledgers"))

    # --- ledger --------------------------------------------------------------------------------

    def _ledgers(self, account: str, params: Params) -> dict[str, Any]:
        kind, assets = params.text("type", "all"), params.texts("asset")
        wanted = {names.asset_of(name) for name in assets if name != "all"}
        entries = [each for each in self._journal.entries[account]
                   if kind in ("all", each.kind) and (not wanted or each.asset in wanted)]

        def find(text: str) -> int | None:
            return next((each.at_ns for each in entries if each.id == text), None)

        chosen = self._within(entries, params, lambda each: each.at_ns, find)
        return self._page("ledger", chosen, params, lambda each: (each.id, ledger_row(each)))

    def _query_ledgers(self, account: str, params: Params) -> dict[str, Any]:
        wanted = set(params.texts("id"))
        if not 0 < len(wanted) <= QUERY_MAX:
            raise Declined(INVALID)
        found: list[Entry] = [each for each in self._journal.entries[account]
                              if each.id in wanted]
        return {each.id: ledger_row(each) for each in found}

    # --- what all of them need -----------------------------------------------------------------

    def _pair(self, name: str) -> Instrument:
        found = self._named.get(name)
        if found is None:
            raise Declined(UNKNOWN_PAIR)
        return found

    @staticmethod
    def _within(
        rows: Sequence[_T], params: Params, at_ns: Callable[[_T], int],
        find: Callable[[str], int | None],
    ) -> list[_T]:
        """Return the rows after ``start`` (exclusive) and up to ``end``: Unix seconds or ids."""
        bounds = [0, 1 << 80]
        for index, name in enumerate(("start", "end")):
            text = params.text(name)
            if text:
                whole, _, fraction = text.partition(".")
                digits = whole + fraction
                timed = digits.isascii() and digits.isdigit() and len(whole) <= 12
                found = int(whole + fraction[:9].ljust(9, "0")) if timed else find(text)
                if found is None:
                    raise invalid(name)
                bounds[index] = found // 1000 * 1000
        return [each for each in rows  # times are told in microseconds
                if bounds[0] < at_ns(each) // 1000 * 1000 <= bounds[1]]

    @staticmethod
    def _page(
        name: str, rows: list[_T], params: Params, write: Callable[[_T], tuple[str, Any]]
    ) -> dict[str, Any]:
        """Return 50 rows, newest first, from ``ofs`` on, and how many there are."""
        offset = params.integer("ofs") or 0
        if offset < 0:
            raise invalid("ofs")
        newest = rows[::-1][offset : offset + PAGE]
        answer: dict[str, Any] = {name: dict(map(write, newest))}
        return answer if params.flag("without_count") else answer | {"count": len(rows)}


def _exec_id(fill: Fill) -> str:
    return ids.exec_id(fill.trade_id, taker=fill.taker)
