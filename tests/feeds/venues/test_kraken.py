"""Kraken v2: what each kind of frame means, and that damage never means anything else."""

import json
from collections import Counter

import pytest

from engine.model.errors import DecodeError, UnknownInstrument
from feeds import venue
from feeds.venues.kraken import DEPTH, VENUE
from tests.feeds.venues.frames import accepted_of, damaged, expected, mistyped, recorded

SNAPSHOT = (
    b'{"channel":"book","type":"snapshot","data":[{"symbol":"BTC/USD","bids":[{"price":63388.7,'
    b'"qty":0.25761908}],"asks":[{"price":63407.3,"qty":0.01939584}],"checksum":3726153463,'
    b'"timestamp":"2026-08-02T03:35:51.302928Z"}]}'
)
UPDATE = (
    b'{"channel":"book","type":"update","data":[{"symbol":"BTC/USD","bids":[{"price":63381.0,'
    b'"qty":0.00000000},{"price":63376.4,"qty":0.00005100}],"asks":[],"checksum":3726153463,'
    b'"timestamp":"2026-08-02T03:35:51.660084Z"}]}'
)
TRADE = (
    b'{"channel":"trade","type":"update","data":[{"symbol":"MATIC/USD","side":"sell",'
    b'"price":0.5117,"qty":40.0,"ord_type":"market","trade_id":4665906,'
    b'"timestamp":"2023-09-25T07:49:37.708706Z"}]}'
)
ACK = (
    b'{"method":"subscribe","result":{"channel":"book","depth":25,"snapshot":true,'
    b'"symbol":"BTC/USD"},"success":true,"time_in":"2026-08-02T03:35:50.983359Z",'
    b'"time_out":"2026-08-02T03:35:50.983398Z"}'
)
REFUSAL = (
    b'{"method":"subscribe","error":"Currency pair not supported XBT/USD","success":false,'
    b'"symbol":"XBT/USD","time_in":"a","time_out":"b","req_id":1}'
)
STATUS = (
    b'{"channel":"status","type":"update","data":[{"version":"2.0.10","system":"online",'
    b'"api_version":"v2","connection_id":12950367385101900187}]}'
)


def test_a_snapshot_keeps_its_levels_as_text_and_carries_checksum_and_time() -> None:
    (event,) = VENUE.decode(SNAPSHOT)
    assert isinstance(event, venue.Snapshot)
    assert bytes(event.bids) == b'[{"price":63388.7,"qty":0.25761908}]'
    assert bytes(event.asks) == b'[{"price":63407.3,"qty":0.01939584}]'
    assert (event.symbol, event.checksum) == ("BTC/USD", 3726153463)
    assert event.venue_ns == 1_785_641_751_302_928_000


def test_the_documented_snapshot_without_a_time_is_a_snapshot_too() -> None:
    (event,) = VENUE.decode(SNAPSHOT.replace(b',"timestamp":"2026-08-02T03:35:51.302928Z"', b""))
    assert isinstance(event, venue.Snapshot)
    assert event.venue_ns == 0


def test_an_update_keeps_trailing_zeros_that_the_checksum_needs() -> None:
    (event,) = VENUE.decode(memoryview(UPDATE))
    assert isinstance(event, venue.Delta)
    assert b'"qty":0.00000000' in bytes(event.bids)
    assert bytes(event.asks) == b"[]"
    assert (event.last_id, event.venue_ns) == (0, 1_785_641_751_660_084_000)


@pytest.mark.parametrize("lost", [b'"checksum":3726153463,', b'"symbol":"BTC/USD",',
                                  b',"timestamp":"2026-08-02T03:35:51.660084Z"'])
def test_an_update_without_checksum_symbol_or_time_is_refused(lost: bytes) -> None:
    with pytest.raises(DecodeError):
        VENUE.decode(UPDATE.replace(lost, b""))


def test_the_side_of_a_trade_is_the_takers_and_its_numbers_are_as_sent() -> None:
    assert VENUE.decode(TRADE) == [
        venue.Trade("MATIC/USD", "0.5117", "40.0", -1, 4665906, 1_695_628_177_708_706_000)
    ]


def test_the_trade_snapshot_is_history_and_counts_for_nothing() -> None:
    assert VENUE.decode(TRADE.replace(b'"update"', b'"snapshot"')) == (venue.Alive(),)


def test_a_trade_whose_price_is_no_plain_number_is_refused() -> None:
    for price in (b'"0.5117"', b"5e-1", b"-1", b"null", b"{}"):
        with pytest.raises(DecodeError):
            VENUE.decode(TRADE.replace(b"0.5117", price))


def test_an_ack_says_the_depth_that_the_book_is_cut_to() -> None:
    assert VENUE.decode(ACK) == (venue.Subscribed("BTC/USD", "book", 25),)


def test_an_unsubscribe_ack_loses_the_book_and_only_the_book() -> None:
    gone = ACK.replace(b'"subscribe"', b'"unsubscribe"')
    assert VENUE.decode(gone) == (venue.BookLost("BTC/USD", "unsubscribed"),)
    assert VENUE.decode(gone.replace(b'"book"', b'"trade"')) == (venue.Alive(),)


def test_a_refusal_names_the_symbol_and_the_reason() -> None:
    (event,) = VENUE.decode(REFUSAL)
    assert event == venue.Rejected("Currency pair not supported XBT/USD", "XBT/USD")
    assert VENUE.decode(b'{"Error":"Exceeded msg rate"}') == (
        venue.Rejected("Exceeded msg rate", ""),)


@pytest.mark.parametrize("frame", [
    STATUS, b'{"channel":"heartbeat"}', b'{"method":"pong","req_id":1,"time_in":"","time_out":""}',
])
def test_status_heartbeat_and_pong_are_life_and_nothing_more(frame: bytes) -> None:
    assert VENUE.decode(frame) == (venue.Alive(),)


@pytest.mark.parametrize("frame", [SNAPSHOT, UPDATE, TRADE, ACK, REFUSAL, STATUS])
def test_damage_raises_decode_error_or_nothing(frame: bytes) -> None:
    accepted_of(VENUE.decode, damaged(frame))
    accepted_of(VENUE.decode, mistyped(frame))


@pytest.mark.parametrize("frame", [SNAPSHOT, UPDATE, TRADE])
def test_a_truncated_frame_is_never_accepted(frame: bytes) -> None:
    assert accepted_of(VENUE.decode, (frame[:at] for at in range(len(frame)))) == 0


def test_endless_nesting_is_refused() -> None:
    with pytest.raises(DecodeError):
        VENUE.decode(b'{"channel":"book","x":' + b"[" * 100_000)


def test_a_subscription_asks_for_every_symbol_at_the_depth_that_is_truncated_to() -> None:
    book, trades = (json.loads(frame) for frame in VENUE.subscribe(["BTC/USD", "ETH/USD"]))
    assert book["params"] == {"channel": "book", "symbol": ["BTC/USD", "ETH/USD"],
                              "depth": DEPTH, "snapshot": True}
    assert trades["params"]["snapshot"] is False
    assert VENUE.truncate_depth == DEPTH


def test_a_resubscription_leaves_and_enters_at_the_same_depth() -> None:
    leave, enter = (json.loads(frame) for frame in VENUE.resubscribe("BTC/USD"))
    assert (leave["method"], enter["method"]) == ("unsubscribe", "subscribe")
    assert leave["params"]["depth"] == enter["params"]["depth"] == DEPTH
    assert leave["params"]["symbol"] == enter["params"]["symbol"] == ["BTC/USD"]


CATALOGUE = (
    b'{"error":[],"result":{"XXBTZUSD":{"altname":"XBTUSD","wsname":"XBT/USD","base":"XXBT",'
    b'"quote":"ZUSD","cost_decimals":5,"pair_decimals":1,"lot_decimals":8,"ordermin":"0.00005",'
    b'"costmin":"0.5","tick_size":"0.1","status":"online"},"XDGUSD":{"wsname":"XDG/USD",'
    b'"pair_decimals":7,"lot_decimals":8,"ordermin":"50","status":"post_only"},"DARK.d":'
    b'{"pair_decimals":1,"lot_decimals":8,"ordermin":"1","status":"online"}}}'
)


def test_the_catalogue_speaks_the_unified_spelling() -> None:
    assert VENUE.decode_catalogue is not None
    bitcoin, doge = VENUE.decode_catalogue(CATALOGUE)
    assert bitcoin == venue.Listing("BTC/USD", "BTC/USD", "0.1", "0.00000001", "0.00005", "0.5")
    assert (doge.pair, doge.tick, doge.trading) == ("DOGE/USD", "0.0000001", False)


def test_an_error_in_place_of_the_catalogue_is_refused() -> None:
    assert VENUE.decode_catalogue is not None
    with pytest.raises(DecodeError, match="Rate limit"):
        VENUE.decode_catalogue(b'{"error":["EAPI:Rate limit exceeded"]}')


def test_a_perpetual_is_not_kraken_spots() -> None:
    assert VENUE.native("BTC/USD") == "BTC/USD"
    with pytest.raises(UnknownInstrument):
        VENUE.native("BTC/USD:USD")


def test_every_recorded_frame_decodes_to_what_the_known_answers_count() -> None:
    counts: Counter[tuple[str, str]] = Counter()
    last_ns: dict[str, int] = {}
    for _, frame in recorded("kraken.spot.20260802v2"):
        for event in VENUE.decode(frame):
            counts[type(event).__name__, getattr(event, "symbol", "")] += 1
            if isinstance(event, venue.Delta):
                last_ns[event.symbol] = event.venue_ns
    for symbol, answer in expected("kraken.spot.20260802v2").items():
        assert counts["Delta", symbol] == answer["book_updates_applied"]
        assert counts["Snapshot", symbol] == answer["snapshots_applied"]
    assert last_ns["BTC/USD"] == 1_785_641_801_387_283_000  # 2026-08-02T03:36:41.387283Z
