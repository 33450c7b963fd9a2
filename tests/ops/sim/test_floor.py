"""ops.sim.floor: clients meet the market's flow, and the public book shows both."""

from collections.abc import Sequence

import pytest

from engine.model.clock import ManualClock
from engine.model.fault import Fault, Kind
from ops.sim.book import ASK, BID, Change
from ops.sim.exchange.events import Accepted, BalanceChanged, Event, Fill
from ops.sim.exchange.filters import Reason, Refusal
from ops.sim.exchange.orders import BUY, SELL, Order, Request, Status
from ops.sim.face import Answer, Face, Print, Query, Session, Topic, Update
from ops.sim.faults import Faults
from ops.sim.floor import Clients, Floor
from ops.sim.listing import Line, invented_line

SECOND = 1_000_000_000


class Listener(Face):
    """Keeps what it hears."""

    def __init__(self, lines: Sequence[Line], floor: Floor) -> None:
        super().__init__(lines, self, ManualClock(mono_ns=SECOND), floor)
        self.updates: list[Update] = []
        self.events: list[Event] = []

    def wanted(self, topic: Topic) -> bool:
        return False

    def publish(self, topic: Topic, body: bytes) -> None:
        raise AssertionError

    def text(self, session: Session, message: bytes) -> None:
        raise AssertionError

    def update(self, line: Line, update: Update) -> None:
        self.updates.append(update)

    def heard(self, event: Event) -> None:
        self.events.append(event)

    def rest(self, path: str, query: Query) -> Answer:
        raise AssertionError


class Scene:
    """One line with a bid at 100 and an ask at 102, ten lots each."""

    def __init__(self, *faults: Fault, unix_ns: int = 0) -> None:
        self.clock = ManualClock(mono_ns=SECOND, unix_ns=unix_ns)
        self.line = invented_line("kraken", "BTC/USD")
        self.faults = Faults(faults, seed=1, start_mono_ns=0)
        self.floor = Floor(
            "kraken", [self.line], self.clock, self.faults, Clients(1, ["main", "other"], {}))
        self.face = self.floor.face = Listener([self.line], self.floor)
        self.lot = 10**self.line.size_decimals
        for side, price in ((BID, 6_400_000), (ASK, 6_400_200)):
            self.line.outside.set(side, price, self.lot)

    def ask_for(self, side: int, price: int, size: int = 0) -> Order | Refusal:
        return self.floor.place(Request(
            account="main", symbol=self.line.native, side=side, price=price,
            size=size or self.lot))

    def order(self, side: int, price: int, size: int = 0) -> Order:
        placed = self.ask_for(side, price, size)
        assert isinstance(placed, Order)
        return placed


def test_an_untouched_line_is_passed_through_with_its_prints_numbered() -> None:
    scene = Scene()
    scene.floor.flow(scene.line, Update([Change(BID, 1, 2)], [Print(BUY, 3, 4)], send=True))
    (update,) = scene.face.updates
    assert update.changes == [Change(BID, 1, 2)]
    assert [each._replace(trade_id=0) for each in update.prints] == [Print(BUY, 3, 4)]
    assert update.prints[0].trade_id > 0
    assert scene.line.book is scene.line.outside


def test_a_resting_order_shows_in_the_public_book_and_not_in_the_markets() -> None:
    scene = Scene()
    scene.order(BUY, 6_400_100)
    assert scene.line.book.top(BID, 1) == [(6_400_100, scene.lot)]
    assert scene.line.outside.top(BID, 1) == [(6_400_000, scene.lot)]
    assert scene.face.updates[-1].changes == [Change(BID, 6_400_100, scene.lot)]


def test_what_a_client_takes_is_gone_from_both_books() -> None:
    scene = Scene()
    order = scene.order(BUY, 6_400_200, scene.lot // 2)
    assert order.status is Status.FILLED
    left = [(6_400_200, scene.lot - scene.lot // 2)]
    assert scene.line.book.top(ASK, 1) == scene.line.outside.top(ASK, 1) == left
    assert [each[:3] for each in scene.face.updates[-1].prints] == [
        (BUY, 6_400_200, scene.lot // 2)]
    fills = [each for each in scene.face.events if isinstance(each, Fill)]
    assert [each.trade_id for each in fills] == [scene.face.updates[-1].prints[0].trade_id]


def test_the_markets_move_through_an_order_fills_it() -> None:
    scene = Scene()
    order = scene.order(BUY, 6_400_100)
    scene.line.outside.set(ASK, 6_400_100, 3 * scene.lot)
    scene.floor.flow(
        scene.line, Update([Change(ASK, 6_400_100, 3 * scene.lot)], [], send=True))
    assert order.status is Status.FILLED
    assert scene.line.book.top(ASK, 1) == [(6_400_100, 2 * scene.lot)]
    assert scene.line.outside.top(ASK, 1) == [(6_400_100, 2 * scene.lot)]


def test_the_events_of_an_order_come_in_order() -> None:
    scene = Scene()
    scene.order(BUY, 6_400_200)
    kinds = [type(each) for each in scene.face.events]
    assert kinds[:2] == [Accepted, Fill]
    assert set(kinds[2:]) == {BalanceChanged}


def test_a_cancel_that_loses_the_race_finds_its_order_filled() -> None:
    scene = Scene(Fault("kraken", Kind.CANCEL_FILL_RACE))
    order = scene.order(SELL, 6_400_150)
    refused = scene.floor.cancel("main", order_id=order.id)
    assert isinstance(refused, Refusal)
    assert (refused.reason, order.status) == (Reason.ORDER_ENDED, Status.FILLED)


def test_half_fills_and_the_venue_ends_the_rest() -> None:
    scene = Scene(Fault("kraken", Kind.PARTIAL_THEN_END))
    order = scene.order(BUY, 6_400_200, scene.lot)
    assert (order.status, order.filled) == (Status.CANCELLED, scene.lot // 2)


@pytest.mark.parametrize("kind", [Kind.HALT, Kind.FILTERS])
def test_a_standing_fault_begins_and_ends(kind: Kind) -> None:
    scene = Scene(Fault("kraken", kind, start_s=2, end_s=3))
    scene.floor.tick()
    scene.order(BUY, 6_400_001, scene.lot // 10)
    scene.clock.advance(int(1.5 * SECOND))
    scene.floor.tick()
    assert isinstance(scene.ask_for(BUY, 6_400_003, scene.lot // 10), Refusal)
    scene.clock.advance(SECOND)
    scene.floor.tick()
    scene.order(BUY, 6_400_003, scene.lot // 10)


def test_a_skewed_clock_is_ahead_while_it_lasts() -> None:
    scene = Scene(Fault("kraken", Kind.CLOCK_SKEW, ms=2_000, end_s=5))
    scene.floor.tick()
    assert scene.floor.now_ns() == scene.clock.unix_ns() + 2 * SECOND
    scene.clock.advance(10 * SECOND)
    scene.floor.tick()
    assert scene.floor.now_ns() == scene.clock.unix_ns()


def test_ids_come_again_after_a_restart_that_lost_them() -> None:
    scene = Scene()
    first = scene.order(BUY, 6_400_100)
    scene.faults.add(Fault("kraken", Kind.ID_REUSE, count=1))
    scene.floor.tick()
    assert scene.floor.exchange.open_orders("main") == []
    assert scene.line.book.top(BID, 1) == [(6_400_000, scene.lot)]
    assert scene.order(BUY, 6_400_100).id == first.id


def test_no_id_comes_again_after_a_restart_within_a_second() -> None:
    begin_ns, ids = 1_795_000_000 * SECOND, []
    for unix_ns in (begin_ns, begin_ns + SECOND // 10):
        scene = Scene(unix_ns=unix_ns)
        ids += [scene.order(BUY, 6_400_100, scene.lot // 10).id for _ in range(3)]
    assert ids == sorted(set(ids))
    assert ids[-1] < 2**53  # clients read them as doubles


def test_recorded_books_meet_orders_unseen() -> None:
    scene = Scene()
    scene.line.recorded = True
    order = scene.order(BUY, 6_400_100)
    assert scene.line.book.top(BID, 1) == [(6_400_000, scene.lot)]
    assert scene.face.updates == []
    scene.floor.recorded(scene.line, [Change(ASK, 6_400_050, scene.lot)])
    assert order.status is Status.FILLED
    assert scene.face.updates == []
