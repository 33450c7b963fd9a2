"""What the fills of one plan made, by asset: flows, fees, slippage and leg risk, all exact.

Slippage is what its first orders cost beyond the planned prices, leg risk what chasing and
unwinding cost beyond them; both positive where the plan lost by it.
"""

import msgspec

from engine.model.quanta import from_quanta, plain
from exec import records as r
from exec.state.entries import Order, Plan, Trade
from exec.state.outstanding import MONEY_DECIMALS
from exec.state.state import State

RESCUES = frozenset({"chase", "unwind"})


class Result(msgspec.Struct):
    """Sums in quanta of 10**-24, by asset."""

    flows: dict[str, int] = {}  # what it brought, fees included
    fees: dict[str, int] = {}
    slippage: dict[str, int] = {}
    leg_risk: dict[str, int] = {}

    def add(self, state: State, plan: Plan, order: Order, trade: Trade, sign: int) -> None:
        """Add a fill, or take it back with ``sign`` -1."""
        intent = order.intent
        place = (intent.venue, intent.symbol)
        listed = state.listed[place]
        value = state.value(place, trade.price, trade.size)
        if not listed.settle:
            _add(self.flows, listed.base, sign * trade.side * state.amount(place, trade.size))
        _add(self.flows, listed.quote, -sign * trade.side * value)
        _add(self.flows, trade.fee_asset, -sign * trade.fee)
        _add(self.fees, trade.fee_asset, sign * trade.fee)
        if intent.leg < len(plan.planned.legs):
            planned = state.value(place, plan.planned.legs[intent.leg].price, trade.size)
            where = self.leg_risk if intent.purpose in RESCUES else self.slippage
            _add(where, listed.quote, sign * trade.side * (value - planned))

    def row(self) -> dict[str, str]:
        """Return the four sums as JSON texts."""
        return {name: _written(amounts) for name, amounts in (
            ("flows", self.flows), ("fees", self.fees), ("slippage", self.slippage),
            ("leg_risk", self.leg_risk))}


def legs_text(legs: tuple[r.Leg, ...] | tuple[r.LegSeen, ...], state: State) -> str:
    """Return legs as JSON: where, which way, at what price, how much."""
    rows = []
    for leg in legs:
        listed = state.listed.get((leg.venue, leg.symbol))
        price, size = (listed.price_decimals, listed.size_decimals) if listed else (0, 0)
        rows.append({
            "venue": leg.venue, "symbol": leg.symbol, "side": leg.side,
            "price": decimal(leg.price, price), "size": decimal(leg.size, size)})
    return msgspec.json.encode(rows).decode()


def decimal(quanta: int, decimals: int) -> str:
    """Return exact decimal text without trailing zeros."""
    return plain(from_quanta(quanta, decimals))


def money_text(amount: int) -> str:
    """Return an amount of quanta of 10**-24 as exact decimal text."""
    return decimal(amount, MONEY_DECIMALS)


def _add(amounts: dict[str, int], asset: str, amount: int) -> None:
    amounts[asset] = amounts.get(asset, 0) + amount


def _written(amounts: dict[str, int]) -> str:
    texts = {asset: money_text(amount) for asset, amount in sorted(amounts.items()) if amount}
    return msgspec.json.encode(texts).decode()
