"""exec.operator: each command acted on once, journaled, answered in words with numbers."""

import pytest

from bench.histories.venue import SYMBOL
from engine.control.protocol import (
    AnyReply,
    Cancel,
    CancelAll,
    Done,
    Flatten,
    Kill,
    Place,
    Refused,
    Reset,
)
from engine.model.errors import NoSpace
from exec import records as r
from exec.core.recovery import replay
from exec.orders import State as OrderState
from shm.layout import TradingState
from tests.exec.commanding import Commanded


@pytest.fixture
def desk() -> Commanded:
    return Commanded()


def refused(reply: AnyReply) -> str:
    assert isinstance(reply, Refused), reply
    return reply.text


def done(reply: AnyReply) -> str:
    assert isinstance(reply, Done), reply
    return reply.text


def test_an_order_by_hand_rests_at_the_venue_and_a_cancel_ends_it(desk: Commanded) -> None:
    text = done(desk.buy("0.001", tif="gtc", price="58000"))
    number = next(iter(desk.state.orders))
    assert text.startswith(f"order {number}: buy 0.001 {SYMBOL} at 58000 on a, gtc")
    desk.run(200)
    assert desk.state.orders[number].state is OrderState.OPEN
    assert done(desk.obey(Cancel(number))) == (
        f"cancel of order {number} sent, 0 of 0.001 filled so far; see `orders`")
    desk.run(200)
    assert desk.state.orders[number].state is OrderState.CANCELLED
    assert "had ended: cancelled, 0 of 0.001 filled" in refused(desk.obey(Cancel(number)))


def test_an_order_by_hand_rests_longer_than_any_plan_may_take(desk: Commanded) -> None:
    done(desk.buy("0.001", tif="gtc", price="58000"))
    (order,) = desk.state.live.values()
    desk.run(desk.settings.plan_deadline_ns // 1_000_000 + 2_000)
    assert order.state is OrderState.OPEN
    assert desk.state.trading <= TradingState.ACTIVE


def test_what_orders_by_hand_lose_is_counted_but_is_no_strategys_streak(desk: Commanded) -> None:
    for _ in range(3):
        done(desk.buy("0.001"))
        desk.run(1_000)
    done(desk.obey(Flatten("")))
    desk.run(3_000)
    lost = desk.state.outcomes.losses(desk.world.unix_ns())
    assert lost.day > 0
    assert lost.in_row == 0


@pytest.mark.parametrize(("request_", "right"), [
    (Place("c", SYMBOL, "buy", "1", "1"), "no venue 'c'; right would be one of a, b"),
    (Place("a", "BTC/USD", "buy", "1", "1"), f"right would be '{SYMBOL}'"),
    (Place("a", SYMBOL, "buy", "60000.123", "1"), "right would be 60000.12"),
    (Place("a", SYMBOL, "buy", "60000", "0.00015"), "right would be 0.0001 or 0.0002"),
    (Place("a", SYMBOL, "buy", "90000", "0.001"), "than the collar allows"),
    (Place("a", SYMBOL, "buy", "58000", "900"), "of a USDT needed, "),
    (Place("a", SYMBOL, "buy", "0", "1"), "price: 0"),
    (Cancel(7_777), "there is no order 7777"),
    (CancelAll("c"), "no venue 'c'; right would be one of a, b"),
    (Flatten("BTX"), "right would be 'BTC'"),
])
def test_what_cannot_be_is_refused_with_what_is_right_and_journaled(
    desk: Commanded, request_: Place | Cancel | CancelAll | Flatten, right: str
) -> None:
    text = refused(desk.obey(request_))
    assert right in text
    assert desk.state.orders == {}
    assert [each.refused for each in desk.commands()] == [text]


def test_a_command_that_comes_twice_is_acted_on_once_across_a_restart_too(
    desk: Commanded
) -> None:
    place = Place("a", SYMBOL, "buy", "58000", "0.001", command_id="one")
    done(desk.obey(place))
    assert "nothing was done again" in done(desk.obey(place))
    desk.restart()
    assert "nothing was done again" in done(desk.obey(place))
    assert len(desk.state.orders) == 1
    wrong = Place("a", SYMBOL, "buy", "58000.001", "0.001", command_id="two")
    first = refused(desk.obey(wrong))
    assert refused(desk.obey(wrong)) == first
    assert len(desk.commands()) == 2


def test_a_command_that_the_gate_refuses_makes_one_record(desk: Commanded) -> None:
    desk.world.core.resume(TradingState.RESTRICTED, "test", "test")
    text = refused(desk.buy("0.001"))
    assert text == "trading is RESTRICTED, orders like this one need CAUTIOUS or better"
    assert [(each.verb, each.refused) for each in desk.commands()] == [("Place", text)]


def test_cancel_all_ends_orders_everywhere_or_at_one_venue(desk: Commanded) -> None:
    for venue in "ab":
        done(desk.buy("0.001", tif="gtc", price="58000", venue=venue))
    desk.run(200)
    assert "told a to cancel everything, 1 orders of ours" in done(desk.obey(CancelAll("a")))
    desk.run(300)
    assert [each.intent.venue for each in desk.state.live.values()] == ["b"]
    done(desk.obey(CancelAll()))
    desk.run(300)
    assert desk.state.live == {}


def test_a_reset_lets_trading_go_on_and_stands_in_the_journal(desk: Commanded) -> None:
    desk.world.core.trading.tighten(TradingState.HALTED, "test")
    assert done(desk.obey(Reset("looked at", breakers=True))) == "trading active, breakers closed"
    assert done(desk.obey(Reset("looked at", accept=True))) == (
        "trading active, accepted nothing: all agrees")
    changes = [r.decode(each.payload) for each in desk.world.stored]
    last = [each for each in changes if isinstance(each, r.StateChanged)][-1]
    assert (last.now, last.why, last.who) == (TradingState.ACTIVE, "looked at", "operator")


def test_no_reset_lifts_a_kill_that_control_has_not_lifted(desk: Commanded) -> None:
    done(desk.obey(Kill("fire")))
    assert "the kill word is set" in refused(desk.obey(Reset("sure")))
    assert desk.state.trading == TradingState.EMERGENCY


def test_a_journal_that_takes_nothing_stops_orders_but_no_cancel(
    desk: Commanded, monkeypatch: pytest.MonkeyPatch
) -> None:
    done(desk.buy("0.001", tif="gtc", price="58000"))
    desk.run(200)
    number = next(iter(desk.state.orders))

    def full(_record: r.Record) -> int:
        raise NoSpace("journal", needed_bytes=1, free_bytes=0)

    monkeypatch.setattr(desk.world, "append", full)
    assert "no order leaves" in refused(desk.buy("0.001", price="58000"))
    assert len(desk.state.orders) == 1
    told: list[int] = []

    def cancel(order: r.Intended, _venue_order: str) -> str:
        told.append(order.order)
        return "ws"

    monkeypatch.setattr(desk.world.venues["a"], "cancel", cancel)
    assert "done, but the journal takes nothing" in done(desk.obey(Cancel(number)))
    assert told == [number]


def test_a_replay_knows_every_command(desk: Commanded) -> None:
    done(desk.obey(Place("a", SYMBOL, "buy", "58000", "0.001", command_id="x")))
    done(desk.obey(Flatten()))
    again = replay(desk.world.stored)
    assert again.commands == {"x": ""}
    assert again.flattening == ""
    assert again.digest() == desk.state.digest()
