"""Decimal text to quanta against exact fractions."""

import re
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from engine.model.quanta import INT64_MAX
from feeds.book.numbers import FAIL, number
from shm.layout import BookFault

PLAIN = re.compile(r"([0-9]+)(?:\.([0-9]+))?")
BARE = re.compile(r"([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?")


def twin(text: str, decimals: int, bare: bool) -> tuple[int, int, int]:
    """Return (quanta, decimals as sent, fault) of a text that is a number as a whole."""
    match = (BARE if bare else PLAIN).fullmatch(text)
    if match is None:
        return 0, 0, BookFault.PARSE
    whole, fraction, *exponent = match.groups("")
    power = int(exponent[0]) if exponent and exponent[0] else 0
    scaled = Fraction(int(whole + fraction)) * Fraction(10) ** (power - len(fraction) + decimals)
    if scaled.denominator != 1:
        return 0, 0, BookFault.INEXACT
    if scaled > INT64_MAX:
        return 0, 0, BookFault.OVERFLOW
    return int(scaled), max(0, len(fraction) - power), BookFault.NONE


def parse(text: str, decimals: int, bare: bool, padding: str = "") -> tuple[int, int, int]:
    """Run the kernel over ``text``, which stands in a larger buffer before ``padding``."""
    view = np.frombuffer((text + padding).encode(), np.uint8)
    quanta, at, sent, fault = number(view, 0, len(text.encode()), decimals, bare)
    if fault == 0 and at != len(text.encode()):
        return 0, 0, BookFault.PARSE
    return (quanta, sent, fault) if fault == 0 else (0, 0, fault)


DIGITS = st.text("0123456789", min_size=1, max_size=24)
NUMBERS = st.one_of(
    DIGITS,
    st.tuples(DIGITS, DIGITS).map(".".join),
    st.tuples(DIGITS, DIGITS, st.integers(-40, 40)).map(lambda it: f"{it[0]}.{it[1]}e{it[2]}"),
    st.tuples(DIGITS, st.integers(-40, 40)).map(lambda it: f"{it[0]}E{it[1]:+d}"),
)


@settings(max_examples=1500, deadline=None)
@given(NUMBERS, st.integers(0, 18), st.booleans())
@example("9223372036854775807", 0, True)
@example("9223372036854775808", 0, True)
@example("92233720368.54775807", 8, False)
@example("92233720368.54775808", 8, False)
@example("0.1234567890000000000000", 9, False)
@example("1e-05", 8, True)
@example("5.0E-8", 8, True)
@example("1e-9", 8, True)
@example("100000000000000000000000e-10", 8, True)
def test_a_number_is_read_exactly_or_refused_for_the_right_reason(
    text: str, decimals: int, bare: bool
) -> None:
    assert parse(text, decimals, bare) == twin(text, decimals, bare)


@settings(max_examples=800, deadline=None)
@given(st.text("0123456789.eE+- \"", max_size=22), st.integers(0, 18), st.booleans())
def test_text_that_is_no_number_is_garbage_and_a_number_is_never_taken_for_another(
    text: str, decimals: int, bare: bool
) -> None:
    exponent = re.search(r"[eE][+-]?([0-9]+)$", text)
    assume(exponent is None or len(exponent[1]) < 4)  # the twin would compute 10**n
    expected = twin(text, decimals, bare)
    if expected[2] == BookFault.NONE:
        assert parse(text, decimals, bare) == expected
    else:
        assert parse(text, decimals, bare)[2] != BookFault.NONE


@settings(max_examples=500, deadline=None)
@given(NUMBERS, st.text("0123456789.e", max_size=12))
def test_what_stands_behind_the_end_is_never_read(text: str, padding: str) -> None:
    assert parse(text, 8, True, padding) == parse(text, 8, True)


@pytest.mark.parametrize("text", [
    "", "-", "--", "-1", "+1", ".5", "5.", ".", "1..2", "1.2.3", "1,5", "abc", "0x10", "1_000",
    "1e", "1e+", "1e5.0", "e5", "NaN", "Infinity", "\u0663", " 1", "1 ", "1e9999999999",
])
def test_garbage_is_refused(text: str) -> None:
    assert parse(text, 8, True)[2] == BookFault.PARSE


@pytest.mark.parametrize("text", ["1e5", "1E5", "1.5e-3", "12345678e1", "0.12345678e1"])
def test_an_exponent_in_quotes_is_garbage(text: str) -> None:
    assert parse(text, 8, False)[2] == BookFault.PARSE
    assert parse(text, 8, True)[2] == BookFault.NONE


def test_a_failed_number_leaves_no_position_to_go_on_from() -> None:
    view = np.frombuffer(b"x1.5,", np.uint8)
    assert number(view, 0, view.size, 8, True)[1] == FAIL
    assert number(view, FAIL, view.size, 8, True)[3] == BookFault.PARSE
