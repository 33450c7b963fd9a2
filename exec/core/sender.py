"""The one place where orders leave: written down first, approved, durable, then handed over."""

from collections.abc import Callable
from functools import cache
from typing import Final

from exec import failpoint
from exec import records as r
from exec.core import ports as p
from exec.core.settings import Settings
from exec.gate.approval import Approval, Gate
from exec.gate.breakers import Circuit
from exec.gate.checks import Proposed, Purpose
from exec.gate.throttle import Throttle
from exec.state.entries import Order
from exec.state.orders import FINAL
from exec.state.state import State
from shm.layout import Veto

_BASE36: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_PAIRS: Final = 36 * 36
HEDGES: Final = frozenset({Purpose.CHASE, Purpose.UNWIND})
WhenDurable = Callable[[int, Callable[[], None]], None]


class Sender:
    """Intends, sends and cancels the orders of one account."""

    def __init__(
        self, log: p.Log, state: State, gate: Gate, gateways: dict[str, p.Gateway],
        circuits: dict[str, Circuit], throttles: dict[str, Throttle], flags: p.Flags,
        clock: p.Clock, settings: Settings, books: p.Books, when_durable: WhenDurable,
    ) -> None:
        """``when_durable(number, action)`` acts once the record of that number is safe."""
        self._log, self._state, self._gate, self._gateways = log, state, gate, gateways
        self._circuits, self._throttles, self._flags = circuits, throttles, flags
        self._clock, self._settings, self._books = clock, settings, books
        self._when_durable = when_durable
        self.prepared: dict[int, tuple[Proposed, Approval]] = {}  # written down, not yet sent

    def intend(
        self, plan: int, leg: int, proposed: Proposed, approval: Approval, purpose: Purpose,
        tif: r.Tif,
    ) -> int:
        """Write an order down before anything of it leaves; return its number."""
        number = self._log.next_sequence
        deadline_ns = self._clock.unix_ns() + self._settings.request_life_ns
        self.prepared[number] = (proposed, approval)
        self._circuits[proposed.venue].begin(number)
        self._log.append(r.Intended(
            number, plan, leg, proposed.venue, proposed.symbol, proposed.side, proposed.price,
            proposed.size, tif, False, False, client_id(self._state.birth, number),
            approval.token, deadline_ns, purpose))
        failpoint.reach(failpoint.AFTER_INTENT)
        return number

    def send_when_durable(
        self, numbers: list[int], expiry_ns: int, then: Callable[[], None]
    ) -> None:
        """Send orders once they are safe in the journal, unless their time is up by then."""
        def act() -> None:
            if expiry_ns and self._clock.mono_ns() > expiry_ns:
                left: list[r.Sent | r.Unsent] = [
                    r.Unsent(each, "expired before it could be sent") for each in numbers]
            else:
                left = [self._hand_over(number) for number in numbers]
            for record in left:
                proposed, _ = self.prepared.pop(record.order)
                if isinstance(record, r.Unsent):
                    self._circuits[proposed.venue].unsent(record.order)
                self._log.append(record)
            then()

        self._when_durable(numbers[-1], act)

    def _hand_over(self, number: int) -> r.Sent | r.Unsent:
        """Hand an order over; return what is to be written of that once all of its plan have left.

        Until then each of them is a doubt, as it was from the moment that it was intended.
        """
        intent = self._state.orders[number].intent
        proposed, approval = self.prepared[number]
        book = self._books.quote(intent.venue, intent.symbol)  # the gate's word may be old by now
        if self._flags.killed():
            return r.Unsent(number, "killed")
        if not self._gate.admits(approval, proposed, intent.purpose):
            return r.Unsent(number, "its approval is of other limits or another life")
        if intent.purpose in HEDGES and intent.size > self._missing(intent):
            return r.Unsent(number, "less is missing by now")
        if book.distrust:
            return r.Unsent(
                number, f"its book is not to be believed: {Veto(book.distrust).name}")
        self._throttles[intent.venue].take(self._clock.mono_ns())
        channel = self._gateways[intent.venue].place(intent, proposed, approval)
        failpoint.reach(failpoint.AFTER_SEND)
        if not channel:
            return r.Unsent(number, "the gateway sent nothing")
        return r.Sent(number, channel, book.version, book.distrust)

    def _missing(self, intent: r.Intended) -> int:
        """Return what a hedge's plan still needs: a fill may have come since it was intended."""
        return -self._state.plans[intent.plan].residual * intent.side

    def cancel(self, number: int, why: str) -> str:
        """Ask for a cancel of a live order; return the channel, or "" when nothing left.

        It leaves before it is written down: a journal that takes nothing any more stops no cancel.
        """
        order = self._state.orders[number]
        if order.state in FINAL:
            return ""
        self._throttles[order.intent.venue].take(self._clock.mono_ns())
        channel = self._gateways[order.intent.venue].cancel(order.intent, order.venue_order)
        failpoint.reach(failpoint.AFTER_CANCEL)
        self._log.append(r.CancelAsked(number, why))
        return channel

    def cancel_stray(self, order: Order) -> None:
        """Cancel an order that the venue still lists although it had ended by its own word."""
        self._gateways[order.intent.venue].cancel(order.intent, order.venue_order)

    def cancel_all(self, why: str, venue: str = "") -> None:
        """Cancel everything, everywhere or at one venue, with the venues' own cancel-all first.

        Raises NoSpace where that cannot be written down; the cancels have left all the same.
        """
        for name, gateway in self._gateways.items():
            if venue in ("", name):
                gateway.cancel_all()
        for number, order in [*self._state.live.items()]:
            sent = order.state not in FINAL and number not in self.prepared
            if sent and venue in ("", order.intent.venue):
                self._log.append(r.CancelAsked(number, why))


def client_id(birth: int, number: int) -> str:
    """Return the client order id of an order: 18 letters and digits at most, never repeated.

    So every venue takes it: Kraken's cl_ord_id is the shortest, OKX allows no other sign.
    """
    return f"t{_birth_in_base36(birth)}x{_in_base36(number)}"


def birth_of(found: str) -> int | None:
    """Return the journal's birth that a client order id names, None where it is not of our kind."""
    head, mark, tail = found[1:].partition("x")
    if not (found.startswith("t") and mark and head and tail and (head + tail).isalnum()):
        return None
    try:
        int(tail, 36)
        return int(head, 36)
    except ValueError:
        return None


@cache
def _birth_in_base36(birth: int) -> str:
    return _in_base36(birth)


def _in_base36(number: int) -> str:
    digits = ""
    while number >= _PAIRS:
        number, pair = divmod(number, _PAIRS)
        digits = _BASE36[pair // 36] + _BASE36[pair % 36] + digits
    head = _BASE36[number // 36] if number >= len(_BASE36) else ""
    return head + _BASE36[number % 36] + digits
