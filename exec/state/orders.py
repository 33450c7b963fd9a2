"""The life of one order: a table of what each word of the venue, or of ours, does to it.

    INTENDED ─ sent ─▶ SENT ─ acknowledged ─▶ OPEN ─ cancel asked ─▶ CANCELLING ─ ended ─▶ CANCELLED
        │                │                      │                        │
        ╰─ unsent ─▶ UNSENT                     ╰──── doubted ───────────┴─▶ UNKNOWN ─ proven ─▶ ...

A fill is booked in every state, at any age; it alone makes an order FILLED.  What the table does
not know is odd: it changes nothing, except that a final state which the venue contradicts becomes
a doubt again.  UNKNOWN is left by evidence alone.
"""

from enum import Enum, IntEnum
from typing import Final


class State(IntEnum):
    """Where an order stands."""

    INTENDED = 1  # in the journal; no byte has left
    SENT = 2
    OPEN = 3
    CANCELLING = 4
    UNKNOWN = 5  # counts as open at its worst case
    FILLED = 6
    CANCELLED = 7
    EXPIRED = 8
    REJECTED = 9
    UNSENT = 10
    ABSENT = 11  # proven never to have reached the book


class Event(Enum):
    """What can happen to it, fills apart."""

    SENT = "sent"
    UNSENT = "unsent"
    ACKNOWLEDGED = "acknowledged"
    REJECTED = "rejected"
    CANCEL_ASKED = "cancel asked"
    CANCEL_REFUSED = "cancel refused"
    DOUBTED = "doubted"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    FOUND_OPEN = "found open"
    FOUND_ABSENT = "found absent"


FINAL: Final = frozenset({
    State.FILLED, State.CANCELLED, State.EXPIRED, State.REJECTED, State.UNSENT, State.ABSENT})
LIVE: Final = frozenset(State) - FINAL
_S, _E = State, Event

_TABLE: Final[dict[State, dict[Event, State]]] = {
    _S.INTENDED: {
        _E.SENT: _S.SENT, _E.UNSENT: _S.UNSENT, _E.ACKNOWLEDGED: _S.OPEN,
        _E.REJECTED: _S.REJECTED, _E.DOUBTED: _S.UNKNOWN, _E.CANCELLED: _S.CANCELLED,
        _E.EXPIRED: _S.EXPIRED,
    },
    _S.SENT: {
        _E.ACKNOWLEDGED: _S.OPEN, _E.REJECTED: _S.REJECTED, _E.DOUBTED: _S.UNKNOWN,
        _E.CANCEL_ASKED: _S.CANCELLING, _E.CANCELLED: _S.CANCELLED, _E.EXPIRED: _S.EXPIRED,
        _E.FOUND_OPEN: _S.OPEN,
    },
    _S.OPEN: {
        _E.SENT: _S.OPEN, _E.ACKNOWLEDGED: _S.OPEN, _E.CANCEL_ASKED: _S.CANCELLING,
        _E.DOUBTED: _S.UNKNOWN, _E.CANCELLED: _S.CANCELLED, _E.EXPIRED: _S.EXPIRED,
        _E.FOUND_OPEN: _S.OPEN,
    },
    _S.CANCELLING: {
        _E.SENT: _S.CANCELLING, _E.ACKNOWLEDGED: _S.CANCELLING, _E.CANCEL_ASKED: _S.CANCELLING,
        _E.REJECTED: _S.REJECTED, _E.CANCEL_REFUSED: _S.UNKNOWN, _E.DOUBTED: _S.UNKNOWN,
        _E.CANCELLED: _S.CANCELLED, _E.EXPIRED: _S.EXPIRED, _E.FOUND_OPEN: _S.CANCELLING,
    },
    _S.UNKNOWN: {
        _E.SENT: _S.UNKNOWN, _E.ACKNOWLEDGED: _S.OPEN, _E.REJECTED: _S.REJECTED,
        _E.CANCEL_ASKED: _S.UNKNOWN, _E.CANCEL_REFUSED: _S.UNKNOWN, _E.DOUBTED: _S.UNKNOWN,
        _E.CANCELLED: _S.CANCELLED, _E.EXPIRED: _S.EXPIRED, _E.FOUND_OPEN: _S.OPEN,
        _E.FOUND_ABSENT: _S.ABSENT,
    },
} | {
    # late words about what has ended: the first end stays
    state: {
        _E.SENT: state, _E.ACKNOWLEDGED: state, _E.CANCEL_ASKED: state, _E.CANCEL_REFUSED: state,
        _E.DOUBTED: state, _E.CANCELLED: state, _E.EXPIRED: state,
    } for state in (_S.FILLED, _S.CANCELLED, _S.EXPIRED)
} | {
    _S.REJECTED: {_E.SENT: _S.REJECTED, _E.REJECTED: _S.REJECTED, _E.DOUBTED: _S.REJECTED,
                  _E.FOUND_ABSENT: _S.REJECTED, _E.CANCEL_REFUSED: _S.REJECTED},
    _S.UNSENT: {_E.FOUND_ABSENT: _S.UNSENT},
    _S.ABSENT: {_E.DOUBTED: _S.ABSENT, _E.FOUND_ABSENT: _S.ABSENT, _E.REJECTED: _S.ABSENT,
                _E.CANCEL_REFUSED: _S.ABSENT},
}
# words that deny a final state which said that the order never rested, or rests no more
_DENIALS: Final = {
    _S.REJECTED: {_E.ACKNOWLEDGED, _E.FOUND_OPEN, _E.CANCELLED, _E.EXPIRED},
    _S.UNSENT: {_E.SENT, _E.ACKNOWLEDGED, _E.FOUND_OPEN, _E.CANCELLED, _E.EXPIRED, _E.REJECTED},
    _S.ABSENT: {_E.ACKNOWLEDGED, _E.FOUND_OPEN, _E.CANCELLED, _E.EXPIRED},
    _S.CANCELLED: {_E.FOUND_OPEN},
    _S.EXPIRED: {_E.FOUND_OPEN},
}


def after(state: State, event: Event) -> tuple[State, bool]:
    """Return the state that an event leads to, and whether the event was odd."""
    there = _TABLE[state].get(event)
    if there is not None:
        return there, False
    return (State.UNKNOWN if event in _DENIALS.get(state, ()) else state), True


def after_fill(state: State, *, booked: int, size: int) -> tuple[State, bool]:
    """Return the state after a fill that brought the booked size to ``booked``, and if it was odd.

    A fill shows that the order reached the book: of an order in doubt it does not show whether the
    rest still lies there.
    """
    if booked >= size:
        return State.FILLED, booked > size or state in (State.UNSENT, State.REJECTED, State.ABSENT)
    if state in (State.INTENDED, State.SENT):
        return State.OPEN, False
    if state in (State.UNSENT, State.REJECTED, State.ABSENT):
        return State.UNKNOWN, True
    return state, False


def after_bust(state: State, *, booked: int, size: int) -> State:
    """Return the state after a trade was taken back: nobody says that the rest is open again."""
    return State.CANCELLED if state is State.FILLED and booked < size else state
