"""What state is made of: orders, plans and booked trades, and exact money."""

from decimal import Context
from typing import Final

import msgspec

from exec import records as r
from exec.state.orders import FINAL
from exec.state.orders import State as OrderState
from exec.state.outstanding import MONEY_DECIMALS, NOBODY

_EXACT: Final = Context(prec=100)  # the usual 28 digits would round balances of a million


class Order(msgspec.Struct):
    """One order of ours."""

    intent: r.Intended
    born_ns: int  # Unix
    state: OrderState = OrderState.INTENDED
    booked: int = 0  # size quanta in fills that we booked
    venue_filled: int = 0  # as far as the venue's word goes
    venue_order: str = ""
    changed_ns: int = 0  # when its state last moved
    cancel_asked_ns: int = 0
    odd: int = 0
    strategy: int = NOBODY  # of its plan
    counted: int = 0  # of what remains, in the sums of all

    @property
    def remaining(self) -> int:
        """Return what may still fill at worst: nothing once the end is sure."""
        whole = self.venue_filled if self.state in FINAL else self.intent.size
        left = whole - self.booked
        return left if left > 0 else 0

    @property
    def settled(self) -> bool:
        """Return whether it has ended and every fill that the venue told of is booked."""
        return self.state in FINAL and self.booked >= self.venue_filled


class Plan(msgspec.Struct):
    """One plan and its orders, in the order of their birth."""

    planned: r.Planned
    born_ns: int
    orders: list[int] = []
    closed: r.PlanClosed | None = None  # a later fill opens it again
    profit_micro: int = 0  # as far as it was closed
    residual: int = 0  # filled buys less filled sells, less ``taken_over``, in size quanta
    taken_over: int = 0  # by a flatten: others trade it back
    flows: dict[str, int] = {}  # what its fills moved, but its base, by asset, fees included
    counted: int = 0  # of the residual's value, in the sum of all
    owed: int = 0  # by its second leg, in size quanta, while that waits for the first


class Trade(msgspec.Struct, frozen=True):
    """What one booked fill did, so that it is booked once and can be taken back."""

    order: int
    side: int
    price: int
    size: int
    fee: int
    fee_asset: str
    realised: int | None = None  # what the venue credited, of a perpetual; None: it said nothing


def money(text: str) -> int:
    """Return exact decimal text in quanta of 10**-24; raise ValueError where it is not exact."""
    scaled = _EXACT.create_decimal(text).scaleb(MONEY_DECIMALS, _EXACT)
    if not scaled.is_finite() or scaled != scaled.to_integral_value(context=_EXACT):
        raise ValueError(f"{text!r} is no amount of {MONEY_DECIMALS} decimals at most")
    return int(scaled)
