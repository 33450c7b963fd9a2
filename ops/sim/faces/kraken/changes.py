"""What both protocols do alike: amend one order, cancel many, take a batch apart."""

from collections.abc import Iterable
from typing import Any, Final

from ops.sim.exchange.orders import Kind
from ops.sim.faces.kraken.answers import INVALID, UNKNOWN_ORDER, Declined, invalid
from ops.sim.faces.kraken.finder import Finder
from ops.sim.faces.kraken.params import Params, price_of, size_of
from ops.sim.faces.kraken.trading import Trading

BATCH: Final = range(2, 16)  # orders
CANCELS_MAX: Final = 50
BAD_ORDER: Final = "EOrder:Invalid order"


def amend(
    finder: Finder, trading: Trading, account: str, params: Params, txid: str
) -> str:
    """Amend the order named by ``txid`` or ``cl_ord_id``; return the amendment's id."""
    order = finder.order(account, txid, params.text("cl_ord_id"))
    instrument = finder.of(order)
    size, price = params.decimal("order_qty"), params.decimal("limit_price")
    if size is None and price is None:
        raise Declined(INVALID)
    if price is not None and order.kind is not Kind.LIMIT:
        raise invalid("limit_price")
    symbol, decimals = instrument.symbol, instrument.line.tick_decimals
    return trading.amend(
        order, instrument, post_only=params.flag("post_only"),
        price=price_of(price, symbol, decimals, instrument.altname) if price else 0,
        size=size_of(size, symbol, "order_qty") if size else 0)


def cancel_each(
    finder: Finder, trading: Trading, account: str, named: Iterable[tuple[str, str]]
) -> int:
    """Cancel the orders of (id or group tag, client id); those not open do not count."""
    pairs, count = list(named), 0
    if not 0 < len(pairs) <= CANCELS_MAX:
        raise invalid("orders")
    for txid, client_id in pairs:
        try:
            for order in finder.to_cancel(account, txid, client_id):
                trading.cancel(order)
                count += 1
        except Declined as refusal:
            if str(refusal) not in (UNKNOWN_ORDER, BAD_ORDER):
                raise
    if not count:
        raise Declined(UNKNOWN_ORDER)
    return count


def batch_of(params: Params, shared: Iterable[str]) -> list[dict[str, Any]]:
    """Return the 2 to 15 orders of a batch, each with the fields they share."""
    rows = params.fields.get("orders")
    if (not isinstance(rows, list) or len(rows) not in BATCH
            or not all(isinstance(row, dict) for row in rows)):
        raise invalid("orders")
    common = {name: params.fields[name] for name in shared if name in params}
    return [row | common for row in rows]
