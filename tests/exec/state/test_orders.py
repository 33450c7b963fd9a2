"""exec.state.orders: the table is whole, fills count everywhere, doubts end by evidence alone."""

import itertools

import pytest

from exec.state.orders import FINAL, LIVE, Event, State, after, after_bust, after_fill

PAIRS = [*itertools.product(State, Event)]
EVIDENCE = {
    Event.ACKNOWLEDGED, Event.REJECTED, Event.CANCELLED, Event.EXPIRED, Event.FOUND_OPEN,
    Event.FOUND_ABSENT,
}


@pytest.mark.parametrize(("state", "event"), PAIRS)
def test_every_event_has_an_outcome_in_every_state(state: State, event: Event) -> None:
    there, odd = after(state, event)
    if odd:
        assert there in (state, State.UNKNOWN)


@pytest.mark.parametrize(("state", "event"), [pair for pair in PAIRS if pair[0] in FINAL])
def test_a_final_state_stays_or_becomes_a_doubt_that_is_told(state: State, event: Event) -> None:
    there, odd = after(state, event)
    assert there is state or (there is State.UNKNOWN and odd)


@pytest.mark.parametrize("event", Event)
def test_a_doubt_is_left_by_evidence_alone(event: Event) -> None:
    there, _ = after(State.UNKNOWN, event)
    assert (there is not State.UNKNOWN) == (event in EVIDENCE)


@pytest.mark.parametrize("state", sorted(LIVE - {State.UNKNOWN}))
def test_absence_is_proven_only_of_what_was_in_doubt(state: State) -> None:
    assert after(state, Event.FOUND_ABSENT) == (state, True)


@pytest.mark.parametrize("state", State)
def test_a_whole_fill_ends_any_order(state: State) -> None:
    never = state in (State.UNSENT, State.REJECTED, State.ABSENT)
    assert after_fill(state, booked=5, size=5) == (State.FILLED, never)
    assert after_fill(state, booked=6, size=5) == (State.FILLED, True)


@pytest.mark.parametrize("state", State)
def test_a_part_of_a_fill_never_ends_an_order_nor_revives_one_that_ended(state: State) -> None:
    there, odd = after_fill(state, booked=2, size=5)
    if state in (State.INTENDED, State.SENT):
        assert (there, odd) == (State.OPEN, False)
    elif state in (State.UNSENT, State.REJECTED, State.ABSENT):
        assert (there, odd) == (State.UNKNOWN, True)
    else:
        assert (there, odd) == (state, False)


def test_a_lost_answer_is_no_rejection() -> None:
    assert after(State.SENT, Event.DOUBTED) == (State.UNKNOWN, False)
    assert after(State.CANCELLING, Event.DOUBTED) == (State.UNKNOWN, False)


def test_a_refused_cancel_leaves_a_doubt_not_an_open_order() -> None:
    assert after(State.CANCELLING, Event.CANCEL_REFUSED) == (State.UNKNOWN, False)


ORDERLY = [Event.SENT, Event.ACKNOWLEDGED, "fill", "fill"]


@pytest.mark.parametrize("order", [*itertools.permutations(ORDERLY)])
def test_the_same_words_in_any_order_end_the_same(order: tuple[Event | str, ...]) -> None:
    state, booked = State.INTENDED, 0
    for word in order:
        if isinstance(word, Event):
            state, _ = after(state, word)
        else:
            booked += 1
            state, _ = after_fill(state, booked=booked, size=2)
    assert state is State.FILLED


def test_a_bust_takes_the_end_from_filled_alone() -> None:
    assert after_bust(State.FILLED, booked=1, size=2) is State.CANCELLED
    assert after_bust(State.OPEN, booked=1, size=2) is State.OPEN
    assert after_bust(State.FILLED, booked=2, size=2) is State.FILLED
