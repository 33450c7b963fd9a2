"""OKX: what each frame means, of today and of 2022, and that nothing else gets through."""

import gzip
import os
from collections import Counter
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model.errors import DecodeError, UnknownInstrument
from feeds.venue import (
    NO_CHECKSUM,
    NO_PREVIOUS,
    Alive,
    BookLost,
    Delta,
    Goodbye,
    Quote,
    Rejected,
    Snapshot,
    Subscribed,
    Trade,
)
from feeds.venues import okx, okx_us
from feeds.venues.okx_rest import decode_catalogue
from feeds.venues.okx_wire import decode

CAPTURES = Path(os.environ.get("TRYPTO_SHARED", Path(__file__).parents[4] / "shared")) / "captures"

SNAPSHOT = (
    b'{"arg":{"channel":"books","instId":"BTC-USDT"},"action":"snapshot","data":[{"asks":'
    b'[["64216.7","0.73515348","0","7"]],"bids":[["64216.6","1.50780403","0","11"]],'
    b'"ts":"1783786805708","checksum":0,"seqId":78677952608,"prevSeqId":-1}]}'
)
UPDATE = (
    b'{"arg":{"channel":"books","instId":"BTC-USDT"},"action":"update","data":[{"asks":'
    b'[["64220.9","0","0","0"]],"bids":[],"ts":"1783786806308","checksum":0,"seqId":78677952860,'
    b'"prevSeqId":78677952829}]}'
)
UPDATE_2022 = (
    b'{"arg":{"channel":"books-l2-tbt","instId":"BTC-USDT"},"action":"update","data":[{"asks":'
    b'[["30247.5","0","0","0"]],"bids":[],"ts":"1652459225464","checksum":-652563973}]}'
)
QUOTE = (
    b'{"arg":{"channel":"bbo-tbt","instId":"BTC-USDT"},"data":[{"asks":[["8476.98","415","0","13"]],'
    b'"bids":[["8476.97","256","0","12"]],"ts":"1597026383085","seqId":123456}]}'
)
PRINT = (
    b'{"arg":{"channel":"trades","instId":"BTC-USDT"},"data":[{"instId":"BTC-USDT","tradeId":'
    b'"130639474","px":"42219.9","sz":"0.12060306","side":"buy","ts":"1630048897897","count":"3",'
    b'"source":"0","seqId":1234}]}'
)
FRAMES = [SNAPSHOT, UPDATE, UPDATE_2022, QUOTE, PRINT]


def test_a_snapshot_holds_both_sides_and_the_id_that_updates_link_to() -> None:
    (event,) = decode(SNAPSHOT)
    assert isinstance(event, Snapshot)
    assert (event.symbol, event.last_id, event.checksum) == ("BTC-USDT", 78677952608, NO_CHECKSUM)
    assert bytes(event.bids) == b'[["64216.6","1.50780403","0","11"]]'
    assert bytes(event.asks) == b'[["64216.7","0.73515348","0","7"]]'
    assert event.venue_ns == 1783786805708_000_000


def test_an_update_names_its_predecessor() -> None:
    (event,) = decode(UPDATE)
    assert isinstance(event, Delta)
    assert (event.previous_id, event.last_id) == (78677952829, 78677952860)
    assert event.checksum == NO_CHECKSUM


def test_an_update_of_2022_has_a_checksum_and_its_time_for_an_id() -> None:
    (event,) = decode(UPDATE_2022)
    assert isinstance(event, Delta)
    assert (event.previous_id, event.last_id) == (NO_PREVIOUS, 1652459225464)
    assert event.checksum == -652563973 + 2**32


def test_a_quote_brings_no_number_that_could_be_compared_with_the_books() -> None:
    (quote,) = decode(QUOTE)
    assert isinstance(quote, Quote)
    assert quote.update_id == 0


def test_a_quote_reads_no_such_side_as_zero() -> None:
    assert decode(QUOTE) == [
        Quote("BTC-USDT", "8476.97", "256", "8476.98", "415", 0, 1597026383085_000_000),
    ]
    for nothing in (b'"asks":[]', b'"asks":[["","","0","0"]]'):
        (quote,) = decode(QUOTE.replace(b'"asks":[["8476.98","415","0","13"]]', nothing))
        assert isinstance(quote, Quote)
        assert (quote.bid, quote.ask, quote.ask_size) == ("8476.97", "0", "0")


def test_the_side_of_a_print_is_the_takers_and_one_push_may_hold_several() -> None:
    row = PRINT[PRINT.index(b"[") + 1 : -2]
    two = PRINT[:-2] + b"," + row.replace(b"buy", b"sell") + b"]}"
    first, second = decode(two)
    assert first == Trade(
        "BTC-USDT", "42219.9", "0.12060306", 1, 130639474, 1630048897897_000_000,
    )
    assert isinstance(second, Trade)
    assert second.side == -1


def test_answers_and_notices_are_told_apart() -> None:
    books = b'"arg":{"channel":"books","instId":"BTC-USDT"}'
    assert decode(b"pong") == decode(memoryview(b"pong")) == (Alive(),)
    assert decode(b'{"event":"subscribe",' + books + b',"connId":"a4"}') == (
        Subscribed("BTC-USDT", "books"),
    )
    assert decode(b'{"event":"unsubscribe",' + books + b"}") == (
        BookLost("BTC-USDT", "unsubscribed"),
    )
    assert decode(b'{"event":"error","code":"60012","msg":"Invalid request","connId":"a"}') == (
        Rejected("60012 Invalid request"),
    )
    assert decode(b'{"event":"notice","code":"64008","msg":"Closed soon.","connId":"a"}') == (
        Goodbye("Closed soon."),
    )
    assert decode(b'{"event":"channel-conn-count","channel":"orders"}') == (Alive(),)
    assert decode(b'{"arg":{"channel":"tickers","instId":"A-B"},"data":[{"last":"1"}]}') == ()


@pytest.mark.parametrize("frame", [*FRAMES, b"pong"])
def test_a_frame_cut_anywhere_is_a_decode_error(frame: bytes) -> None:
    for end in range(len(frame)):
        with pytest.raises(DecodeError):
            decode(frame[:end])


@pytest.mark.parametrize("frame", [
    b"ping", b"{}", b"null", b"[]", b"[" * 100_000, b'{"data":' * 100_000, b'{"event":"\xff"}',
    b'{"arg":{"channel":"books","instId":"A-B"},"data":[]}', UPDATE.replace(b'"asks"', b'"a5ks"'),
    UPDATE.replace(b"update", b"upd4te"), UPDATE.replace(b'"1783786806308"', b'""'),
    UPDATE.replace(b":0,", b":0.5,"), UPDATE.replace(b"78677952860", b"99999999999999999999"),
    UPDATE_2022.replace(b"-652563973", b"-6525639730"), QUOTE.replace(b',"415","0","13"', b""),
    QUOTE.replace(b'"bids"', b'"b1ds"'), QUOTE.replace(b'"8476.97"', b"8476.97"),
    PRINT.replace(b'"buy"', b'"b"'), PRINT.replace(b'"px"', b'"pz"'), PRINT.replace(b"1306", b"x"),
])
def test_what_the_sheet_does_not_allow_is_a_decode_error(frame: bytes) -> None:
    with pytest.raises(DecodeError):
        decode(frame)


@given(frame=st.sampled_from(FRAMES), at=st.integers(0, 400), byte=st.integers(0, 255))
def test_a_damaged_byte_raises_nothing_but_a_decode_error(frame: bytes, at: int, byte: int) -> None:
    damaged = bytearray(frame)
    damaged[at % len(frame)] = byte
    for form in (bytes(damaged), damaged, memoryview(damaged)):
        try:
            decode(form)
        except DecodeError:
            continue


def test_one_request_asks_for_all_books_and_prints_and_a_resync_touches_one_book_alone() -> None:
    (request,) = map(msgspec.json.decode, okx.VENUE.subscribe(["BTC-USDT", "ETH-USDT"]))
    assert request["op"] == "subscribe"
    assert len(request["args"]) == 4
    assert {"channel": "trades", "instId": "ETH-USDT"} in request["args"]
    (quotes,) = map(msgspec.json.decode, okx.VENUE.subscribe_quotes(["BTC-USDT"]))
    assert quotes["args"] == [{"channel": "bbo-tbt", "instId": "BTC-USDT"}]
    again = [msgspec.json.decode(frame) for frame in okx.VENUE.resubscribe("BTC-USDT")]
    book = [{"channel": "books", "instId": "BTC-USDT"}]
    assert again == [{"op": "unsubscribe", "args": book}, {"op": "subscribe", "args": book}]


def test_names_are_spelled_as_the_venue_does() -> None:
    assert okx.VENUE.native("BTC/USDT") == "BTC-USDT"
    with pytest.raises(UnknownInstrument, match="spot"):
        okx.VENUE.native("BTC/USDT:USDT")


CATALOGUE = b"""{"code":"0","msg":"","data":[{"instType":"SPOT","instId":"BTC-USD","baseCcy":"BTC",
 "quoteCcy":"USD","category":"1","tickSz":"0.1","lotSz":"0.00000001","minSz":"0.00001",
 "state":"live"},{"instType":"SWAP","instId":"BTC-USD-SWAP","baseCcy":"","quoteCcy":"",
 "tickSz":"0.1","lotSz":"1","minSz":"1","state":"live"}]}"""


def test_a_catalogue_gives_the_spot_instruments() -> None:
    (listing,) = decode_catalogue(CATALOGUE)
    assert (listing.native, listing.pair, listing.trading) == ("BTC-USD", "BTC/USD", True)
    assert (listing.tick, listing.lot, listing.size_min) == ("0.1", "0.00000001", "0.00001")


@pytest.mark.parametrize("body", [
    b"", b"{}", CATALOGUE[:200], b'{"code":"50011","msg":"Too Many Requests","data":[]}',
])
def test_a_broken_catalogue_is_a_decode_error(body: bytes) -> None:
    with pytest.raises(DecodeError):
        decode_catalogue(body)


def test_the_american_house_differs_in_hosts_and_fees_alone() -> None:
    assert okx_us.VENUE.decode is okx.VENUE.decode
    assert "wsus.okx.com" in okx_us.VENUE.ws_url


@pytest.mark.skipif(not CAPTURES.is_dir(), reason="the shared captures are not here")
@pytest.mark.parametrize(("name", "expected"), [
    ("okx.mixed.20220227", {Snapshot: 20, Delta: 3659, Trade: 19, Subscribed: 60}),
    ("okx.spot.20260711mini", {Snapshot: 1, Delta: 2, Subscribed: 1}),
])
def test_every_recorded_frame_decodes(name: str, expected: dict[type, int]) -> None:
    kinds: Counter[type] = Counter()
    with gzip.open(CAPTURES / f"{name}.jsonl.gz") as lines:
        for line in map(msgspec.json.decode, lines):
            body = line["m"].encode()
            if line["ch"] == "ws" and line["dir"] == "in":
                kinds.update(map(type, decode(body)))
            elif "instType=SPOT" in line["url"]:
                assert len(decode_catalogue(body)) > 100
    assert kinds == expected
