"""Checksums: against zlib, against the sheets' examples, against every recorded message."""

import os
import zlib
from pathlib import Path
from random import Random

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds.book.checksum import crc32
from feeds.book.full_book import FullBook
from feeds.recorded.survey import Surveyed, survey
from feeds.venue import (
    NO_CHECKSUM,
    BookLost,
    Checksum,
    Delta,
    LevelText,
    Snapshot,
    Subscribed,
)
from shm.layout import BookFault

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("TRYPTO_SHARED") or ROOT.parent / "shared")

# Worked examples of shared/venues/kraken.md and okx.md, recomputed there.
KRAKEN_ASKS = (
    "45285.2/0.00100000 45286.4/1.54571953 45286.6/1.54571109 45289.6/1.54560911 "
    "45290.2/0.15890660 45291.8/1.54553491 45294.7/0.04454749 45296.1/0.35380000 "
    "45297.5/0.09945542 45299.5/0.18772827")
KRAKEN_BIDS = (
    "45283.5/0.10000000 45283.4/1.54582015 45282.1/0.10000000 45281.0/0.10000000 "
    "45280.3/1.54592586 45279.0/0.07990000 45277.6/0.03310103 45277.5/0.30000000 "
    "45277.3/1.54602737 45276.6/0.15445238")


def objects(levels: str) -> str:
    rows = (level.split("/") for level in levels.split())
    return "[" + ",".join(f'{{"price":{price},"qty":{qty}}}' for price, qty in rows) + "]"


def pairs(levels: str) -> str:
    rows = (level.split("/") for level in levels.split())
    return "[" + ",".join(f'["{price}","{size}","0","1"]' for price, size in rows) + "]"


def kraken_book(depth: int = 10) -> FullBook:
    return FullBook(
        8, 8, 1000, level_text=LevelText.OBJECTS, checksum=Checksum.KRAKEN, truncate_depth=depth)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_the_crc_is_that_of_zlib(text: bytes) -> None:
    assert crc32(np.frombuffer(text, np.uint8)) == zlib.crc32(text)


def test_the_kraken_example_and_its_follow_up_verify() -> None:
    book = kraken_book()
    assert book.load(objects(KRAKEN_BIDS), objects(KRAKEN_ASKS), 3310070434) == BookFault.NONE
    assert book.checksum == 3310070434
    better = '[{"price":45284.0,"qty":0.25000000}]'
    assert book.apply(better, "[]", 1770254428) == BookFault.NONE


def test_the_okx_example_verifies_with_sides_of_different_length() -> None:
    book = FullBook(4, 4, 400, checksum=Checksum.OKX)
    bids, asks = pairs("3366.1/7 3366/6"), pairs("3366.8/9 3368/8 3372/8")
    assert book.load(bids, asks, 1362239393) == BookFault.NONE


@pytest.mark.parametrize("mutant", [
    KRAKEN_BIDS.replace("45283.5/0.10000000", "45283.5/0.10000001"),
    KRAKEN_BIDS.replace("45276.6", "45276.5"),
    KRAKEN_BIDS.replace("45281.0/0.10000000 ", ""),
    KRAKEN_BIDS.replace("45281.0", "45281.00"),  # the text counts, not the number
])
def test_one_wrong_level_fails_the_checksum_and_spoils_the_book(mutant: str) -> None:
    book = kraken_book()
    fault = book.load(objects(mutant), objects(KRAKEN_ASKS), 3310070434)
    assert fault == BookFault.CHECKSUM
    assert book.apply("[]", "[]") == BookFault.CHECKSUM


def test_only_the_best_ten_count_for_kraken() -> None:
    deeper = KRAKEN_BIDS + " 45000.0/1.00000000"
    book = kraken_book(depth=25)
    assert book.load(objects(deeper), objects(KRAKEN_ASKS), 3310070434) == BookFault.NONE


def test_a_message_without_checksum_is_taken_as_it_is() -> None:
    book = kraken_book()
    assert book.load(objects(KRAKEN_BIDS), "[]", NO_CHECKSUM) == BookFault.NONE


def test_a_venue_without_checksum_ignores_one() -> None:
    book = FullBook(8, 8, 10)
    assert book.load("[[1,2]]", "[]", 12345) == BookFault.NONE
    assert book.checksum == NO_CHECKSUM


@pytest.mark.parametrize("rule", [Checksum.KRAKEN, Checksum.OKX])
def test_random_books_have_the_checksum_of_their_text(rule: Checksum) -> None:
    random = Random(int(rule))
    for _ in range(200):
        price_decimals, size_decimals = random.randrange(9), random.randrange(9)
        book = FullBook(8, 8, 100, checksum=rule)
        sides = []
        for sign in (-1, 1):
            prices = sorted(random.sample(range(1, 400), random.randrange(40)))
            sides.append([
                (f"{500 + sign * price / 1000:.{price_decimals}f}",
                 f"{random.randrange(1, 10**7) / 10**4 + 1:.{size_decimals}f}")
                for price in prices])
        # rounding may join neighbours: the last one stands
        bids, asks = (list(dict(side).items()) for side in sides)
        if bids and asks and float(bids[0][0]) >= float(asks[0][0]):
            asks = []
        texts = [pairs(" ".join("/".join(it) for it in side)) for side in (bids, asks)]
        assert book.load(texts[0], texts[1]) == BookFault.NONE
        assert book.checksum == zlib.crc32(text_of(rule, bids, asks).encode())


def text_of(rule: Checksum, bids: list[tuple[str, str]], asks: list[tuple[str, str]]) -> str:
    if rule is Checksum.KRAKEN:
        return "".join(
            number.replace(".", "").lstrip("0")
            for level in (*asks[:10], *bids[:10]) for number in level)
    return ":".join(
        ":".join(side[rank]) for rank in range(25) for side in (bids, asks) if rank < len(side))


@pytest.mark.parametrize("name", [
    "kraken.spot.20260802v2", "kraken.spot.20210405v1", "okx.mixed.20220227",
    "okx.spot.20260711mini",
])
def test_every_checksum_in_a_recording_verifies(name: str) -> None:
    path = SHARED / "captures" / f"{name}.jsonl.gz"
    if not path.is_file():
        pytest.skip("no recordings beside this clone")
    (surveyed,) = survey([path])
    (capture,) = surveyed.captures
    books: dict[str, FullBook] = {}
    verified: dict[str, int] = {}
    depths: dict[str, int] = {}
    for line in capture.lines():
        if line.ch != "ws" or line.dir != "in" or not line.m:
            continue
        for event in capture.venue.decode(line.m.encode()):
            if isinstance(event, Subscribed) and event.depth:
                depths[event.symbol] = event.depth
            elif isinstance(event, BookLost):
                books.pop(event.symbol, None)
            elif isinstance(event, Snapshot | Delta):
                take(surveyed, event, books, verified, depths)
    expected = {}
    for file in (SHARED / "captures" / "expected").glob(f"{name}.*.json"):
        truth = msgspec.json.decode(file.read_bytes())
        expected[truth["symbol"]] = truth["checksums"]["verified_ok"]
    assert {symbol: verified.get(symbol, 0) for symbol in expected} == expected


def take(
    surveyed: Surveyed, event: Snapshot | Delta, books: dict[str, FullBook],
    verified: dict[str, int], depths: dict[str, int],
) -> None:
    venue = surveyed.venue
    if isinstance(event, Snapshot):
        symbol = surveyed.symbols[event.symbol]
        books[event.symbol] = FullBook(
            symbol.price_decimals, symbol.size_decimals, 5_000,
            level_text=venue.level_text, checksum=venue.checksum,
            truncate_depth=depths.get(event.symbol, venue.truncate_depth))
        act = books[event.symbol].load
    elif event.symbol in books:
        act = books[event.symbol].apply
    else:
        return
    assert act(event.bids, event.asks, event.checksum) == BookFault.NONE
    verified[event.symbol] = verified.get(event.symbol, 0) + (event.checksum != NO_CHECKSUM)
