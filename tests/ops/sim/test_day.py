"""ops.sim.day: the prints and figures of 24 hours."""

from decimal import Decimal

from engine.model.clock import ManualClock
from ops.sim.book import ASK, BID
from ops.sim.day import DAY_NS, DEALS_MAX, MINUTE_NS, Day, average
from ops.sim.face import BUY, SELL, Print
from ops.sim.faults import Faults
from ops.sim.floor import Clients, Floor
from ops.sim.listing import Line, invented_line

NOON = 20_000 * DAY_NS + DAY_NS // 2


def a_day(*, with_book: bool = True) -> tuple[Line, Day]:
    line = invented_line("kraken", "BTC/USD")
    faults = Faults([], seed=1, start_mono_ns=0)
    floor = Floor("kraken", [line], ManualClock(), faults, Clients(1, ["main"], {}))
    if with_book:
        line.book.set(BID, 100, 10)
        line.book.set(ASK, 102, 10)
    return line, Day(line, floor)


def test_it_begins_with_one_trade_at_the_touch_and_without_a_book_with_none() -> None:
    _, day = a_day()
    (deal,) = day.latest(10)
    assert (deal.price, deal.taker_buys, deal.size) == (102, True, 5)
    assert deal.trade_id > 0
    line, bare = a_day(with_book=False)
    assert bare.latest(10) == []
    assert bare.last() is None
    assert bare.figures(NOON)[:7] == (0, 0, 0, 0, 0, 0, 0)
    assert line.book.touch().bid == 0


def test_the_figures_are_those_of_the_last_24_hours() -> None:
    line, day = a_day(with_book=False)
    prints = [(0, 100, 3), (1, 120, 1), (2, 90, 2), (700, 110, 4)]  # minute, price, size
    for number, (minute, price, size) in enumerate(prints):
        day.add(Print(BUY, price, size, number), NOON + minute * MINUTE_NS)
    figures = day.figures(NOON + 700 * MINUTE_NS)
    assert figures[:7] == (100, 120, 90, 110, 10, 300 + 120 + 180 + 440, 4)
    assert (figures.first_id, figures.last_id) == (0, 3)
    assert average(figures) == 104
    assert Decimal(day.turnover(figures)).scaleb(
        line.price_decimals + line.size_decimals) == 1040
    figures = day.figures(NOON + DAY_NS + 2 * MINUTE_NS)  # only the last print is young enough
    assert figures[:7] == (110, 110, 110, 110, 4, 440, 1)
    figures = day.figures(NOON + 3 * DAY_NS)
    assert figures[:7] == (110, 110, 110, 110, 0, 0, 0)  # nothing was traded: the last price
    assert average(figures) == 110


def test_prints_of_one_minute_are_one_and_a_long_run_keeps_a_bounded_number() -> None:
    _, day = a_day(with_book=False)
    for number in range(3 * DEALS_MAX):
        day.add(Print(SELL, 100 + number % 7, 1, number), NOON + number * MINUTE_NS // 2)
    deals = day.latest(10_000)
    assert [deal.trade_id for deal in deals] == list(range(2 * DEALS_MAX, 3 * DEALS_MAX))
    assert day.latest(3) == deals[-3:]
    assert day.latest(3, lambda deal: deal.price == 100)[-1].price == 100
    assert day.figures(NOON + 3 * DEALS_MAX * MINUTE_NS // 2).trades == 2 * 24 * 60 - 2


def test_a_line_that_counts_in_finer_steps_begins_a_new_day() -> None:
    line, day = a_day()
    line.widen(line.price_decimals + 1, line.size_decimals)
    assert day.latest(10) == []
    assert day.figures(NOON).last == line.book.touch().bid
