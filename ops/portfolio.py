"""What execution told of itself last: plain values, copied from shared memory, money exact.

It stays readable when execution hangs or is dead; ``Portfolio.age_ns`` and ``doubt`` say how far
to believe it.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import numpy as np

from ops.records import Process
from shm.layout import ProcessState, TradingState
from shm.portfolio_layout import BALANCES_MAX, ORDERS_MAX, POSITIONS_MAX, OrderState, OrderTif

OLD_NS: Final = 3_000_000_000  # execution publishes once a second at least


@dataclass(frozen=True, slots=True)
class Order:
    """One order; prices and sizes exact, in units of the pair."""

    number: int
    plan: int
    venue: str
    symbol: str
    side: int  # +1 buy, -1 sell
    price: Decimal
    size: Decimal
    filled: Decimal
    state: OrderState
    live: bool  # it may still fill, or a fill that the venue told of is not booked yet
    tif: OrderTif
    purpose: str
    strategy: str
    client_id: str
    venue_order: str
    born_unix_ns: int
    changed_unix_ns: int


@dataclass(frozen=True, slots=True)
class Balance:
    """What is held of an asset at a venue; ``value`` in the reference currency, 0 if unknown."""

    venue: str
    asset: str
    total: Decimal
    reserved: Decimal  # for live orders
    value: Decimal
    counted_unix_ns: int  # when the venue last told; 0: never

    @property
    def free(self) -> Decimal:
        """Return what new orders may use."""
        return self.total - self.reserved


@dataclass(frozen=True, slots=True)
class Position:
    """A perpetual's position, signed; ``cost`` and ``realised`` in what it settles in."""

    venue: str
    symbol: str
    size: Decimal
    cost: Decimal
    realised: Decimal
    value: Decimal

    @property
    def unrealised(self) -> Decimal:
        """Return what closing it at the present rate would make."""
        return self.value - self.cost if self.value else Decimal(0)


@dataclass(frozen=True, slots=True)
class Portfolio:
    """One complete copy; counts are of all there is, the lists hold what had room."""

    version: int
    age_ns: int
    unix_ns: int
    mode: str
    account: str
    trading_state: TradingState
    who: str  # who set it, and why
    why: str
    life: int
    records: int  # in the journal
    order_count: int
    live_count: int
    unknown_count: int
    balance_count: int
    position_count: int
    plan_count: int
    open_plans: int
    fill_count: int
    losses_in_row: int
    profit: Decimal  # of closed plans, in the reference currency: since the books began
    profit_day: Decimal  # on this UTC day
    profit_hour: Decimal
    unhedged: Decimal
    gross: Decimal
    equity: Decimal
    unready: dict[str, str]  # venues that orders may not go to now, and why
    balances: list[Balance]
    positions: list[Position]
    orders: list[Order]  # live ones first, then the newest


def doubt(portfolio: Portfolio | None, process: Process, silence_max_ns: int) -> str:
    """Return why what stands in the portfolio may not be how things are now; "" if it is."""
    if portfolio is None:
        return "execution has told nothing yet"
    old = f"what it told last is {portfolio.age_ns / 1e9:.1f} s old"
    if process.state is not ProcessState.READY:
        return f"execution is {process.state.name}; {old}"
    if process.heartbeat_age_ns > silence_max_ns:
        return f"execution has shown no life for {process.heartbeat_age_ns / 1e9:.1f} s; {old}"
    return f"execution is alive, but {old}" if portfolio.age_ns > OLD_NS else ""


def portfolio_of(version: int, found: np.void, mono_ns: int) -> Portfolio:
    """Return the Portfolio of a ``shm.portfolio_layout.PORTFOLIO``."""
    head = found["head"]
    live = int(head["live_orders"])
    who, why = _said(_text(head["why"]))
    lines = (line.partition(": ") for line in _text(head["unready"]).splitlines())
    shown = {name: int(head[name]) for name in (
        "life", "records", "open_plans", "losses_in_row", "unix_ns")}
    return Portfolio(
        version=version, age_ns=mono_ns - int(head["mono_ns"]), mode=_text(head["mode"]),
        account=_text(head["account"]), trading_state=TradingState(int(head["trading_state"])),
        who=who, why=why, order_count=int(head["orders"]), live_count=live,
        unknown_count=int(head["unknown_orders"]), balance_count=int(head["balances"]),
        position_count=int(head["positions"]), plan_count=int(head["plans"]),
        fill_count=int(head["fills"]), **shown,
        profit=_micro(head["profit_micro"]), profit_day=_micro(head["profit_day_micro"]),
        profit_hour=_micro(head["profit_hour_micro"]), unhedged=_micro(head["unhedged_micro"]),
        gross=_micro(head["gross_micro"]), equity=_micro(head["equity_micro"]),
        unready={venue: reason for venue, _, reason in lines},
        balances=[_balance(row) for row in found["balances"][: _least(head, "balances")]],
        positions=[_position(row) for row in found["positions"][: _least(head, "positions")]],
        orders=[_order(row, live=at < live)
                for at, row in enumerate(found["orders"][: _least(head, "orders")])],
    )


_ROOM: Final = {"balances": BALANCES_MAX, "positions": POSITIONS_MAX, "orders": ORDERS_MAX}


def _said(text: str) -> tuple[str, str]:
    """Split "who: why"; a text without a colon is a reason by nobody."""
    who, colon, why = text.partition(": ")
    return (who, why) if colon else ("", text)


def _least(head: np.void, part: str) -> int:
    return min(int(head[part]), _ROOM[part])


def _text(value: bytes) -> str:
    return value.decode(errors="replace")


def _micro(value: int) -> Decimal:
    return Decimal(int(value)).scaleb(-6)


def _exact(value: bytes) -> Decimal:
    return Decimal(value.decode() or "0")


def _order(row: np.void, *, live: bool) -> Order:
    return Order(
        number=int(row["number"]), plan=int(row["plan"]), venue=_text(row["venue"]),
        symbol=_text(row["symbol"]), side=int(row["side"]), price=_exact(row["price"]),
        size=_exact(row["size"]), filled=_exact(row["filled"]),
        state=OrderState(int(row["state"])), live=live, tif=OrderTif(int(row["tif"])),
        purpose=_text(row["purpose"]), strategy=_text(row["strategy"]),
        client_id=_text(row["client_id"]), venue_order=_text(row["venue_order"]),
        born_unix_ns=int(row["born_unix_ns"]), changed_unix_ns=int(row["changed_unix_ns"]),
    )


def _balance(row: np.void) -> Balance:
    return Balance(
        venue=_text(row["venue"]), asset=_text(row["asset"]), total=_exact(row["total"]),
        reserved=_exact(row["reserved"]), value=_micro(row["value_micro"]),
        counted_unix_ns=int(row["counted_unix_ns"]),
    )


def _position(row: np.void) -> Position:
    return Position(
        venue=_text(row["venue"]), symbol=_text(row["symbol"]), size=_exact(row["size"]),
        cost=_exact(row["cost"]), realised=_exact(row["realised"]),
        value=_micro(row["value_micro"]),
    )
