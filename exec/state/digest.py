"""A hash of all that execution knows, by which a replay is compared with the living state."""

import hashlib
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from exec.state.state import State


def digest_of(state: "State") -> str:
    """Return a hash of everything that records made."""
    parts = [
        [state.birth, state.life, state.mode, state.trading, state.trading_why],
        sorted(state.orders.items()), sorted(state.trades.items()),
        [[each.planned, each.born_ns, each.orders, each.closed, each.profit_micro,
          each.residual, each.taken_over,
          sorted((asset, str(flow)) for asset, flow in each.flows.items())]
         for _, each in sorted(state.plans.items())],
        sorted((place, str(amount)) for place, amount in state.holdings.items()),
        sorted((place, each.size, str(each.cost), str(each.realised))
               for place, each in state.positions.items()),
        sorted((place, str(total), str(then))
               for place, (total, then) in state.counts.items()),
        sorted((asset, str(amount)) for asset, amount in state.traded.items()),
        sorted(state.held.items()), sorted(state.breakers.items()),
        sorted(state.foreign.items()), sorted(state.signals), state.records,
        state.activity.digest(), sorted(state.places),
        sorted(state.commands.items()), state.flattening, state.alarm,
    ]
    encoded = msgspec.json.encode(parts, enc_hook=str)
    return hashlib.sha256(encoded).hexdigest()
