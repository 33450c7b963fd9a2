"""The one place where orders leave: written down first, approved, durable, then handed over."""

from collections.abc import Callable
from functools import cache
from typing import Final

from exec import records as r
from exec.core import ports as p
from exec.core.settings import Settings
from exec.gate.approval import Approval, Gate
from exec.gate.breakers import Circuit
from exec.gate.checks import Proposed, Purpose
from exec.gate.throttle import Throttle
from exec.orders import FINAL
from exec.state import Order, State

_BASE36: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_PAIRS: Final = 36 * 36
WhenDurable = Callable[[int, Callable[[], None]], None]


class Sender:
    """Intends, sends and cancels the orders of one account."""

    def __init__(
        self, log: p.Log, state: State, gate: Gate, gateways: dict[str, p.Gateway],
        circuits: dict[str, Circuit], throttles: dict[str, Throttle], flags: p.Flags,
        clock: p.Clock, settings: Settings, when_durable: WhenDurable,
    ) -> None:
        """``when_durable(number, action)`` acts once the record of that number is safe."""
        self._log, self._state, self._gate, self._gateways = log, state, gate, gateways
        self._circuits, self._throttles, self._flags = circuits, throttles, flags
        self._clock, self._settings, self._when_durable = clock, settings, when_durable
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
        return number

    def send_when_durable(
        self, numbers: list[int], expiry_ns: int, then: Callable[[], None]
    ) -> None:
        """Send orders once they are safe in the journal, unless their time is up by then."""
        def act() -> None:
            late = bool(expiry_ns) and self._clock.mono_ns() > expiry_ns
            if late:
                left = [("", "expired before it could be sent") for _ in numbers]
            else:
                left = [self._hand_over(number) for number in numbers]
            for number, (channel, why) in zip(numbers, left, strict=True):
                if channel:
                    del self.prepared[number]
                    self._log.append(r.Sent(number, channel))
                else:
                    self._unsent(number, why)
            then()

        self._when_durable(numbers[-1], act)

    def _hand_over(self, number: int) -> tuple[str, str]:
        """Hand an order over; return by what channel it left, or why not a byte of it did.

        What became of it is written down only when all orders of a plan have left: each is a doubt
        until then, as it was from the moment that it was intended.
        """
        intent = self._state.orders[number].intent
        proposed, approval = self.prepared[number]
        if self._flags.killed():
            return "", "killed"
        if not self._gate.admits(approval, proposed, intent.purpose):
            return "", "its approval is of other limits or another life"
        self._throttles[intent.venue].take(self._clock.mono_ns())
        channel = self._gateways[intent.venue].place(intent, proposed, approval)
        return channel, "the gateway sent nothing"

    def _unsent(self, number: int, why: str) -> None:
        proposed, _ = self.prepared.pop(number)
        self._circuits[proposed.venue].unsent(number)
        self._log.append(r.Unsent(number, why))

    def cancel(self, number: int, why: str) -> str:
        """Ask for a cancel of a live order; return the channel, or "" when nothing left."""
        order = self._state.orders[number]
        if order.state in FINAL:
            return ""
        self._log.append(r.CancelAsked(number, why))
        self._throttles[order.intent.venue].take(self._clock.mono_ns())
        return self._gateways[order.intent.venue].cancel(order.intent, order.venue_order)

    def cancel_stray(self, order: Order) -> None:
        """Cancel an order that the venue still lists although it had ended by its own word."""
        self._gateways[order.intent.venue].cancel(order.intent, order.venue_order)

    def cancel_all(self, why: str) -> None:
        """Cancel everything everywhere, with the venues' own cancel-all first."""
        for gateway in self._gateways.values():
            gateway.cancel_all()
        for number, order in [*self._state.live.items()]:
            if order.state not in FINAL:
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
