"""exec.door.killing: the word cancels at once, and again while anything may rest; a restart too."""

import asyncio
from collections.abc import Callable

import pytest

from bench.histories.venue import MS, Network
from engine.control.protocol import Done
from engine.model.errors import NoSpace
from exec import records as r
from exec.state.orders import State as OrderState
from shm.layout import TradingState
from tests.exec.door.commanding import Commanded


def resting(desk: Commanded) -> int:
    return sum(len(each.exchange.open_orders("me")) for each in desk.world.venues.values())


def test_the_word_cancels_everything_and_a_restart_stays_killed_until_a_reset() -> None:
    desk = Commanded()
    for venue in "ab":
        assert isinstance(desk.buy("0.001", tif="gtc", price="58000", venue=venue), Done)
    desk.run(200)
    assert resting(desk) == 2
    desk.world.kill = True
    desk.run(400)
    assert resting(desk) == 0
    assert desk.state.trading == TradingState.EMERGENCY
    desk.world.kill = False  # the word was lost with its segment
    desk.restart()
    assert desk.state.trading == TradingState.EMERGENCY
    orders = len(desk.state.orders)
    assert not isinstance(desk.buy("0.001"), Done)
    assert len(desk.state.orders) == orders


def test_what_left_just_before_the_word_and_arrives_after_the_cancel_is_cancelled_too() -> None:
    desk = Commanded()
    vars(desk.world.core.sender)["_when_durable"] = lambda _number, action: action()
    desk.buy("0.001", tif="gtc", price="58000")
    venue = desk.world.venues["a"]
    slow, venue.cancel_all = venue.cancel_all, lambda: None  # type: ignore[method-assign]
    desk.world.kill = True
    desk.killing.turn()
    venue.cancel_all = slow  # type: ignore[method-assign]
    desk.world.run(200 * MS, trade=False)
    assert resting(desk) == 1
    for _ in range(100):
        desk.run(100)
    assert resting(desk) == 0
    assert all(each.state is OrderState.CANCELLED for each in desk.state.orders.values())


def test_an_order_that_waits_for_the_journal_never_leaves() -> None:
    desk = Commanded(network=Network())
    sender = desk.world.core.sender
    waiting: list[Callable[[], None]] = []
    vars(sender)["_when_durable"] = lambda _number, action: waiting.append(action)
    assert isinstance(desk.buy("0.001", tif="gtc", price="58000"), Done)
    desk.world.kill = True
    for action in waiting:
        action()
    desk.run(500)
    assert [each.state for each in desk.state.orders.values()] == [OrderState.UNSENT]
    assert desk.world.venues["a"].arrived == {}


def test_a_full_disk_stops_no_cancel(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Commanded()
    desk.buy("0.001", tif="gtc", price="58000")
    desk.run(200)
    told: list[str] = []

    def full(_record: r.Record) -> int:
        raise NoSpace("journal", needed_bytes=1, free_bytes=0)

    monkeypatch.setattr(desk.world, "append", full)
    for venue in desk.world.venues.values():
        monkeypatch.setattr(venue, "cancel_all", lambda name=venue.venue: told.append(name))
    desk.world.kill = True
    desk.killing.turn()
    assert told == ["a", "b"]


def test_leaving_cancels_what_rests_and_nothing_where_nothing_does() -> None:
    desk = Commanded()
    told: list[int] = []
    for venue in desk.world.venues.values():
        before = venue.cancel_all

        def noted(before: object = before) -> None:
            told.append(1)
            assert callable(before)
            before()

        venue.cancel_all = noted  # type: ignore[method-assign]
    assert asyncio.run(desk.killing.leave(0.05)) == 0
    assert told == []
    desk.buy("0.001", tif="gtc", price="58000")
    desk.run(200)

    async def leave() -> int:
        left = asyncio.create_task(desk.killing.leave(10.0))
        while not left.done():
            desk.world.run(20_000_000, trade=False)
            await asyncio.sleep(0)
        return await left

    assert asyncio.run(leave()) == 0
    assert len(told) == 2
    assert resting(desk) == 0
