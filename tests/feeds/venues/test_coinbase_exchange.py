"""Coinbase Exchange: snapshot and changes in one level text, prints turned to the taker."""

import json
from collections import Counter
from decimal import Decimal

import pytest

from engine.model.errors import DecodeError
from feeds import venue
from feeds.venues.coinbase_exchange import VENUE
from tests.feeds.venues.frames import accepted_of, damaged, expected, mistyped, recorded

SNAPSHOT = (
    b'{"type":"snapshot","product_id":"BAND-GBP","asks":[["14.8024","12.77"],["14.8069","12.49"]],'
    b'"bids":[["14.7693","27.51"]]}'
)
UPDATE = (
    b'{"type":"l2update","product_id":"SKL-BTC","changes":[["sell","0.00001306","660.5"]],'
    b'"time":"2021-04-17T16:43:37.075687Z"}'
)
MATCH = (
    b'{"type":"match","trade_id":280232,"maker_order_id":"2a","taker_order_id":"3c","side":"sell",'
    b'"size":"985","price":"0.00001305","product_id":"SKL-BTC","sequence":177100030,'
    b'"time":"2021-04-17T16:43:37.089723Z"}'
)
TICKER = (
    b'{"type":"ticker","sequence":333938798,"product_id":"BAND-GBP","price":"14.7775",'
    b'"best_bid":"14.7550","best_bid_size":"2.5","best_ask":"14.8060","best_ask_size":"1",'
    b'"side":"buy","time":"2021-04-17T16:43:30.244075Z","trade_id":881613,"last_size":"0.04"}'
)
ACK = (
    b'{"type":"subscriptions","channels":[{"name":"level2_batch","product_ids":["BTC-USD"]},'
    b'{"name":"heartbeat","product_ids":["BTC-USD"]}]}'
)


def test_a_snapshot_is_written_as_the_changes_are() -> None:
    (event,) = VENUE.decode(SNAPSHOT)
    assert isinstance(event, venue.Snapshot)
    assert json.loads(bytes(event.bids)) == [
        ["buy", "14.7693", "27.51"], ["sell", "14.8024", "12.77"], ["sell", "14.8069", "12.49"]]
    assert bytes(event.asks) == b"[]"


@pytest.mark.parametrize(("bids", "asks", "rows"), [
    (b"[]", b"[]", []), (b'[["1","2"]]', b"[]", [["buy", "1", "2"]]),
    (b"[]", b'[["1","2"]]', [["sell", "1", "2"]]),
])
def test_a_snapshot_may_lack_one_side_or_both(
    bids: bytes, asks: bytes, rows: list[list[str]]
) -> None:
    (event,) = VENUE.decode(
        b'{"type":"snapshot","product_id":"A-B","bids":' + bids + b',"asks":' + asks + b"}")
    assert isinstance(event, venue.Snapshot)
    assert json.loads(bytes(event.bids)) == rows


@pytest.mark.parametrize("side", [b'"asks":5', b'"asks":null', b'"asks":{}', b'"asked":[]'])
def test_a_snapshot_whose_side_is_no_list_is_refused(side: bytes) -> None:
    with pytest.raises(DecodeError):
        VENUE.decode(b'{"type":"snapshot","product_id":"A-B","bids":[],' + side + b"}")


def test_an_update_is_passed_on_as_it_stands() -> None:
    (event,) = VENUE.decode(UPDATE)
    assert isinstance(event, venue.Delta)
    assert bytes(event.bids) == b'[["sell","0.00001306","660.5"]]'
    assert event.venue_ns == 1_618_677_817_075_687_000


def test_a_match_at_the_makers_ask_is_a_purchase() -> None:
    assert VENUE.decode(MATCH) == (venue.Trade(
        "SKL-BTC", "0.00001305", "985", 1, 280232, 1_618_677_817_089_723_000),)


def test_the_last_match_is_history() -> None:
    assert VENUE.decode(MATCH.replace(b'"match"', b'"last_match"')) == (venue.Alive(),)


def test_a_ticker_with_sizes_is_a_quote_and_one_without_is_life() -> None:
    (event,) = VENUE.decode(TICKER)
    assert event == venue.Quote(
        "BAND-GBP", "14.7550", "2.5", "14.8060", "1", 0, 1_618_677_810_244_075_000)
    assert VENUE.decode(TICKER.replace(b'"best_bid_size":"2.5",', b"")) == (venue.Alive(),)


def test_acks_errors_and_heartbeats() -> None:
    assert VENUE.decode(ACK) == [
        venue.Subscribed("BTC-USD", "level2_batch"), venue.Subscribed("BTC-USD", "heartbeat")]
    assert VENUE.decode(b'{"type":"error","message":"Failed to subscribe","reason":"no"}') == (
        venue.Rejected("Failed to subscribe: no"),)
    assert VENUE.decode(b'{"type":"heartbeat","sequence":90,"product_id":"BTC-USD"}') == (
        venue.Alive(),)


@pytest.mark.parametrize("frame", [SNAPSHOT, UPDATE, MATCH, TICKER, ACK])
def test_damage_raises_decode_error_or_nothing(frame: bytes) -> None:
    accepted_of(VENUE.decode, damaged(frame))
    accepted_of(VENUE.decode, mistyped(frame))
    assert accepted_of(VENUE.decode, (frame[:at] for at in range(len(frame)))) == 0


def test_a_change_whose_list_was_misspelt_on_the_way_is_refused_not_lost() -> None:
    with pytest.raises(DecodeError):
        VENUE.decode(UPDATE.replace(b'"changes"', b'"chances"'))


def test_the_public_channels_are_asked_for_in_one_frame() -> None:
    (frame,) = VENUE.subscribe(["BTC-USD"])
    assert json.loads(frame)["channels"] == ["level2_batch", "matches", "heartbeat"]


def test_every_recorded_frame_decodes_to_what_the_known_answers_count() -> None:
    counts: Counter[tuple[str, str]] = Counter()
    exact = {symbol: Decimal(0) for symbol in expected("coinbase.spot.20210417")}
    for channel, frame in recorded("coinbase.spot.20210417"):
        if channel == "http":
            assert VENUE.decode_catalogue is not None
            pairs = {listing.native: listing.pair for listing in VENUE.decode_catalogue(frame)}
            assert pairs["SKL-BTC"] == "SKL/BTC"
            continue
        for event in VENUE.decode(frame):
            counts[type(event).__name__, getattr(event, "symbol", "")] += 1
            if isinstance(event, venue.Trade):
                exact[event.symbol] += Decimal(event.size)
    for symbol, answer in expected("coinbase.spot.20210417").items():
        trades = answer["trades"]
        assert isinstance(trades, dict)
        assert counts["Delta", symbol] == answer["book_updates_applied"]
        assert counts["Snapshot", symbol] == answer["snapshots_applied"]
        assert counts["Trade", symbol] == trades["count"]
        assert exact[symbol] == Decimal(trades["volume"])
