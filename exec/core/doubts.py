"""Orders in doubt: asked about until there is evidence, never resent, never assumed.

"Not found" proves nothing while the request may still arrive: absence counts only when the question
left after the order's own deadline, which the venue enforces, and a margin for both clocks.
"""

import msgspec

from exec.core import ports as p
from exec.core.settings import Settings
from exec.state.entries import Order
from exec.state.orders import State as OrderState
from exec.state.state import State


class _Inquiry(msgspec.Struct):
    due_ns: int  # monotonic
    wait_ns: int


class Doubts:
    """Asks, with growing patience, about every order whose story is not complete."""

    def __init__(
        self, state: State, gateways: dict[str, p.Gateway], settings: Settings, clock: p.Clock
    ) -> None:
        self._state, self._gateways, self._settings, self._clock = state, gateways, settings, clock
        self._inquiries: dict[int, _Inquiry] = {}

    def ask_now(self, order: Order) -> None:
        """Ask about an order at once, and go on until its story is complete."""
        now_ns = self._clock.mono_ns()
        self._inquiries[order.intent.order] = _Inquiry(now_ns, self._settings.query_first_ns)
        self.turn()

    def turn(self) -> None:
        """Ask what is due; forget what is settled."""
        now_ns = self._clock.mono_ns()
        for number in [each for each in self._inquiries if each not in self._state.live]:
            del self._inquiries[number]
        for number, order in self._state.live.items():
            if not _incomplete(order):
                self._inquiries.pop(number, None)
                continue
            inquiry = self._inquiries.get(number)
            if inquiry is None:
                inquiry = self._inquiries[number] = _Inquiry(now_ns, self._settings.query_first_ns)
            if now_ns >= inquiry.due_ns:
                inquiry.due_ns = now_ns + inquiry.wait_ns
                inquiry.wait_ns = min(2 * inquiry.wait_ns, self._settings.query_max_ns)
                self._gateways[order.intent.venue].query(order.intent, order.venue_order)

    def proves_absence(self, order: Order, report: p.Seen) -> bool:
        """Return whether "not found" was asked late enough to mean that it never will be."""
        deadline_ns = order.intent.deadline_unix_ns + self._settings.proof_margin_ns
        return order.state is OrderState.UNKNOWN and report.asked_unix_ns > deadline_ns


def _incomplete(order: Order) -> bool:
    """Return whether evidence is missing: of its end, or of fills that the venue told of."""
    return order.state is OrderState.UNKNOWN or order.booked < order.venue_filled
