"""A perpetual's wallet: what the venue credited, whatever order its fills are learnt in."""

from fractions import Fraction
from itertools import permutations

import pytest

from engine.model.quanta import from_quanta
from exec import records as r
from exec.core import ports as p
from exec.state.entries import money
from exec.state.outstanding import MONEY_DECIMALS
from ops.sim.exchange.positions import Position as VenuePosition
from shm.layout import TradingState
from tests.exec.core.rig import PERPETUAL, Rig, S

# side, price and size of what the venue matched, in its order: opened, added to, turned round
MATCHED = ((1, 6_000_000, 30), (-1, 6_100_000, 10), (1, 6_050_000, 20), (-1, 6_200_007, 70))
SCALE = 10 ** (MONEY_DECIMALS - 7)  # quanta of 10**-24 in one of price times size


def credited() -> list[str]:
    """Return what a venue credits for each match, by its own books."""
    position = VenuePosition()
    return [from_quanta(position.fill(side, size, price * SCALE), MONEY_DECIMALS)
            for side, price, size in MATCHED]


def booked(order: tuple[int, ...], *, told: bool) -> Rig:
    """Return a rig to which the matches were told in some order."""
    rig = Rig()
    number = rig.core.place("a", PERPETUAL, 1, 6_000_000, 30, tif=r.Tif.GTC)
    assert isinstance(number, int)
    intent = rig.last("a")
    profits = credited()
    for index in order:
        side, price, size = MATCHED[index]
        rig.append(r.Filled(
            intent.order, "a", PERPETUAL, f"m{index}", side, price, size, "0.01", "USDT", True, 1,
            "stream", profits[index] if told else ""))
    return rig


def wallet_of(rig: Rig) -> int:
    return rig.state.holdings["a", "USDT"]


@pytest.mark.parametrize("order", [*permutations(range(len(MATCHED)))], ids=str)
def test_the_wallet_is_the_venues_in_whatever_order_fills_come(order: tuple[int, ...]) -> None:
    rig = booked(order, told=True)
    assert wallet_of(rig) == sum(map(money, credited())) - 4 * money("0.01")
    position = rig.state.positions["a", PERPETUAL]
    assert position.size == -30
    assert Fraction(position.cost, position.size) == 6_200_007 * SCALE


def test_without_the_venues_word_the_order_of_booking_changes_the_wallet() -> None:
    wallets = {wallet_of(booked(order, told=False)) for order in permutations(range(4))}
    assert len(wallets) > 1


def test_a_trade_that_is_taken_back_takes_what_it_realised_along() -> None:
    rig = booked((0, 1, 2, 3), told=True)
    profits = credited()
    rig.append(r.Busted("a", PERPETUAL, "m1", "venue"))
    assert wallet_of(rig) == sum(money(profits[each]) for each in (0, 2, 3)) - 3 * money("0.01")
    assert rig.state.positions["a", PERPETUAL].size == -20


def surveyed(rig: Rig, wallet: int) -> None:
    """Let the venue be asked, and say what it holds; nothing is in flight."""
    rig.core._reconciler.begin("a")  # noqa: SLF001
    rig.tell(p.Balance("a", "USDT", from_quanta(wallet, MONEY_DECIMALS), "0", "query"))
    rig.tell(p.Listing("a", ()))


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 0, 2, 1)])
def test_fills_out_of_order_are_no_drift(order: tuple[int, ...]) -> None:
    rig = booked(order, told=True)
    rig.append(r.Ended(rig.last("a").order, "cancelled", 0, "query"))
    true = money("1000000") + sum(map(money, credited())) - 4 * money("0.01")
    for _ in range(5):
        surveyed(rig, true)
    assert not rig.records(r.StateChanged)
    for _ in range(rig.settings.drift_surveys_max):
        surveyed(rig, true + 1)
    assert rig.trading() == TradingState.HALTED


def test_funding_is_posted_once_whoever_tells_of_it_and_however_often() -> None:
    rig = Rig()
    funding = p.Moved("a", "USDT", "-1.25", "funding", "FUNDING_FEE:77")
    for _ in range(3):
        rig.tell(funding)
    rig.wait(S)
    born = Rig(rig.stored, now_ns=rig.now_ns + S)
    born.tell(funding)
    born.tell(p.Moved("a", "USDT", "-1.25", "funding", "FUNDING_FEE:78"))
    assert [each.reference for each in born.records(r.Posted)] == [
        "FUNDING_FEE:77", "FUNDING_FEE:78"]
    assert wallet_of(born) == money("-2.5")


def test_the_core_journals_what_the_venue_credited() -> None:
    rig = Rig()
    number = rig.core.place("a", PERPETUAL, 1, 6_000_000, 30, tif=r.Tif.GTC)
    assert isinstance(number, int)
    rig.fill(rig.last("a"), 10, realised="1.5")
    assert [each.realised for each in rig.records(r.Filled)] == ["1.5"]
    assert wallet_of(rig) == money("1.5")
