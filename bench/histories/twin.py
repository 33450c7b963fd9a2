"""The plain twin of the sums that ``exec.state`` keeps: every one counted anew from all orders."""

from typing import Any

from exec.core.exposure import needs, pays
from exec.core.turns import owed
from exec.state.outstanding import NOBODY
from exec.state.state import State


def sums_of(state: State) -> dict[str, Any]:
    """Return the sums as the state keeps them, without what is nothing."""
    kept = state.outstanding
    return {
        "by venue": _nested(kept.by_venue), "by strategy": _nested(kept.by_strategy),
        "whole": _solid(kept.whole), "buys": _solid(kept.buys), "sells": _solid(kept.sells),
        "reserved": _solid(kept.reserved), "kept": _solid(kept.kept), "counts": _solid(kept.counts),
        "best": {
            (venue, symbol, side): best for venue, symbol in state.listed for side in (1, -1)
            if (best := kept.best(venue, symbol, side))},
        "unhedged": _solid(state.unhedged),
        "residuals": {number: plan.residual for number, plan in state.plans.items()},
        "flows": {number: _solid(plan.flows) for number, plan in state.plans.items()},
    }


def counted_anew(state: State) -> dict[str, Any]:
    """Return the same from orders, plans and trades alone."""
    found: dict[str, Any] = {name: {} for name in (
        "by venue", "by strategy", "whole", "buys", "sells", "reserved", "kept", "counts", "best",
        "unhedged", "residuals", "flows")}
    for order in state.live.values():
        intent, left = order.intent, order.remaining
        place = (intent.venue, intent.symbol)
        listed = state.listed[place]
        _add(found["counts"], intent.venue, 1)
        value = state.value(place, intent.price, left)
        plan = state.plans.get(intent.plan)
        strategy = plan.planned.strategy if plan and plan.planned.run else NOBODY
        _add(found["by venue"].setdefault(intent.venue, {}), listed.quote, value)
        _add(found["by strategy"].setdefault(strategy, {}), listed.quote, value)
        _add(found["whole"], listed.quote, value)
        way = found["buys" if intent.side > 0 else "sells"]
        _add(way, listed.base, state.amount(place, left))
        _add(found["reserved"], (intent.venue, pays(state, place, intent.side)),
             needs(state, place, intent.side, intent.price, left, 0))
        if left:
            best = found["best"].setdefault((*place, intent.side), intent.price)
            found["best"][*place, intent.side] = (max if intent.side > 0 else min)(
                best, intent.price)
    _count_plans(state, found)
    for name in ("by venue", "by strategy"):
        found[name] = _nested(found[name])
    solid = {name: found[name] if name == "residuals" else _solid(found[name])
             for name in found if name not in ("by venue", "by strategy", "flows")}
    flows = {number: _solid(each) for number, each in found["flows"].items()}
    return {**found, **solid, "flows": flows}


def _count_plans(state: State, found: dict[str, Any]) -> None:
    for number, plan in state.plans.items():
        orders = [state.orders[each] for each in plan.orders]
        residual = sum(each.booked * each.intent.side for each in orders)
        found["residuals"][number], found["flows"][number] = residual, {}
        if number in state.open_plans:
            leg = plan.planned.legs[0]
            place = (leg.venue, leg.symbol)
            owing = owed(state, plan)
            if owing:
                second = plan.planned.legs[1]
                there = (second.venue, second.symbol)
                _add(found["kept"], (second.venue, pays(state, there, second.side)),
                     needs(state, there, second.side, second.price, owing, 0))
            _add(found["unhedged"], state.listed[place].quote,
                 state.value(place, leg.price, abs(residual)))
    for (venue, symbol, _), trade in state.trades.items():
        order = state.orders.get(trade.order)
        flows = found["flows"].get(order.intent.plan) if order else None
        if flows is not None:
            place = (venue, symbol)
            _add(flows, state.listed[place].quote,
                 -state.value(place, trade.price, trade.size) * trade.side)
            _add(flows, trade.fee_asset, -trade.fee)


def _add(sums: dict[Any, int], key: object, change: int) -> None:
    sums[key] = sums.get(key, 0) + change


def _solid(sums: dict[Any, int]) -> dict[Any, int]:
    return {key: amount for key, amount in sums.items() if amount}


def _nested(sums: dict[Any, dict[str, int]]) -> dict[Any, dict[str, int]]:
    return {key: solid for key, each in sums.items() if (solid := _solid(each))}
