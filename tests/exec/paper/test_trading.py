"""Core, journal and paper venues together: what is booked is what the paper accounts hold."""

from pathlib import Path
from random import Random

import pytest

from engine.model.errors import ConfigInvalid
from exec import records as r
from exec.core.recovery import replay
from exec.gateways.paper import PaperGateway
from exec.journal.reader import read
from exec.paper.lanes import Latency
from exec.state.entries import money
from exec.state.outstanding import MONEY_DECIMALS
from shm.layout import Strategy, TradingState
from tests.exec.paper.life import BOOT, Life
from tests.exec.paper.scene import ASKS, BIDS, BTC, MS, RICH, SECOND, Scene


def crossed() -> Scene:
    """Return a scene where b bids above what a asks."""
    scene = Scene()
    scene.book("b", [(10_100, 50), (10_090, 100)], [(10_200, 50)])
    return scene


def papers(life: Life) -> dict[str, PaperGateway]:
    return {venue: each for venue, each in life.gateways.items() if isinstance(each, PaperGateway)}


def agree(life: Life) -> None:
    """Prove that journal and paper accounts are equal to the last unit."""
    for venue, gateway in papers(life).items():
        for asset, total in gateway.book.account.totals.items():
            assert life.state.holdings.get((venue, asset), 0) == total - money(RICH[asset])


def test_a_cross_fills_both_legs_and_journal_and_accounts_agree(tmp_path: Path) -> None:
    scene = crossed()
    life = Life(scene, tmp_path, scene.gateway)
    assert life.cross() is None
    life.run(50 * MS)
    assert life.states() == ["FILLED", "FILLED"]
    assert life.outcomes() == ["done"]
    agree(life)
    unit = 10**MONEY_DECIMALS
    assert life.state.holdings["a", "BTC"] == 40 * unit // 10**5
    assert life.state.holdings["a", "USDT"] == -(100 * 40 * unit // 10**5) * 1001 // 1000
    assert life.state.holdings["b", "USDT"] == (101 * 40 * unit // 10**5) * 999 // 1000
    life.run(10 * SECOND, step_ns=20 * MS)  # surveys compare balances again and again
    assert life.halts == []
    assert sum(life.state.counts["a", "BTC"]) == money("10") + 2 * 40 * unit // 10**5
    life.end()
    assert replay(read(tmp_path, boot=BOOT)).digest() == life.state.digest()


def test_an_edge_that_vanishes_on_the_way_is_not_filled(tmp_path: Path) -> None:
    scene = crossed()
    life = Life(scene, tmp_path, scene.gateway)
    assert life.cross() is None
    scene.book("a", BIDS, [(10_300, 50)])
    scene.book("b", BIDS, ASKS)
    life.run(50 * MS)
    assert life.states() == ["EXPIRED", "EXPIRED"]
    assert life.outcomes() == ["missed"]
    assert all(not amount for amount in life.state.holdings.values())
    assert life.halts == []


def test_a_leg_that_misses_is_hedged_and_nothing_stays_open(tmp_path: Path) -> None:
    scene = crossed()
    life = Life(scene, tmp_path, scene.gateway)
    assert life.cross() is None
    scene.book("b", [(10_090, 500)], [(10_200, 50)])
    life.run(SECOND)
    assert life.states() == ["FILLED", "EXPIRED", "FILLED"]
    assert life.outcomes() in (["done"], ["unwound"])
    assert sum(each.side * each.size for each in life.state.trades.values()) == 0
    agree(life)


def test_the_same_cross_again_finds_only_what_we_left(tmp_path: Path) -> None:
    scene = crossed()
    life = Life(scene, tmp_path, scene.gateway)
    life.cross(1, 50)
    life.run(50 * MS)
    life.cross(2, 50)
    life.run(50 * MS)
    assert life.outcomes() == ["done", "missed"]
    agree(life)


def test_fills_are_booked_no_sooner_than_the_way_there_and_back(tmp_path: Path) -> None:
    scene = crossed()
    life = Life(scene, tmp_path, scene.gateway)  # 3 ms there, 2 ms back
    life.cross()
    life.run(4 * MS)
    assert life.states() == ["SENT", "SENT"]
    life.run(1 * MS)
    assert life.states() == ["FILLED", "FILLED"]


# --- restarts ----------------------------------------------------------------------------------


def test_a_restart_goes_on_from_the_journal_with_new_trade_ids(tmp_path: Path) -> None:
    scene = crossed()
    life = Life(scene, tmp_path, scene.gateway)
    life.cross(1, 30)
    life.run(2 * SECOND, step_ns=20 * MS)
    life.end()
    again = Life(scene, tmp_path, scene.gateway)
    agree(again)
    scene.book("b", [(10_100, 50)], [(10_200, 50)])
    again.cross(2, 50)
    again.run(5 * SECOND, step_ns=20 * MS)
    assert again.outcomes() == ["done", "done"]
    assert sorted(again.state.trades) == [("a", BTC, "1"), ("a", BTC, "2"), ("b", BTC, "1"),
                                          ("b", BTC, "2")]
    agree(again)
    assert again.halts == []


def test_what_rested_when_the_process_died_is_ended_in_its_next_life(tmp_path: Path) -> None:
    scene = crossed()
    life = Life(scene, tmp_path, scene.gateway)
    number = life.core.place("a", BTC, 1, 9_990, 60, tif=r.Tif.GTC)
    assert isinstance(number, int)
    life.run(20 * MS)
    scene.print("a", -1, 9_990, 75)
    life.run(20 * MS)
    assert life.state.orders[number].booked == 25
    life.end()
    again = Life(scene, tmp_path, scene.gateway)
    again.run(10 * SECOND, step_ns=20 * MS)
    order = again.state.orders[number]
    assert (order.state.name, order.booked, again.state.live) == ("CANCELLED", 25, {})
    agree(again)
    assert again.halts == []


def test_what_was_on_its_way_when_the_process_died_is_proven_absent(tmp_path: Path) -> None:
    scene = crossed()
    life = Life(scene, tmp_path, scene.gateway)
    life.cross()
    assert life.states() == ["SENT", "SENT"]
    life.end()
    again = Life(scene, tmp_path, scene.gateway)
    again.run(12 * SECOND, step_ns=20 * MS)
    assert again.states() == ["ABSENT", "ABSENT"]
    assert again.outcomes() == ["missed"]
    assert not again.state.trades
    assert again.halts == []


def test_other_balances_on_an_old_journal_are_refused_by_name(tmp_path: Path) -> None:
    scene = crossed()
    life = Life(scene, tmp_path, scene.gateway)
    life.run(SECOND, step_ns=20 * MS)
    life.end()
    with pytest.raises(ConfigInvalid, match=r"BTC: found 11, but this journal began at a with 10"):
        scene.gateway("a", life.state, balances=RICH | {"BTC": "11"})


# --- dry run -----------------------------------------------------------------------------------


def test_a_dry_run_decides_as_live_sends_nothing_and_misses(tmp_path: Path) -> None:
    scene = crossed()
    life = Life(scene, tmp_path, scene.dry, mode="dry_run")
    assert life.cross() is None
    duplicate = life.cross()
    assert duplicate is not None
    assert duplicate.check == "duplicate"
    beyond = life.cross(2, ask=20_000)
    assert beyond is not None
    assert beyond.check == "collar"
    life.run(10 * SECOND, step_ns=20 * MS)
    assert life.states() == ["UNSENT", "UNSENT"]
    assert life.outcomes() == ["missed"]
    assert life.halts == []
    assert life.state.trading in (0, TradingState.ACTIVE)
    assert not life.state.trades
    life.end()
    again = Life(scene, tmp_path, scene.dry, mode="dry_run")
    again.cross(3)
    again.run(SECOND, step_ns=20 * MS)
    assert again.outcomes() == ["missed", "missed"]


def test_a_dry_run_that_died_between_intent_and_unsent_settles_itself(tmp_path: Path) -> None:
    scene = crossed()
    life = Life(scene, tmp_path, scene.dry, mode="dry_run")
    plan = life.next_sequence
    leg = r.Leg("a", BTC, 1, 10_000, 40, 10_000)
    life.append(r.Planned(plan, 1, 1, Strategy.CROSS, (leg, leg), "best", (), 10**9, 1))
    life.append(r.Intended(
        plan + 1, plan, 0, "a", BTC, 1, 10_000, 40, r.Tif.IOC, False, False, "t1x2", 1,
        scene.clock.unix_ns() + SECOND, "enter"))
    life.end()
    again = Life(scene, tmp_path, scene.dry, mode="dry_run")
    again.run(10 * SECOND, step_ns=20 * MS)
    assert again.states() == ["ABSENT"]
    assert again.outcomes() == ["missed"]


# --- determinism -------------------------------------------------------------------------------


def replayed(folder: Path, seed: int) -> tuple[Life, list[str]]:
    """Return a life over a second of random books, prints and orders, and its venues' hashes."""
    scene = Scene()
    draw = Random(7)
    life = Life(scene, folder, lambda venue, state: scene.gateway(
        venue, state, seed=seed, latency=Latency.even(5 * MS, 4 * MS)))
    for number in range(250):
        for venue in "ab":
            middle = 10_000 + draw.randint(-60, 60)
            scene.book(venue, [(middle - 5 * step, draw.randint(1, 60)) for step in range(1, 5)],
                       [(middle + 5 * step, draw.randint(1, 60)) for step in range(1, 5)])
            scene.print(venue, draw.choice((1, -1)), middle + draw.randint(-20, 20),
                        draw.randint(1, 80))
        ask, bid = scene.books.quote("a", BTC).ask, scene.books.quote("b", BTC).bid
        life.cross(number + 1, draw.randint(1, 60), ask=ask, bid=bid)
        if number % 5 == 0:
            life.core.place("a", BTC, -1, ask + 10, draw.randint(1, 40), tif=r.Tif.GTC)
        life.run(4 * MS)
    life.run(SECOND, step_ns=10 * MS)
    return life, [each.book.digest() for each in papers(life).values()]


def test_one_seed_and_one_sequence_of_books_replay_one_sequence_of_fills(tmp_path: Path) -> None:
    life, first = replayed(tmp_path / "1", seed=1)
    _, second = replayed(tmp_path / "2", seed=1)
    _, other = replayed(tmp_path / "3", seed=2)
    assert first == second
    assert first != other
    assert len(life.state.trades) > 50
    assert {each.taker for gateway in papers(life).values()
            for each in gateway.book.fills} == {True, False}
    agree(life)


def test_accounts_follow_from_their_fills_by_plain_arithmetic(tmp_path: Path) -> None:
    life, _ = replayed(tmp_path, seed=3)
    unit = 10**MONEY_DECIMALS
    for gateway in papers(life).values():
        expected = {asset: money(text) for asset, text in RICH.items()}
        for each in gateway.book.fills:
            expected["BTC"] += each.side * each.size * unit // 10**5
            expected["USDT"] -= each.side * each.size * each.price * unit // 10**7
            expected[each.fee_asset] -= money(each.fee)
        assert gateway.book.account.totals == expected
