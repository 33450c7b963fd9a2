"""Numbers keep their width and their unit; lines keep theirs."""

import pytest

from ops.screen import text
from ops.screen.text import Column


@pytest.mark.parametrize(("ns", "shown"), [
    (None, "-"), (-5, "0ns"), (0, "0ns"), (999, "999ns"), (1_000, "1.00µs"), (12_345, "12.3µs"),
    (999_400, "999µs"), (999_600, "1.00ms"), (1.5e9, "1.50s"), (59.9e9, "59.9s"),
    (125e9, "2m05s"), (3_720e9, "1h02m"), (2 * 86_400e9, "2d00h"),
    (10**16, "115d"), (10**25, "99999d"),
])
def test_a_duration_has_three_digits_and_a_unit(ns: float | None, shown: str) -> None:
    assert text.duration(ns) == shown


def test_no_duration_is_wider_than_its_column() -> None:
    widest = max((text.duration(10**power * step) for power in range(17) for step in (1, 5, 9.99)),
                 key=len)
    assert len(widest) <= 6


@pytest.mark.parametrize(("number", "shown"), [
    (None, "-"), (0, "0"), (9_999, "9999"), (9_999.6, "10.0k"), (123_456, "123k"),
    (999_949, "1000k"), (1_234_567, "1.23M"), (5e9, "5.00G"), (1e15, "999G"),
])
def test_a_count_has_at_most_five_characters(number: float | None, shown: str) -> None:
    assert text.count(number) == shown
    assert len(shown) <= 5


@pytest.mark.parametrize(("value", "shown"), [
    (63_388.7, "63388.70"), (0.00001305, "0.00001305"), (1.081, "1.081000"), (0.0, "0"),
    (12_345_678.9, "12345679"), (float("nan"), "-"),
])
def test_a_price_shows_seven_digits(value: float, shown: str) -> None:
    assert text.price(value) == shown
    assert len(shown) <= 10


@pytest.mark.parametrize("value", [0.0, 1.5, -999.99, 1_000.0, -1e9, 1e12, 99.999, 99_998.9])
def test_edges_and_money_fit_whatever_they_are(value: float) -> None:
    assert len(text.bps(value)) <= 7
    assert len(text.money(value)) <= 8


def test_memory_turns_to_gibibytes() -> None:
    assert text.memory(150 << 20) == "150MiB"
    assert text.memory(1500 << 20) == "1.46GiB"


COLUMNS = (Column("name", 6, grows=True), Column("n", 4, right=True))


def test_columns_align_and_grow_up_to_a_bound() -> None:
    title, row = text.lines(COLUMNS, [["abc", "1"]], 11)
    assert (title.plain, row.plain) == ("name      n", "abc       1")
    wide = text.lines(COLUMNS, [["abc", "1"]], 500)
    assert {len(line.plain) for line in wide} == {11 + text.GROWTH_MAX}


def test_a_word_too_long_loses_its_middle_so_that_venues_stay_apart() -> None:
    _, row, other = text.lines(COLUMNS, [["coinbase-exchange", "1"], ["binance-usdm", "2"]], 11)
    assert row.plain == "coi…ge    1"
    assert other.plain == "bin…dm    2"
