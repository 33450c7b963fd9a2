"""Rows of the private channels, executions and balances, in v2's spelling.

    Accepted ─▶ pending_new, new     Fill ─▶ trade, and filled if it was the last; balances
    Amended ─▶ amended               Ended ─▶ canceled or expired
Rows after the first tell only what changed: clients merge by order_id.
Source: shared/venues/kraken.md (Private) and recorded traffic it names, 2026-11-21.
"""

from typing import Any, Final

from ops.sim.exchange.events import Fill
from ops.sim.exchange.orders import Kind, Order, Status
from ops.sim.face import iso
from ops.sim.faces.kraken import ids
from ops.sim.faces.kraken.account import WORDS, order_reason
from ops.sim.faces.kraken.instruments import (
    COST_DECIMALS,
    Instrument,
    balance_decimals,
    in_usd,
    money,
    number,
)
from ops.sim.faces.kraken.journal import Entry
from ops.sim.faces.kraken.tickets import Ticket
from ops.sim.floor import Floor

Row = dict[str, Any]
LIQUIDITY: Final = {True: "t", False: "m"}
WALLET: Final = {"wallet_type": "spot", "wallet_id": "main"}


class Reports:
    """Writes what happened to an order."""

    def __init__(self, floor: Floor, instruments: dict[str, Instrument]) -> None:
        self._floor, self._instruments = floor, instruments

    def pending(self, order: Order, ticket: Ticket) -> Row:
        """Return the whole order, before it is live."""
        row = {
            "order_id": ids.order_id(order.id), "symbol": order.symbol,
            "order_qty": number(self._of(order).size(order.size)),
            "cum_cost": number(money(0)), "time_in_force": ticket.tif,
            "exec_type": "pending_new", "side": WORDS[order.side],
            "order_type": order.kind.value, **_names(order, ticket),
        }
        if ticket.cash:
            row["cash_order_qty"] = number(money(ticket.cash))
        if order.kind is Kind.LIMIT:
            row |= {"limit_price_type": "static", "limit_price": self._price(order, order.price)}
        row |= {"stop_price": self._price(order, 0)} | _options(order)
        if ticket.expires_ns:
            row["expire_time"] = iso(ticket.expires_ns)
        return row | {
            "order_status": "pending_new", "fee_usd_equiv": number(money(0)),
            "fee_ccy_pref": ticket.fee_preference, "timestamp": iso(order.created_ns),
        }

    def live(self, order: Order, ticket: Ticket) -> Row:
        """Return that the order is live."""
        return {"timestamp": iso(order.created_ns), "order_status": "new", "exec_type": "new",
                **self._tail(order, ticket)}

    def standing(self, order: Order, ticket: Ticket) -> Row:
        """Return an open order for a snapshot."""
        status = "partially_filled" if order.filled else "new"
        return self.pending(order, ticket) | {"exec_type": "new", "order_status": status,
                                              **self._sums(order, ticket)}

    def amended(self, order: Order, ticket: Ticket) -> Row:
        """Return an order's new size and price."""
        instrument = self._of(order)
        return {
            "timestamp": iso(order.updated_ns), "exec_type": "amended",
            "order_status": "partially_filled" if order.filled else "new",
            "cum_qty": number(instrument.size(order.filled)), "reason": "User requested",
            "amended": True, "order_qty": number(instrument.size(order.size)),
            "limit_price": self._price(order, order.price), "limit_price_type": "static",
            **self._tail(order, ticket),
        }

    def traded(self, fill: Fill, order: Order, ticket: Ticket, *, status: str) -> Row:
        """Return one fill."""
        instrument = self._instruments[fill.symbol]
        row = {
            "order_id": ids.order_id(fill.order_id), **_names(order, ticket),
            "exec_id": ids.exec_id(fill.trade_id, taker=fill.taker), "exec_type": "trade",
            "trade_id": fill.trade_id, "symbol": fill.symbol, "side": WORDS[fill.side],
            "last_qty": number(instrument.size(fill.size)),
            "last_price": self._price(order, fill.price),
            "liquidity_ind": LIQUIDITY[fill.taker], "cost": number(money(fill.value)),
            "order_status": status, "order_type": order.kind.value,
            "timestamp": iso(fill.now_ns),
            "fee_usd_equiv": self._usd(fill.fee_asset, fill.fee),
            "fees": [{"asset": fill.fee_asset, "qty": number(money(fill.fee))}],
        }
        if status == "partially_filled":
            average = instrument.average(fill.filled_value, fill.filled)
            row |= {"cum_qty": number(instrument.size(fill.filled)),
                    "cum_cost": number(money(fill.filled_value)),
                    "avg_price": self._price(order, average)}
        return row

    def ended(self, order: Order, ticket: Ticket) -> Row:
        """Return that an order is filled, canceled or expired."""
        word = "filled" if order.status is Status.FILLED else (
            "expired" if ticket.lapsed else "canceled")
        row = {"timestamp": iso(order.updated_ns), "order_status": word, "exec_type": word,
               **self._sums(order, ticket), **_names(order, ticket), **_options(order)}
        if reason := order_reason(order, ticket):
            row |= {"cancel_reason": reason, "reason": reason}
        return row | {"order_id": ids.order_id(order.id)}

    def _of(self, order: Order) -> Instrument:
        return self._instruments[order.symbol]

    def _price(self, order: Order, price: int) -> Any:
        return number(self._of(order).price(price))

    def _usd(self, asset: str, amount: int) -> Any:
        """Return an amount's worth in USD, to the last digit Kraken keeps of a cost."""
        worth = in_usd(asset or "USD", amount, self._floor)
        return number(money(worth - worth % 10 ** (18 - COST_DECIMALS)))

    def _sums(self, order: Order, ticket: Ticket) -> Row:
        instrument = self._of(order)
        return {
            "cum_qty": number(instrument.size(order.filled)),
            "cum_cost": number(money(order.value)),
            "fee_usd_equiv": self._usd(ticket.fee_asset, ticket.fee),
            "avg_price": self._price(order, instrument.average(order.value, order.filled)),
        }

    def _tail(self, order: Order, ticket: Ticket) -> Row:
        return {**_names(order, ticket), **_options(order), "order_id": ids.order_id(order.id)}


def _names(order: Order, ticket: Ticket) -> Row:
    """Return the client's id, or the group tag that every other order has."""
    if order.client_id:
        return {"cl_ord_id": order.client_id}
    return {"order_userref": ticket.userref}


def _options(order: Order) -> Row:
    row: Row = {"post_only": True} if order.post_only else {}
    return row | {"reduce_only": True} if order.reduce_only else row


def holding(asset: str, total: int) -> Row:
    """Return one asset of the balances snapshot."""
    balance = number(money(total, balance_decimals(asset)))
    return {"asset": asset, "asset_class": "currency", "balance": balance,
            "wallets": [{"type": "spot", "id": "main", "balance": balance}]}


def movement(entry: Entry) -> Row:
    """Return one ledger entry of a balances update."""
    least = balance_decimals(entry.asset)
    return {
        "ledger_id": entry.id, "ref_id": entry.ref, "timestamp": iso(entry.at_ns),
        "type": entry.kind, "asset": entry.asset, "asset_class": "currency",
        "category": entry.kind, **WALLET, "amount": number(money(entry.amount, least)),
        "fee": number(money(entry.fee, least)), "balance": number(money(entry.balance, least)),
    }
