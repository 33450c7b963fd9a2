"""Binance spot, US and USD-M: what each frame means, and that nothing else gets through."""

import gzip
import os
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model.errors import DecodeError, UnknownInstrument
from feeds.venue import (
    NO_PREVIOUS,
    Delta,
    Event,
    Goodbye,
    Quote,
    Rejected,
    Subscribed,
    Trade,
)
from feeds.venues import binance, binance_us, binance_usdm
from feeds.venues.binance_rest import decode_catalogue, decode_snapshot
from feeds.venues.binance_wire import decode

CAPTURES = Path(os.environ.get("TRYPTO_SHARED", Path(__file__).parents[4] / "shared")) / "captures"

DEPTH = (
    b'{"e":"depthUpdate","E":1633998512068,"s":"NKNUSDT","U":499869750,"u":499869752,'
    b'"b":[["0.35130000","6195.00000000"]],"a":[]}'
)
DEPTH_USDM = (
    b'{"e":"depthUpdate","E":1723161256299,"T":1723161256298,"s":"BTCUSDT","U":11,"u":15,"pu":9,'
    b'"b":[["58710.20","0.014"]],"a":[["61839.10","0.000"]]}'
)
QUOTE = (
    b'{"u":499869768,"s":"NKNUSDT","b":"0.35210000","B":"672.00000000","a":"0.35260000",'
    b'"A":"3199.00000000"}'
)
QUOTE_USDM = (
    b'{"e":"bookTicker","u":7,"s":"ETHUSDT","b":"2681.62","B":"1.165","a":"2681.63","A":"73.077",'
    b'"T":1723161256310,"E":1723161256311}'
)
PRINT = (
    b'{"e":"trade","E":1723161255343,"s":"BTCUSDT","t":3735683259,"p":"61837.63","q":"0.02",'
    b'"b":88,"a":99,"T":1723161255342,"m":true,"M":true}'
)
AGGREGATE = (
    b'{"e":"aggTrade","E":1633998523964,"s":"NKNUSDT","a":15683430,"p":"0.35280000","q":"58.0",'
    b'"f":19862790,"l":19862792,"T":1633998523963,"m":false,"M":true}'
)
FRAMES = [DEPTH, DEPTH_USDM, QUOTE, QUOTE_USDM, PRINT, AGGREGATE]


def wrapped(frame: bytes) -> bytes:
    return b'{"stream":"some@stream","data":' + frame + b"}"


def raw(event: Event) -> tuple[object, ...]:
    """Every field of an event, levels as bytes, so that events can be compared."""
    values = (getattr(event, name) for name in event.__struct_fields__)
    return tuple(bytes(value) if isinstance(value, msgspec.Raw) else value for value in values)


@pytest.mark.parametrize("frame", FRAMES)
def test_a_wrapped_frame_means_the_same_as_a_bare_one(frame: bytes) -> None:
    bare, inside = decode(frame), decode(wrapped(frame))
    assert [raw(event) for event in bare] == [raw(event) for event in inside]
    assert len(bare) == 1


def test_a_diff_carries_both_ids_and_its_levels_as_text() -> None:
    (event,) = decode(DEPTH)
    assert isinstance(event, Delta)
    assert raw(event) == (
        "NKNUSDT", b'[["0.35130000","6195.00000000"]]', b"[]", 499869750, 499869752, NO_PREVIOUS,
        1633998512068_000_000, -1,
    )


def test_a_futures_diff_names_its_predecessor_and_the_time_of_the_match() -> None:
    (event,) = decode(DEPTH_USDM)
    assert isinstance(event, Delta)
    assert (event.first_id, event.last_id, event.previous_id) == (11, 15, 9)
    assert event.venue_ns == 1723161256298_000_000


def test_a_quote_has_no_time_on_spot_and_one_on_futures() -> None:
    assert decode(QUOTE) == (
        Quote("NKNUSDT", "0.35210000", "672.00000000", "0.35260000", "3199.00000000", 499869768),
    )
    assert decode(QUOTE_USDM) == (
        Quote("ETHUSDT", "2681.62", "1.165", "2681.63", "73.077", 7, 1723161256310_000_000),
    )


def test_the_seller_took_when_the_buyer_was_the_maker() -> None:
    assert decode(PRINT) == (
        Trade("BTCUSDT", "61837.63", "0.02", -1, 3735683259, 1723161255342_000_000),
    )


def test_an_aggregate_is_known_by_its_last_trade() -> None:
    assert decode(AGGREGATE) == (
        Trade("NKNUSDT", "0.35280000", "58.0", 1, 19862792, 1633998523963_000_000),
    )


def test_answers_and_announcements_are_told_apart() -> None:
    assert decode(b'{"result":null,"id":1}') == (Subscribed(),)
    assert decode(b'{"code":2,"msg":"Invalid request","id":3}') == (Rejected("Invalid request"),)
    assert decode(b'{"error":{"code":2,"msg":"Invalid"},"id":3}') == (Rejected("Invalid"),)
    shutdown = b'{"e":"serverShutdown","E":1770123456789}'
    assert decode(shutdown) == decode(wrapped(shutdown)) == (Goodbye("serverShutdown"),)
    assert decode(wrapped(b'{"e":"kline","E":1,"s":"BTCUSDT","k":{"t":1,"b":[1]}}')) == ()


@pytest.mark.parametrize("frame", [*FRAMES, *map(wrapped, FRAMES), b'{"result":null,"id":1}'])
def test_a_frame_cut_anywhere_is_a_decode_error(frame: bytes) -> None:
    for end in range(len(frame)):
        with pytest.raises(DecodeError):
            decode(frame[:end])


@pytest.mark.parametrize("frame", [
    b"[" * 100_000, b'{"data":' * 100_000, b'{"s":"\xff"}', b'{"b":"\xff","B":"1","s":"X"}',
    b"null",
    b"{}", b"[]", b'{"data":{}}', b'{"u":"1"}', b'{"e":1}', b'{"u":99999999999999999999}',
    b'{"e":"depthUpdate","E":-1}', DEPTH.replace(b'"a"', b'"c"'), DEPTH.replace(b'"U"', b'"V"'),
    DEPTH.replace(b'"s"', b'"z"'), QUOTE.replace(b'"A"', b'"Z"'), QUOTE.replace(b'"u"', b'"z"'),
    QUOTE.replace(b'"b":"0.35210000"', b'"b":["0.35210000"]'), PRINT.replace(b'"m"', b'"n"'),
    PRINT.replace(b'"p"', b'"P"'), DEPTH.replace(b"1633998512068", b"9999999999999999"),
])
def test_what_the_sheet_does_not_allow_is_a_decode_error(frame: bytes) -> None:
    with pytest.raises(DecodeError):
        decode(frame)


@given(
    frame=st.sampled_from([*FRAMES, *map(wrapped, FRAMES)]), at=st.integers(0, 400),
    byte=st.integers(0, 255),
)
def test_a_damaged_byte_raises_nothing_but_a_decode_error(frame: bytes, at: int, byte: int) -> None:
    damaged = bytearray(frame)
    damaged[at % len(frame)] = byte
    for form in (bytes(damaged), damaged, memoryview(damaged)):
        try:
            decode(form)
        except DecodeError:
            continue


def test_every_symbol_is_asked_for_once_in_lower_case_and_frames_stay_small() -> None:
    symbols = [f"A{index}USDT" for index in range(120)]
    venue = binance.VENUE
    asked = [*venue.subscribe(symbols), *venue.subscribe_quotes(symbols)]
    frames = [msgspec.json.decode(frame) for frame in asked]
    params = [stream for frame in frames for stream in frame["params"]]
    assert len(params) == len(set(params)) == 3 * 120
    assert {"a7usdt@depth@100ms", "a7usdt@bookTicker", "a7usdt@trade"} <= set(params)
    assert len(frames) == 6


def test_futures_ask_for_prints_at_an_endpoint_of_their_own() -> None:
    (books,) = binance_usdm.VENUE.subscribe(["BTCUSDT"])
    (prints,) = binance_usdm.VENUE.subscribe_prints(["BTCUSDT"])
    assert msgspec.json.decode(books)["params"] == ["btcusdt@depth@100ms"]
    assert msgspec.json.decode(prints)["params"] == ["btcusdt@aggTrade"]
    assert "/public/" in binance_usdm.VENUE.ws_url
    assert "/market/" in binance_usdm.VENUE.prints_url


def test_names_are_spelled_as_the_venue_does() -> None:
    assert binance.VENUE.native("BTC/USDT") == "BTCUSDT"
    assert binance_usdm.VENUE.native("BTC/USDT:USDT") == "BTCUSDT"
    with pytest.raises(UnknownInstrument, match="binance-usdm"):
        binance.VENUE.native("BTC/USDT:USDT")
    with pytest.raises(UnknownInstrument, match="linear"):
        binance_usdm.VENUE.native("BTC/USD:BTC")


def test_a_rest_book_takes_its_symbol_from_the_request() -> None:
    body = b'{"lastUpdateId":499869752,"bids":[["0.35210000","672.0"]],"asks":[]}'
    book = decode_snapshot("NKNUSDT", body)
    assert (book.symbol, book.last_id) == ("NKNUSDT", 499869752)
    assert (bytes(book.bids), bytes(book.asks)) == (b'[["0.35210000","672.0"]]', b"[]")
    for end in range(len(body)):
        with pytest.raises(DecodeError):
            decode_snapshot("NKNUSDT", body[:end])


CATALOGUE = b"""{"timezone":"UTC","symbols":[
 {"symbol":"BTCUSDT","status":"TRADING","baseAsset":"BTC","quoteAsset":"USDT","filters":[
  {"filterType":"PRICE_FILTER","minPrice":"0.01","maxPrice":"1000000.0","tickSize":"0.01000000"},
  {"filterType":"LOT_SIZE","minQty":"0.00002000","maxQty":"9000.0","stepSize":"0.00001000"},
  {"filterType":"MIN_NOTIONAL","minNotional":"10.00000000","applyToMarket":true,"avgPriceMins":5},
  {"filterType":"MARKET_LOT_SIZE","minQty":"0.0","maxQty":"100.0","stepSize":"0.00000000"}]},
 {"symbol":"ETHUSDT","status":"BREAK","baseAsset":"ETH","quoteAsset":"USDT","filters":[
  {"filterType":"NOTIONAL","minNotional":"5.0","applyMinToMarket":true}]}]}"""
CATALOGUE_USDM = b"""{"symbols":[
 {"symbol":"BTCUSDT","status":"TRADING","baseAsset":"BTC","quoteAsset":"USDT","marginAsset":"USDT",
  "contractType":"PERPETUAL","filters":[{"filterType":"MIN_NOTIONAL","notional":"100"}]},
 {"symbol":"BTCUSDT_261225","status":"TRADING","baseAsset":"BTC","quoteAsset":"USDT",
  "marginAsset":"USDT","contractType":"CURRENT_QUARTER","filters":[]}]}"""


def test_a_catalogue_gives_steps_and_status_with_either_notional_rule() -> None:
    first, second = decode_catalogue(CATALOGUE)
    assert (first.native, first.pair, first.tick, first.lot) == (
        "BTCUSDT", "BTC/USDT", "0.01000000", "0.00001000",
    )
    assert (first.size_min, first.notional_min) == ("0.00002000", "10.00000000")
    assert first.trading
    assert (second.notional_min, second.trading) == ("5.0", False)


def test_a_futures_catalogue_gives_perpetuals_alone() -> None:
    (listing,) = decode_catalogue(CATALOGUE_USDM)
    assert (listing.pair, listing.notional_min) == ("BTC/USDT:USDT", "100")


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", CATALOGUE[:300], b'{"symbols":[{}]}'])
def test_a_broken_catalogue_is_a_decode_error(body: bytes) -> None:
    with pytest.raises(DecodeError):
        decode_catalogue(body)


def test_the_american_house_differs_in_hosts_alone() -> None:
    assert binance_us.VENUE.decode is binance.VENUE.decode
    assert "binance.us" in binance_us.VENUE.ws_url
    assert "binance.us" in binance_us.VENUE.rest_url


@pytest.mark.skipif(not CAPTURES.is_dir(), reason="the shared captures are not here")
@pytest.mark.parametrize("name", [
    "binance.spot.20210405", "binance.spot.20210814", "binance.usdm.20210405",
    "binanceus.spot.20210405", "binanceus.spot.20210814", "binancetr.spot.20230410",
])
def test_every_recorded_frame_decodes(name: str) -> None:
    kinds = {Delta: 0, Quote: 0, Trade: 0}
    catalogues = 0
    with gzip.open(CAPTURES / f"{name}.jsonl.gz") as lines:
        for line in map(msgspec.json.decode, lines):
            body = line["m"].encode()
            if line["ch"] == "ws" and line["dir"] == "in":
                for event in decode(body):
                    kinds[type(event)] += 1
            elif "/depth?" in line["url"]:
                assert decode_snapshot("ANY", body).last_id > 0
            elif line["ch"] == "http":
                catalogues += 1
                assert len(decode_catalogue(body)) > 100
    assert kinds[Delta] > 0
    assert kinds[Quote] > 0
    assert catalogues == (1 if name.endswith("20210814") else 0)
