"""Text parameters: what they take, what they refuse, and that nothing is leaked or copied."""

import sys
from typing import Any

import msgspec
import numpy as np
import pytest

from shm.jit import entry, hot
from shm.text import INT, TEXT, WORDS, Text, load_eight, move_words, octets
from shm.text import trailing_zeros as zeros_below


@hot
def weigh(text: Text) -> int:
    """Return the sum of the bytes, each times its place."""
    view = octets(text)
    total = 0
    for at in range(view.size):
        total += (at + 1) * int(np.int64(view[at]))
    return total


@hot
def first_eight(text: Text, at: int) -> int:
    """Return eight bytes as a number."""
    return int(np.int64(load_eight(octets(text), at)))


@hot
def count_zeros(text: Text) -> int:
    """Return the zero bits below the lowest one of the first eight bytes."""
    return zeros_below(load_eight(octets(text), 0))


@hot
def shift(words: Any, to: int, origin: int, count: int) -> int:
    """Move words and return the first."""
    move_words(words, to, origin, count)
    return int(words[0])


def weight(text: bytes) -> int:
    return sum((at + 1) * mark for at, mark in enumerate(text))


RAW = msgspec.json.decode(b'{"levels":[["1","2"]]}', type=dict[str, msgspec.Raw])["levels"]


@pytest.mark.parametrize("text", [
    b"", b"abc", bytearray(b"abc"), memoryview(b"abcdef")[2:4], RAW, "", "abc", "a\u20ac\U0001f600",
    np.frombuffer(b"xyz", np.uint8),
])
def test_bytes_buffers_raw_json_and_str_arrive_as_their_bytes(text: Any) -> None:
    expected = text.encode() if isinstance(text, str) else bytes(text)
    assert entry(weigh, TEXT)(text) == weight(expected)


@pytest.mark.parametrize("text", [None, 5, 1.5, ["a"], {"a": 1}, object()])
def test_what_has_no_bytes_is_a_type_error(text: Any) -> None:
    with pytest.raises(TypeError):
        entry(weigh, TEXT)(text)


def test_a_lone_surrogate_is_an_error_of_pythons_own() -> None:
    with pytest.raises(UnicodeEncodeError):
        entry(weigh, TEXT)("\ud800")


def test_a_strided_buffer_is_refused() -> None:
    with pytest.raises(BufferError):
        entry(weigh, TEXT)(memoryview(b"abcdef")[::2])


def test_a_wrong_number_of_arguments_is_a_type_error() -> None:
    with pytest.raises(TypeError):
        entry(weigh, TEXT)()
    with pytest.raises(TypeError):
        entry(weigh, TEXT)(b"", b"")


@pytest.mark.parametrize("text", [bytearray(b"abc"), RAW, "abc"])
def test_a_buffer_is_given_back_after_the_call(text: Any) -> None:
    call = entry(weigh, TEXT)
    before = sys.getrefcount(text)
    for _ in range(100):
        call(text)
    assert sys.getrefcount(text) == before
    if isinstance(text, bytearray):
        text.extend(b"d")  # refused while anybody holds its buffer


def test_a_buffer_is_given_back_when_a_later_argument_fails() -> None:
    text = bytearray(b"abcdefgh")
    with pytest.raises(ValueError, match="invalid literal"):
        entry(first_eight, TEXT, INT)(text, "x")
    text.extend(b"i")


def test_eight_bytes_load_from_any_place_the_first_lowest() -> None:
    text = bytes(range(1, 30))
    for at in range(len(text) - 8):
        assert entry(first_eight, TEXT, INT)(text, at) == int.from_bytes(
            text[at : at + 8], "little")


@pytest.mark.parametrize("power", range(64))
def test_trailing_zeros_are_counted(power: int) -> None:
    assert entry(count_zeros, TEXT)((1 << power).to_bytes(8, "little")) == power
    assert entry(count_zeros, TEXT)(bytes(8)) == 64


@pytest.mark.parametrize(("to", "origin", "count"), [(1, 0, 9), (0, 1, 9), (3, 3, 4), (0, 5, 0)])
def test_overlapping_words_move_as_if_through_a_copy(to: int, origin: int, count: int) -> None:
    words = np.arange(10)
    expected = words.copy()
    expected[to : to + count] = words[origin : origin + count].copy()
    entry(shift, WORDS, INT, INT, INT)(words, to, origin, count)
    assert words.tolist() == expected.tolist()
