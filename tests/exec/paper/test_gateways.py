"""The doors and the life of gateways without a wire."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

import msgspec
import pytest
import structlog

from engine.model.clock import SystemClock
from exec.core import ports as p
from exec.gateways.dry import DryGateway
from exec.gateways.paper import PaperGateway
from exec.paper.lanes import Latency
from exec.records import Found, Tif
from exec.state.state import State
from shm.layout import BookState
from tests.exec.paper.scene import MS, RICH, SECOND, Scene, approved


def turned(scene: Scene, gateway: PaperGateway | DryGateway, ns: int) -> list[p.Report]:
    """Let time pass turn by turn; return what was reported in it."""
    told: list[p.Report] = []
    for _ in range(ns // MS):
        scene.pass_ns(MS)
        gateway.turn(told.append)
    return told


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_a_venue_is_ready_once_a_book_of_it_is_live_and_not_before(scene: Scene) -> None:
    for gateway in (scene.gateway("a"), scene.dry("a")):
        scene.state("a", BookState.WAITING)
        assert turned(scene, gateway, 3 * MS) == [p.Ready("a", "no live book yet")]
        scene.state("a", BookState.LIVE)
        assert turned(scene, gateway, 3 * MS) == [p.Ready("a", "")]
        scene.state("a", BookState.STALE)
        assert turned(scene, gateway, 3 * MS) == []  # the gate asks each book itself


def test_an_order_meets_the_book_that_stands_when_it_arrives(scene: Scene) -> None:
    gateway = scene.gateway("a")  # 3 ms there, 2 ms back
    turned(scene, gateway, MS)
    assert gateway.place(*approved(scene.order("a", 1, 10_000, 10))) == "paper"
    assert turned(scene, gateway, 2 * MS) == []
    scene.book("a", [(9_990, 50)], [(9_995, 50)])
    told = turned(scene, gateway, 3 * MS)
    assert [type(each) for each in told] == [p.Accepted, p.Traded, p.Over]
    assert isinstance(told[1], p.Traded)
    assert told[1].price == 9_995


def test_nothing_leaves_that_was_not_approved_or_is_forbidden(scene: Scene) -> None:
    gateway = scene.gateway("a")
    order, proposed, approval = approved(scene.order("a", 1, 10_000, 10))
    other = msgspec.structs.replace(order, price=10_010)
    assert gateway.place(other, proposed, approval) == ""
    assert scene.gateway("b").place(order, proposed, approval) == ""
    scene.flags.kill = True
    assert gateway.place(order, proposed, approval) == ""
    assert not any(isinstance(each, p.Accepted) for each in turned(scene, gateway, 20 * MS))


def test_a_cancel_arrives_behind_its_order_though_it_travels_faster(scene: Scene) -> None:
    gateway = scene.gateway("a", latency=Latency(5 * MS, 0, 0))
    order, proposed, approval = approved(scene.order("a", 1, 9_990, 10, tif=Tif.GTC))
    gateway.place(order, proposed, approval)
    gateway.cancel(order, "")
    told = turned(scene, gateway, 6 * MS)
    assert [type(each) for each in told] == [p.Ready, p.Accepted, p.Over]


def test_cancel_all_ends_what_rests_under_the_kill_word_too(scene: Scene) -> None:
    gateway = scene.gateway("a")
    for price in (9_990, 9_980):
        gateway.place(*approved(scene.order("a", 1, price, 10, tif=Tif.GTC)))
    turned(scene, gateway, 10 * MS)
    scene.flags.kill = True
    gateway.cancel_all()
    assert [each.how for each in turned(scene, gateway, 10 * MS)
            if isinstance(each, p.Over)] == ["cancelled", "cancelled"]
    gateway.survey(0)
    listing = next(each for each in turned(scene, gateway, 10 * MS) if isinstance(each, p.Listing))
    assert listing == p.Listing("a", ())


def test_a_dead_man_switch_ends_what_rests_when_nobody_turned_in_time(scene: Scene) -> None:
    gateway = scene.gateway("a")
    gateway.arm(1_000)
    gateway.place(*approved(scene.order("a", 1, 9_990, 10, tif=Tif.GTC)))
    assert not any(isinstance(each, p.Over) for each in turned(scene, gateway, 2 * SECOND))
    scene.pass_ns(2 * SECOND)
    assert any(isinstance(each, p.Over) for each in turned(scene, gateway, 5 * MS))


def test_a_dry_run_answers_every_question_truthfully(scene: Scene) -> None:
    gateway = scene.dry("a")
    order, proposed, approval = approved(scene.order("a", 1, 10_000, 10))
    assert gateway.place(order, proposed, approval) == gateway.cancel(order, "") == ""
    asked_ns = scene.clock.unix_ns()
    gateway.query(order, "")
    gateway.survey(0)
    gateway.cancel_all()
    gateway.arm(1_000)
    assert turned(scene, gateway, 3 * MS) == [
        p.Ready("a", ""), p.Seen("a", order.client_id, "", Found.ABSENT, "", 0, asked_ns),
        p.Listing("a", ()), p.Balance("a", "BTC", "10", "0", "model"),
        p.Balance("a", "USDT", "100000", "0", "model")]


# --- life --------------------------------------------------------------------------------------


def lived(make: Callable[[Scene], Any], act: Callable[[Any], Awaitable[None]]) -> list[p.Report]:
    """Run a gateway on the machine's clock until closed; return what it reported."""
    scene = Scene()
    gateway, told = make(scene), list[p.Report]()

    async def whole() -> None:
        running = asyncio.create_task(gateway.run(told.append))
        await act(gateway)
        await gateway.close()
        await asyncio.wait_for(running, 5)

    asyncio.run(whole())
    return told


def real(scene: Scene) -> PaperGateway:
    return PaperGateway(
        "a", scene.listings("a"), scene.books, scene.prints("a"), RICH, State(),
        Latency.even(2 * MS, MS), flags=scene.flags, clock=SystemClock(), random=Random(1),
        log=structlog.get_logger())


def test_a_gateway_runs_by_itself_and_tells_at_its_end_that_it_closes() -> None:
    async def act(gateway: PaperGateway) -> None:
        await asyncio.sleep(0.02)
        gateway.survey(0)
        await asyncio.sleep(0.05)

    told = lived(real, act)
    assert [type(each) for each in told] == [
        p.Ready, p.Listing, p.Balance, p.Balance, p.Ready]
    assert told[-1] == p.Ready("a", "closing")


def test_closing_waits_for_what_is_on_its_way() -> None:
    async def act(gateway: PaperGateway) -> None:
        await asyncio.sleep(0.02)
        gateway.survey(0)

    assert any(isinstance(each, p.Listing) for each in lived(real, act))


def test_what_the_core_fails_with_ends_the_gateway(scene: Scene) -> None:
    def fail(_report: p.Report) -> None:
        raise RuntimeError("ours")

    with pytest.raises(RuntimeError, match="ours"):
        asyncio.run(scene.gateway("a").run(fail))
