"""How often a strategy did the same again: rejected orders, and plans, within a window.

Too often, and it may not trade until an operator lets it (RTS 6 article 15(3)).  What the window
holds is counted anew from the journal's state when a life begins.
"""

from collections import deque
from functools import cache
from typing import Final

from exec.core.exposure import OPERATOR, strategy_of
from exec.gate.breakers import Breaker
from exec.gate.limits import Limits
from exec.orders import State as OrderState
from exec.state import State

_HEAD: Final = "strategy:"  # of a strategy's name among the breakers
_CLOSED: Final = Breaker.CLOSED


@cache
def name_of(strategy: str) -> str:
    """Return how a strategy is called among the breakers."""
    return f"{_HEAD}{strategy}"


def strategy_in(name: str) -> str:
    """Return the strategy that a breaker's name is of, "" if it is of none."""
    return name.removeprefix(_HEAD) if name.startswith(_HEAD) else ""


def barred(state: State, strategy: str) -> bool:
    """Return whether a strategy waits for an operator."""
    return state.breakers.get(name_of(strategy), _CLOSED) != _CLOSED


class Repeats:
    """The times of rejects and plans, by strategy; never more than the limits let happen."""

    def __init__(self, state: State, limits: Limits) -> None:
        """Count what the newest window of a replayed journal holds."""
        self._window_ns = limits.repeats_window_ns
        self._bounds = {True: limits.rejects_max, False: limits.executions_max}
        self._times: dict[tuple[str, bool], deque[int]] = {}
        since_ns = state.last_ns - self._window_ns
        for order in state.orders.values():
            if order.state is OrderState.REJECTED and order.changed_ns > since_ns:
                strategy = strategy_of(state, order.intent.plan)
                self.note(strategy, order.changed_ns, reject=True)
        for number, plan in state.plans.items():
            if plan.born_ns > since_ns:
                self.note(strategy_of(state, number), plan.born_ns, reject=False)

    def note(self, strategy: str, unix_ns: int, *, reject: bool) -> str:
        """Count one; return why the strategy must stop, "" while it may go on."""
        if strategy == OPERATOR:
            return ""
        bound = self._bounds[reject]
        times = self._times.setdefault((strategy, reject), deque(maxlen=bound))
        times.append(unix_ns)
        if len(times) < bound or unix_ns - times[0] >= self._window_ns:
            return ""
        what = "orders rejected" if reject else "plans"
        return f"{bound} {what} within {self._window_ns // 1_000_000_000} s"

    def forget(self, strategy: str) -> None:
        """Begin to count anew."""
        for reject in (True, False):
            self._times.pop((strategy, reject), None)
