"""What a trader wants to see of each table, newest last."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

import msgspec

from engine.model.quanta import plain
from exec.ledger.pnl import strategy_name, total_of
from exec.ledger.results import money_text
from exec.ledger.store import Database, Value
from exec.text import amounts, micro, when
from shm.layout import TradingState

Cells = list[str]
_JSON: Final = frozenset({"legs", "flows", "fees", "slippage", "leg_risk", "fields"})
_SIDES: Final = {1: "buy", -1: "sell"}


class View(NamedTuple):
    """How a table is asked for and shown."""

    query: str  # two values: since when, and how many rows at most; newest first
    head: Sequence[str]
    cells: Callable[[Any], Cells]


def rows(database: Database, table: str, *, since_ns: int, limit: int) -> list[dict[str, Any]]:
    """Return the newest rows of a table since a time, oldest first, with JSON decoded."""
    found = database.select(VIEWS[table].query, (since_ns, limit))
    return [_decoded(row) for row in reversed(found)]


def _decoded(row: dict[str, Value]) -> dict[str, Any]:
    return {name: msgspec.json.decode(value) if name in _JSON and isinstance(value, str) else value
            for name, value in row.items()}


def _newest(table: str, order: str, moved: str = "unix_ns") -> str:
    return f"SELECT * FROM {table} WHERE {moved} >= ? ORDER BY {order} DESC LIMIT ?"  # noqa: S608


def _legs(legs: Sequence[dict[str, Any]]) -> str:
    return ", ".join(f"{_SIDES[leg['side']]} {leg['size']} {leg['symbol']} {leg['venue']}"
                     f" @ {leg['price']}" for leg in legs)


def _opportunity(row: Any) -> Cells:
    taken = "traded" if not row["refused"] else (
        f"{row['refused']}: {row['number']} against {row['bound']}")
    return [when(row["unix_ns"]), str(row["signal"]), strategy_name(row["strategy"]),
            _legs(row["legs"]), f"{row['net_edge_ppm'] / 100:.2f}", micro(row["expected_micro"]),
            taken]


def _order(row: Any) -> Cells:
    filled = Decimal(row["filled"])
    average = plain(f"{Decimal(row['value']) / filled:.8f}") if filled else "-"
    return [when(row["unix_ns"]), str(row["number"]), row["venue"], row["symbol"],
            _SIDES[row["side"]], row["price"], row["size"], row["filled"], average, row["tif"],
            row["purpose"], row["state"].lower(), when(row["changed_ns"])]


def _fill(row: Any) -> Cells:
    taker = {1: "taker", 0: "maker"}.get(row["taker"], "-")
    return [when(row["unix_ns"]), str(row["number"]) if row["number"] else "not ours",
            row["venue"], row["symbol"], _SIDES[row["side"]], row["price"], row["size"],
            row["value"], f"{row['fee']} {row['fee_asset']}", taker, row["kind"], row["trade"]]


def _trade(row: Any) -> Cells:
    name = strategy_name(row["strategy"]) if row["run"] else "operator"
    return [when(row["unix_ns"]), str(row["plan"]), name, _legs(row["legs"]),
            micro(row["expected_micro"]), micro(row["realised_micro"]),
            amounts(row["slippage"]), amounts(row["fees"]), amounts(row["leg_risk"]),
            row["outcome"] or "open"]


def _position(row: Any) -> Cells:
    return [row["venue"], row["symbol"], row["size"], row["cost"], row["realised"],
            row["held"] or "-", when(row["unix_ns"])]


def _balance(row: Any) -> Cells:
    return [row["venue"], row["asset"], money_text(total_of(row)), row["free"] or "-",
            row["locked"] or "-", row["booked"], when(row["counted_ns"]), when(row["unix_ns"])]


def _audit(row: Any) -> Cells:
    if row["kind"] == "statechanged":
        for name in ("before", "now"):
            row["fields"][name] = TradingState(row["fields"][name]).name
    words = ", ".join(f"{name} {value}" for name, value in row["fields"].items() if value != "")
    return [when(row["unix_ns"]), str(row["sequence"]), row["kind"], words]


def _metric(row: Any) -> Cells:
    return [row["process"], row["metric"], str(row["value"]), when(row["unix_ns"])]


VIEWS: Final = {
    "opportunities": View(
        _newest("opportunities", "sequence"),
        ("time", "signal", "strategy", "legs", "edge bps", "expected", "outcome"), _opportunity),
    "orders": View(
        _newest("orders", "number", "changed_ns"),
        ("time", "order", "venue", "symbol", "side", "price", "size", "filled", "average", "tif",
         "purpose", "state", "changed"), _order),
    "fills": View(
        _newest("fills", "sequence"),
        ("time", "order", "venue", "symbol", "side", "price", "size", "value", "fee", "as", "kind",
         "trade"), _fill),
    "trades": View(
        _newest("trades", "plan"),
        ("time", "plan", "strategy", "legs", "expected", "realised", "slippage", "fees",
         "leg risk", "outcome"), _trade),
    "positions": View(
        _newest("positions", "venue DESC, symbol"),
        ("venue", "symbol", "size", "cost", "realised", "at venue", "changed"), _position),
    "balances": View(
        _newest("balances", "venue DESC, asset"),
        ("venue", "asset", "total", "free", "locked", "booked", "counted", "changed"), _balance),
    "audit": View(
        _newest("audit", "sequence"), ("time", "record", "kind", "what"), _audit),
    "metrics": View(  # of each number the newest value
        "SELECT newest.process, newest.metric, system_metrics.value, newest.unix_ns FROM"
        " (SELECT process, metric, MAX(unix_ns) AS unix_ns FROM system_metrics WHERE unix_ns >= ?"
        " GROUP BY process, metric) AS newest JOIN system_metrics ON"
        " system_metrics.process = newest.process AND system_metrics.metric = newest.metric AND"
        " system_metrics.unix_ns = newest.unix_ns"
        " ORDER BY newest.process DESC, newest.metric DESC LIMIT ?",
        ("process", "metric", "value", "time"), _metric),
}
