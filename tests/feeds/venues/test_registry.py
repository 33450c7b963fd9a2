"""The registry: every venue under its name, every recorded protocol under its market."""

import pytest

from engine.model.errors import CaptureInvalid, ConfigInvalid
from feeds.venues import READERS, VENUES, reader_of, venue_of


def test_every_venue_stands_under_its_own_name() -> None:
    assert all(venue_of(name).name == name for name in VENUES)
    assert {"binance", "binance-us", "binance-usdm", "okx", "okx-us"} <= VENUES.keys()


def test_an_unknown_venue_is_refused_with_all_known_names() -> None:
    with pytest.raises(ConfigInvalid, match=r"'binnance'.*binance.*okx"):
        venue_of("binnance")


@pytest.mark.parametrize(("market", "url"), [
    ("binance.spot", "wss://stream.binance.com:9443/stream?streams=btcaud@bookTicker"),
    ("binance.usdm", "wss://fstream.binance.com/stream"),
    ("binanceus.spot", "wss://stream.binance.us:9443/stream?streams=a"),
    ("binancetr.spot", "wss://stream-cloud.trbinance.com/stream?streams=a"),
    ("okx.mixed", "wss://ws.okx.com:8443/ws/v5/public"),
    ("okx.spot", "wss://ws.okx.com:8443/ws/v5/public"),
])
def test_a_recorded_market_finds_its_reader(market: str, url: str) -> None:
    assert reader_of(market, url).market == market


def test_what_nothing_reads_is_refused_by_name() -> None:
    with pytest.raises(CaptureInvalid, match=r"ftx\.spot.*binance\.spot"):
        reader_of("ftx.spot", "wss://ftx.com/ws")
    with pytest.raises(CaptureInvalid, match=r"okx\.spot.*wss://x"):
        reader_of("okx.spot", "wss://x")


def test_what_an_adapter_declares_fits_together() -> None:
    for venue in READERS:
        assert venue.keep_alive.silence_max_s > 0
        assert (venue.keep_alive.ping is None) == (venue.keep_alive.ping_every_s == 0)
        assert venue.limits.symbols_per_connection > 0
        assert (venue.decode_snapshot is None) == (venue.snapshot_path("X") == "")
