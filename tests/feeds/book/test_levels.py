"""Level lists against a grammar written as regular expressions."""

import json
import re
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds.book.full_book import FullBook
from feeds.book.levels import ASK, BID
from feeds.venue import LevelText
from shm.layout import BookFault

SPACE = r"[ \t\r\n]*"
NUMBER = r'(?:"[0-9]+(?:\.[0-9]+)?"|[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)'
SKIPPED = r'(?:"(?:[^"\\]|\\.)*"|[0-9A-Za-z.+-]+)'
PAIR = rf"\[{SPACE}({NUMBER}){SPACE},{SPACE}({NUMBER})(?:{SPACE},{SPACE}{SKIPPED})*{SPACE}\]"
LIST = re.compile(
    rf"{SPACE}\[{SPACE}(?:{PAIR}(?:{SPACE},{SPACE}{PAIR})*{SPACE})?\]{SPACE}", re.DOTALL)
ONE = re.compile(PAIR, re.DOTALL)


def book(level_text: LevelText = LevelText.PAIRS) -> FullBook:
    return FullBook(8, 8, 64, True, level_text=level_text)


def bids_of(text: str | bytes) -> list[tuple[str, str]] | BookFault:
    it = book()
    fault = it.load(text)
    return fault if fault else it.levels_text(64)[0]


WHITE = st.text(" \t\r\n", max_size=2)
PRICES = st.integers(1, 40).map(lambda cents: f"{cents / 100:.2f}")
VALUES = st.one_of(PRICES.map(lambda text: f'"{text}"'), PRICES, st.just("1e-2"))
EXTRAS = st.lists(st.sampled_from(['"0"', '"a]\\"b"', "7", "null", "-1.5"]), max_size=2)


@st.composite
def level_lists(draw: st.DrawFn) -> str:
    levels = []
    for _ in range(draw(st.integers(0, 4))):
        parts = [draw(VALUES), draw(VALUES), *draw(EXTRAS)]
        inner = ",".join(draw(WHITE) + part + draw(WHITE) for part in parts)
        levels.append(f"{draw(WHITE)}[{inner}]{draw(WHITE)}")
    return f"{draw(WHITE)}[{','.join(levels) or draw(WHITE)}]{draw(WHITE)}"


def twin_accepts(text: str) -> bool:
    return LIST.fullmatch(text) is not None


def twin_levels(text: str) -> dict[float, float]:
    found: dict[float, float] = {}
    for match in ONE.finditer(text):
        price, size = (float(part.strip('"')) for part in match.groups()[:2])
        found.pop(price, None)
        if size:
            found[price] = size
    return found


@settings(max_examples=400, deadline=None)
@given(level_lists())
def test_any_white_space_quoting_and_extra_elements_are_read_alike(text: str) -> None:
    assert twin_accepts(text)
    found = bids_of(text)
    assert isinstance(found, list)
    assert {float(price): float(size) for price, size in found} == twin_levels(text)


@settings(max_examples=600, deadline=None)
@given(level_lists(), st.integers(0, 200), st.sampled_from('[]{}",.0e -\\x\n'), st.booleans())
def test_one_changed_byte_is_refused_unless_the_grammar_still_allows_it(
    text: str, at: int, mark: str, insert: bool
) -> None:
    at %= len(text)
    broken = text[:at] + mark + text[at + (not insert):]
    found = bids_of(broken)
    if twin_accepts(broken) and "e" not in broken:
        assert isinstance(found, list)
        assert {float(price): float(size) for price, size in found} == twin_levels(broken)
    elif not twin_accepts(broken):
        assert found == BookFault.PARSE or found == BookFault.INEXACT


WHOLE = {
    LevelText.PAIRS: '[["61737.63000000","0.01000000"],["61730.17","2",0,"x"],[5,1.5]]',
    LevelText.OBJECTS: '[{"price":0.5666,"qty":4831.75496356},{"qty":1e-05,"x":"y","price":5E2}]',
    LevelText.SIDED_PAIRS: '[["buy","10101.10","0.45054140"],["sell","10102.55","0.57753524"]]',
    LevelText.SIDED_OBJECTS: (
        '[{"side":"bid","event_time":"2023-02-09T20:32:50.714964855Z","price_level":"21921.73",'
        '"new_quantity":"0.06317902"},{"new_quantity":"2","price_level":"21921.74","side":"offer"}]'
    ),
}


@pytest.mark.parametrize("level_text", list(LevelText))
def test_every_encoding_is_read_whole(level_text: LevelText) -> None:
    it = book(level_text)
    assert it.load(WHOLE[level_text]) == BookFault.NONE
    expected = {
        LevelText.PAIRS: ([("61737.63000000", "0.01000000"), ("61730.17", "2"), ("5", "1.5")], []),
        LevelText.OBJECTS: ([("500", "0.00001"), ("0.5666", "4831.75496356")], []),
        LevelText.SIDED_PAIRS: ([("10101.10", "0.45054140")], [("10102.55", "0.57753524")]),
        LevelText.SIDED_OBJECTS: ([("21921.73", "0.06317902")], [("21921.74", "2")]),
    }[level_text]
    assert it.levels_text(9) == expected


@pytest.mark.parametrize("level_text", list(LevelText))
def test_a_text_cut_anywhere_is_refused_and_nothing_behind_the_cut_is_read(
    level_text: LevelText,
) -> None:
    text = WHOLE[level_text].encode()
    for cut in range(len(text)):
        # a view into the whole text: a step over the end would find it complete
        assert book(level_text).load(memoryview(text)[:cut]) == BookFault.PARSE, text[:cut]


@pytest.mark.parametrize("level_text", list(LevelText))
def test_random_bytes_never_crash_the_parser(level_text: LevelText) -> None:
    random = Random(7)
    alphabet = b'[]{}",:.0123456789eE+- \\abuysellbidofferpricqty_nw\xff\x00'
    whole = WHOLE[level_text].encode()
    it = book(level_text)
    for _ in range(3_000):
        text = bytearray(whole)
        for _ in range(random.randrange(1, 6)):
            text[random.randrange(len(text))] = random.choice(alphabet)
        assert it.load(bytes(text)) in BookFault
        assert it.load(bytes(random.choices(alphabet, k=random.randrange(40)))) in BookFault


@pytest.mark.parametrize("text", [
    "", " ", "[", "]", "null", "{}", "[[]]", '[["1"]]', '[["1",]]', '[["1","2"]', '[["1","2"],]',
    '["1","2"]', '[["1","2"]]]', '[["1","2"]] x', '[["1" "2"]]', '[["1","2",]]', '[["1","2",[]]]',
    '[["--","2"]]', '[["1","-2"]]', '[["1e5","2"]]', '[[1,2],,[3,4]]', '[["1","2"}]', '[["1,"2"]]',
    '[["","2"]]', '[["1",""]]', '[[true,2]]', '[["1","2","\\"]]',
])
def test_malformed_pairs_are_garbage(text: str) -> None:
    assert bids_of(text) == BookFault.PARSE


@pytest.mark.parametrize("text", [
    '[{"price":1}]', '[{"qty":1}]', "[{}]", '[{"price":1,"qty":2]', '[{"price":1 "qty":2}]',
    '[{"price":1,"qty":2},]', '[{"price":-1,"qty":2}]', '[{"price":1,"qty":2,"x":[1]}]',
    '[{price:1,"qty":2}]', '[["1","2"]]', '[{"price":1,"qty":}]', '[{"pric":1,"qty":2}]',
])
def test_malformed_objects_are_garbage(text: str) -> None:
    assert book(LevelText.OBJECTS).load(text) == BookFault.PARSE


@pytest.mark.parametrize("text", [
    '[["hold","1","2"]]', '[["buyer","1","2"]]', '[["","1","2"]]', '[["1","2"]]',
    '[["bid","1","2"]]', '[["buy\\"","1","2"]]', "[[buy,1,2]]",
])
def test_an_unknown_side_is_garbage(text: str) -> None:
    assert book(LevelText.SIDED_PAIRS).load(text) == BookFault.PARSE


@pytest.mark.parametrize("text", [
    '[{"side":"buy","price_level":"1","new_quantity":"2"}]',
    '[{"price_level":"1","new_quantity":"2"}]',
    '[{"side":"bid","price_level":"1"}]',
])
def test_a_sided_object_needs_side_price_and_size(text: str) -> None:
    assert book(LevelText.SIDED_OBJECTS).load(text) == BookFault.PARSE


@pytest.mark.parametrize(("text", "fault"), [
    ('[["1.123456789","1"]]', BookFault.INEXACT),
    ('[["1","0.000000001"]]', BookFault.INEXACT),
    ('[["92233720368.54775808","1"]]', BookFault.OVERFLOW),
    ('[["1","99999999999999999999"]]', BookFault.OVERFLOW),
    ('[["1.5","1"],["x","1"]]', BookFault.PARSE),
])
def test_numbers_that_do_not_fit_are_told_apart(text: str, fault: BookFault) -> None:
    assert bids_of(text) == fault


def test_zeros_beyond_the_quantum_are_exact_and_kept_as_sent() -> None:
    assert bids_of('[["1.1234567800000","2.0"]]') == [("1.1234567800000", "2.0")]


def test_what_python_writes_as_json_is_read_back() -> None:
    random = Random(3)
    levels = {round(random.uniform(1, 9), 4): round(random.uniform(0.1, 9), 5) for _ in range(60)}
    text = json.dumps([[price, size] for price, size in levels.items()])
    found = bids_of(text)
    assert isinstance(found, list)
    assert [(float(price), float(size)) for price, size in found] == sorted(
        levels.items(), reverse=True)


def test_the_side_of_an_unsided_text_is_the_callers() -> None:
    it = book()
    assert it.load("[[1,2]]", "[[3,4]]") == BookFault.NONE
    assert it.side(BID)[:, 0].tolist() == [100_000_000]
    assert it.side(ASK)[:, 0].tolist() == [-300_000_000]
    assert np.array_equal(it.top(1)[2], [300_000_000])
