"""Kraken v1, for recordings: arrays of four or five parts, checksums in the last map."""

from collections import Counter

import pytest

from engine.model.errors import DecodeError
from feeds import venue
from feeds.venues import READERS, reader_of
from feeds.venues.kraken import VENUE as TODAY
from feeds.venues.kraken_v1 import VENUE
from tests.feeds.venues.frames import accepted_of, damaged, expected, mistyped, recorded

SNAPSHOT = (
    b'[1360,{"as":[["0.000022900","13355.87450757","1618678123.481570"]],'
    b'"bs":[["0.000022890","31.75709827","1618678097.847309"]]},"book-1000","ADA/XBT"]'
)
ONE_SIDE = (
    b'[320,{"b":[["58719.70000","0.00000000","1617666423.693648"],["55225.00000","0.50000000",'
    b'"1617640142.435065","r"]],"c":"226497374"},"book-1000","XBT/USD"]'
)
BOTH_SIDES = (
    b'[320,{"a":[["61308.50000","0.00000000","1617666539.868687"]]},'
    b'{"b":[["56123.40000","0.06137256","1617666539.870272"]],"c":"1768150633"},'
    b'"book-1000","XBT/USD"]'
)
PRINTS = (
    b'[321,[["58721.20000","0.02798644","1617666461.465618","s","m",""],'
    b'["58721.30000","0.12749400","1617666461.466773","b","l",""]],"trade","XBT/USD"]'
)
ACK = (
    b'{"channelID":2496,"channelName":"book-1000","event":"subscriptionStatus","pair":"ALGO/XBT",'
    b'"status":"subscribed","subscription":{"depth":1000,"name":"book"}}'
)
SYSTEM = (
    b'{"connectionID":13935949241502919679,"event":"systemStatus","status":"online",'
    b'"version":"1.8.3"}'
)


def test_a_snapshot_has_both_sides_and_no_checksum() -> None:
    (event,) = VENUE.decode(SNAPSHOT)
    assert isinstance(event, venue.Snapshot)
    assert bytes(event.asks) == b'[["0.000022900","13355.87450757","1618678123.481570"]]'
    assert (event.symbol, event.checksum) == ("ADA/XBT", venue.NO_CHECKSUM)


def test_an_update_of_one_side_leaves_the_other_empty() -> None:
    (event,) = VENUE.decode(ONE_SIDE)
    assert isinstance(event, venue.Delta)
    assert b'"r"]' in bytes(event.bids)
    assert (bytes(event.asks), event.checksum) == (b"[]", 226497374)


def test_two_maps_in_one_frame_are_one_change_of_both_sides() -> None:
    (event,) = VENUE.decode(BOTH_SIDES)
    assert isinstance(event, venue.Delta)
    assert b"61308.50000" in bytes(event.asks)
    assert b"56123.40000" in bytes(event.bids)
    assert event.checksum == 1768150633


def test_an_update_without_a_checksum_is_refused() -> None:
    with pytest.raises(DecodeError):
        VENUE.decode(ONE_SIDE.replace(b',"c":"226497374"', b""))


def test_prints_say_which_side_took() -> None:
    assert VENUE.decode(PRINTS) == [
        venue.Trade("XBT/USD", "58721.20000", "0.02798644", -1, 0, 1_617_666_461_465_618_000),
        venue.Trade("XBT/USD", "58721.30000", "0.12749400", 1, 0, 1_617_666_461_466_773_000),
    ]


def test_answers_name_channel_and_depth_and_a_connection_id_beyond_63_bits_is_harmless() -> None:
    assert VENUE.decode(ACK) == (venue.Subscribed("ALGO/XBT", "book-1000", 1000),)
    gone = ACK.replace(b'"subscribed"', b'"unsubscribed"')
    assert VENUE.decode(gone) == (venue.BookLost("ALGO/XBT", "unsubscribed"),)
    assert VENUE.decode(SYSTEM) == (venue.Alive(),)
    assert VENUE.decode(b'{"event":"heartbeat"}') == (venue.Alive(),)


@pytest.mark.parametrize("frame", [SNAPSHOT, ONE_SIDE, BOTH_SIDES, PRINTS, ACK, SYSTEM])
def test_damage_raises_decode_error_or_nothing(frame: bytes) -> None:
    accepted_of(VENUE.decode, damaged(frame))
    accepted_of(VENUE.decode, mistyped(frame))
    assert accepted_of(VENUE.decode, (frame[:at] for at in range(len(frame)))) == 0


def test_the_url_tells_the_two_protocols_apart() -> None:
    assert reader_of("kraken.spot", "wss://ws.kraken.com") is VENUE
    assert reader_of("kraken.spot", "wss://ws.kraken.com/v2") is TODAY
    assert VENUE in READERS


def test_its_spelling_is_the_old_one() -> None:
    assert VENUE.native("BTC/USD") == "XBT/USD"
    assert VENUE.native("ETH/BTC") == "ETH/XBT"


def test_every_recorded_frame_decodes_to_what_the_known_answers_count() -> None:
    counts: Counter[tuple[str, str]] = Counter()
    for _, frame in recorded("kraken.spot.20210405v1"):
        counts.update((type(event).__name__, getattr(event, "symbol", ""))
                      for event in VENUE.decode(frame))
    for symbol, answer in expected("kraken.spot.20210405v1").items():
        trades = answer["trades"]
        assert isinstance(trades, dict)
        assert counts["Delta", symbol] == answer["book_updates_applied"]
        assert counts["Snapshot", symbol] == answer["snapshots_applied"]
        assert counts["Trade", symbol] == trades["count"]
