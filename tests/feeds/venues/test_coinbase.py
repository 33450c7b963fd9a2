"""Coinbase Advanced Trade: each frame's number first, then what it says."""

import json

import pytest

from engine.model.errors import DecodeError, UnknownInstrument
from feeds import venue
from feeds.venues import VENUES, reader_of
from feeds.venues.coinbase import VENUE
from tests.feeds.venues.frames import accepted_of, damaged, mistyped

HEAD = b'{"channel":"l2_data","client_id":"","timestamp":"2026-04-07T14:30:00.123456Z",'
SNAPSHOT = (
    HEAD + b'"sequence_num":0,"events":[{"type":"snapshot","product_id":"BTC-USD","updates":['
    b'{"side":"bid","event_time":"2026-04-07T14:30:00.123456Z","price_level":"68900.00",'
    b'"new_quantity":"1.50000000"},{"side":"offer","event_time":"2026-04-07T14:30:00.123456Z",'
    b'"price_level":"68901.00","new_quantity":"0.50000000"}]}]}'
)
TWO_EVENTS = (
    HEAD + b'"sequence_num":7,"events":[{"type":"update","product_id":"BTC-USD","updates":['
    b'{"side":"bid","event_time":"t","price_level":"68900.00","new_quantity":"0"}]},'
    b'{"type":"snapshot","product_id":"ETH-USD","updates":[]}]}'
)
PRINTS = (
    b'{"channel":"market_trades","client_id":"","timestamp":"2024-10-04T07:13:31.158696693Z",'
    b'"sequence_num":2,"events":[{"type":"update","trades":[{"product_id":"ETH-USDT","trade_id":'
    b'"22381692","price":"2375.60","size":"1","time":"2024-10-04T07:13:31.090000Z","side":"SELL"},'
    b'{"product_id":"ETH-USDT","trade_id":"22381691","price":"2375.56","size":"0.5",'
    b'"time":"2024-10-04T07:13:31.088388Z","side":"BUY"}]}]}'
)
HEARTBEAT = (
    b'{"channel":"heartbeats","client_id":"","timestamp":"2024-10-04T07:04:40.9Z","sequence_num":1,'
    b'"events":[{"current_time":"2024-10-04 07:04:40.820713045 +0000 UTC m=+66987.628148662",'
    b'"heartbeat_counter":66987}]}'
)
ACK = (
    b'{"channel":"subscriptions","client_id":"","timestamp":"2024-10-04T07:13:08.600625889Z",'
    b'"sequence_num":1,"events":[{"subscriptions":{"level2":["BTC-USD","ETH-USDT"]}}]}'
)
TICKER = (
    b'{"channel":"ticker","timestamp":"2023-02-09T20:30:37.167359596Z","sequence_num":3,"events":['
    b'{"type":"snapshot","tickers":[{"type":"ticker","product_id":"ETH-USDT","price":"1",'
    b'"best_bid":"21931.98"}]}]}'
)
EVERY = (SNAPSHOT, TWO_EVENTS, PRINTS, HEARTBEAT, ACK, TICKER)


@pytest.mark.parametrize(("frame", "number"), [*zip(EVERY, (0, 7, 2, 1, 1, 3), strict=True)])
def test_every_message_begins_with_its_number(frame: bytes, number: int) -> None:
    assert VENUE.decode(frame)[0] == venue.Numbered(number)
    assert VENUE.link is venue.Link.CONNECTION


def test_a_snapshot_holds_both_sides_in_one_text() -> None:
    _, event = VENUE.decode(SNAPSHOT)
    assert isinstance(event, venue.Snapshot)
    assert [row["side"] for row in json.loads(bytes(event.bids))] == ["bid", "offer"]
    assert bytes(event.asks) == b"[]"
    assert (event.symbol, event.venue_ns) == ("BTC-USD", 1_775_572_200_123_456_000)


def test_one_message_may_change_one_book_and_replace_another() -> None:
    _, change, whole = VENUE.decode(TWO_EVENTS)
    assert isinstance(change, venue.Delta)
    assert isinstance(whole, venue.Snapshot)
    assert (change.symbol, whole.symbol) == ("BTC-USD", "ETH-USD")


def test_prints_come_oldest_first_and_the_makers_side_is_turned_round() -> None:
    _, first, second = VENUE.decode(PRINTS)
    assert first == venue.Trade(
        "ETH-USDT", "2375.56", "0.5", -1, 22381691, 1_728_026_011_088_388_000)
    assert isinstance(second, venue.Trade)
    assert (second.trade_id, second.side) == (22381692, 1)


def test_the_first_message_of_prints_is_history() -> None:
    assert VENUE.decode(PRINTS.replace(b'"update"', b'"snapshot"')) == [venue.Numbered(2)]


def test_an_ack_names_every_product_of_every_channel() -> None:
    assert VENUE.decode(ACK)[1:] == [
        venue.Subscribed("BTC-USD", "level2"), venue.Subscribed("ETH-USDT", "level2")]


def test_an_error_is_a_rejection_and_has_no_number() -> None:
    assert VENUE.decode(b'{"type":"error","message":"rate limit exceeded"}') == (
        venue.Rejected("rate limit exceeded"),)


@pytest.mark.parametrize("change", [
    (b'"sequence_num":0,', b""), (b'"product_id":"BTC-USD",', b""), (b'"updates"', b'"update"'),
    (b'"snapshot"', b'"snapshut"'), (b'"l2_data"', b'"l3_data"'), (b"14:30:00", b"14:60:00"),
    (b"2026-04-07", b"2026-13-07"),
])
def test_a_book_message_that_lacks_a_field_is_refused(change: tuple[bytes, bytes]) -> None:
    with pytest.raises(DecodeError):
        VENUE.decode(SNAPSHOT.replace(*change))


@pytest.mark.parametrize("frame", EVERY)
def test_damage_raises_decode_error_or_nothing(frame: bytes) -> None:
    accepted_of(VENUE.decode, damaged(frame))
    accepted_of(VENUE.decode, mistyped(frame))
    assert accepted_of(VENUE.decode, (frame[:at] for at in range(len(frame)))) == 0


def test_heartbeats_are_asked_for_first_and_each_channel_by_itself() -> None:
    frames = [json.loads(frame) for frame in VENUE.subscribe(["BTC-USD"])]
    assert [frame["channel"] for frame in frames] == ["heartbeats", "level2", "market_trades"]
    assert "product_ids" not in frames[0]
    leave, enter = (json.loads(frame) for frame in VENUE.resubscribe("BTC-USD"))
    assert (leave["type"], enter["type"]) == ("unsubscribe", "subscribe")


def test_the_catalogue_gives_tick_lot_and_least_notional() -> None:
    assert VENUE.decode_catalogue is not None
    product = {
        "product_id": "BTC-USD", "base_increment": "0.00000001", "quote_increment": "0.01",
        "price_increment": "0.01", "quote_min_size": "1", "base_min_size": "0.00000001",
        "status": "online", "cancel_only": False, "quote_currency_id": "USD",
        "base_currency_id": "BTC",
    }
    body = json.dumps({"products": [product, {**product, "view_only": True}]}).encode()
    open_, closed = VENUE.decode_catalogue(body)
    assert open_ == venue.Listing(
        "BTC-USD", "BTC/USD", "0.01", "0.00000001", "0.00000001", "1")
    assert not closed.trading
    assert VENUE.catalogue_path(["BTC-USD", "ETH-USD"]) == (
        "/api/v3/brokerage/market/products"
        "?product_type=SPOT&product_ids=BTC-USD&product_ids=ETH-USD")


def test_names_are_dashed_and_only_spot_is_known() -> None:
    assert VENUE.native("BTC/USD") == "BTC-USD"
    with pytest.raises(UnknownInstrument):
        VENUE.native("BTC/USDC:USDC")


def test_two_products_of_one_market_are_told_apart_by_their_url() -> None:
    assert reader_of("coinbase.spot", "wss://advanced-trade-ws.coinbase.com") is VENUE
    exchange = reader_of("coinbase.spot", "wss://ws-feed.pro.coinbase.com")
    assert exchange is VENUES["coinbase-exchange"]
