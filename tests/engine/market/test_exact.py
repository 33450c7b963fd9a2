"""Exact arithmetic against Python's own integers, its plain twin."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.market.exact import (
    INT64_MAX,
    at_least,
    difference,
    is_less,
    mul_div,
    mul_div_up,
    multiple_of_both,
    product,
    quotient,
    total,
)
from shm.jit import kernel

unhurried = settings(deadline=None, max_examples=300)  # the first call compiles
EDGES = [0, 1, 2, 3, 9, 10**6, 2**31, 2**32 - 1, 2**32, 2**32 + 1, 2**53, 2**62, 2**63 - 1]
word = st.one_of(st.sampled_from(EDGES), st.integers(0, INT64_MAX))
positive = word.filter(bool)


@kernel
def sum_of_products(a: int, b: int, c: int, d: int) -> tuple[int, int]:
    left_high, left_low = product(a, b)
    right_high, right_low = product(c, d)
    return total(left_high, left_low, right_high, right_low)


@kernel
def quotient_of_product(a: int, b: int, divisor: int) -> tuple[int, bool]:
    high, low = product(a, b)
    return quotient(high, low, divisor)


@kernel
def compared(a: int, b: int, c: int, d: int) -> tuple[bool, int, int]:
    left_high, left_low = product(a, b)
    right_high, right_low = product(c, d)
    high, low = difference(left_high, left_low, right_high, right_low)
    return is_less(left_high, left_low, right_high, right_low), high, low


def whole(parts: tuple[int, int]) -> int:
    return (int(parts[0]) << 64) | int(parts[1])


@unhurried
@given(word, word)
def test_a_product_is_python_s_product(a: int, b: int) -> None:
    assert whole(product(a, b)) == a * b


@unhurried
@given(word, word, word, word)
def test_a_sum_of_products_is_python_s_sum(a: int, b: int, c: int, d: int) -> None:
    assert whole(sum_of_products(a, b, c, d)) == a * b + c * d


@unhurried
@given(word, word, word, word)
def test_a_difference_and_an_order_of_products_are_python_s(a: int, b: int, c: int, d: int) -> None:
    less, high, low = compared(a, b, c, d)
    assert less is (a * b < c * d)
    if not less:
        assert whole((high, low)) == a * b - c * d


@unhurried
@given(word, word, word, word)
def test_a_compare_of_products_is_python_s_compare(a: int, b: int, c: int, d: int) -> None:
    assert at_least(a, b, c, d) is (a * b >= c * d)


@unhurried
@given(word, positive)
def test_equal_products_are_at_least_each_other_and_one_less_is_not(a: int, b: int) -> None:
    assert at_least(a, b, b, a)
    if a:
        assert not at_least(a - 1, b, b, a)


@unhurried
@given(word, word, positive)
def test_a_quotient_is_python_s_floor_and_knows_whether_it_is_exact(a: int, b: int, d: int) -> None:
    floor, exact = quotient_of_product(a, b, d)
    if a * b // d > INT64_MAX:
        assert (floor, exact) == (INT64_MAX, False)
    else:
        assert (floor, exact) == (a * b // d, a * b % d == 0)


@unhurried
@given(word, word, positive)
def test_rounding_up_and_down_bracket_the_true_quotient(a: int, b: int, d: int) -> None:
    assert mul_div(a, b, d) == min(a * b // d, INT64_MAX)
    assert mul_div_up(a, b, d) == min(-(-a * b // d), INT64_MAX)


@pytest.mark.parametrize(("a", "b"), [(1, 1), (1000, 10), (300, 1000), (7, 5), (2**62, 3)])
def test_the_common_multiple_of_two_lots_is_a_lot_of_both(a: int, b: int) -> None:
    assert multiple_of_both(a, b) == min(math.lcm(a, b), INT64_MAX)
