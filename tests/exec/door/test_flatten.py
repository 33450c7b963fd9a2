"""exec.door.flatten: what trading moved is traded back, in pieces, whatever the trading state."""

import pytest
from msgspec.structs import replace

from bench.histories.venue import Network
from bench.histories.world import LIMITS, SETTINGS
from engine.control.protocol import Done, Flatten, Kill, Refused
from exec.state.orders import State as OrderState
from shm.layout import TradingState
from tests.exec.door.commanding import Commanded


def flat(desk: Commanded) -> str:
    """Flatten, and return the result as the journal has it."""
    assert isinstance(desk.obey(Flatten()), Done)
    desk.run(60_000)
    assert desk.state.flattening is None
    return desk.commands()[-1].arguments


@pytest.mark.parametrize("state", [
    TradingState.ACTIVE, TradingState.RESTRICTED, TradingState.HALTED])
def test_what_was_bought_is_sold_and_trading_stays_restricted(state: TradingState) -> None:
    desk = Commanded()
    assert isinstance(desk.buy("0.01"), Done)
    assert isinstance(desk.buy("0.001", tif="gtc", price="58000", venue="b"), Done)
    desk.run(300)
    assert desk.state.traded["BTC"] > 0
    desk.world.core.resume(state, "test", "test")
    assert flat(desk).startswith("flat; ")
    assert desk.state.traded["BTC"] == 0
    assert desk.state.live == {}
    assert desk.state.trading == max(state, TradingState.RESTRICTED)


def test_pieces_are_no_larger_than_the_limits_allow() -> None:
    desk = Commanded()
    for _ in range(10):
        desk.buy("0.003")
        desk.run(100)
    moved = desk.state.traded["BTC"]
    assert moved > 0
    limits = replace(LIMITS, order_notional_max=100 * 10**6)  # about 0.0016 BTC
    desk.settings = replace(SETTINGS, limits=limits)
    desk.born()
    before = len(desk.state.orders)
    assert flat(desk).startswith("flat; ")
    after = [*desk.state.orders.values()][before:]
    assert len(after) > 5
    assert all(each.intent.purpose == "flatten" for each in after)
    assert max(each.intent.size for each in after) * 60_000 < 101 * 10**5


def test_a_network_that_loses_answers_delays_it_and_doubles_nothing() -> None:
    desk = Commanded(network=Network(lost_answer=200, lost_fill=200, late_fill=200, unsent=100))
    for _ in range(10):
        desk.buy("0.003")
        desk.run(200)
    desk.run(30_000)
    assert flat(desk).startswith("flat; ")
    desk.world.calm()
    assert desk.state.traded["BTC"] == 0
    for venue in desk.world.venues.values():
        assert venue.exchange.open_orders("me") == []


def test_a_restart_goes_on_with_it() -> None:
    desk = Commanded()
    desk.buy("0.01")
    desk.run(300)
    assert isinstance(desk.obey(Flatten("BTC")), Done)
    desk.restart()
    assert desk.state.flattening == "BTC"
    desk.run(5_000)
    assert desk.state.flattening is None
    assert desk.state.traded["BTC"] == 0


def test_a_kill_ends_it_and_the_killed_do_not_flatten() -> None:
    desk = Commanded()
    desk.buy("0.01")
    desk.run(300)
    moved = desk.state.traded["BTC"]
    desk.world.venues["a"].network = desk.world.venues["b"].network = Network(unsent=1000)
    desk.obey(Flatten())
    desk.run(200)
    desk.obey(Kill("fire"))
    desk.run(200)
    assert desk.commands()[-1].arguments.startswith("stopped by the kill switch")
    assert desk.state.traded["BTC"] == moved
    assert isinstance(desk.obey(Flatten()), Refused)


def test_one_leg_that_was_left_over_is_traded_back_once_and_not_hedged_again() -> None:
    desk = Commanded()
    for _ in range(200):
        desk.world.run(40_000_000, trade=True)
        if any(each.orders and desk.state.traded.get("BTC", 0)
               for each in desk.state.open_plans.values()):
            break
    assert desk.state.open_plans
    assert "left" not in flat(desk)
    assert desk.state.open_plans == {}
    assert desk.state.traded["BTC"] == 0
    orders = len(desk.state.orders)
    desk.world.core.resume(TradingState.ACTIVE, "looked at", "operator")
    desk.run(2_000)
    assert len(desk.state.orders) == orders
    assert all(each.state is not OrderState.UNKNOWN for each in desk.state.orders.values())
