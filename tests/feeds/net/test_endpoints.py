"""Which address is used, and which is refused."""

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from engine import config
from engine.model.errors import ConfigInvalid
from engine.runtime.served import CA_FILE, FILE
from feeds.net.endpoints import endpoints_of
from feeds.venues import binance, binance_usdm, okx

TABLE = config.Venue(symbols=["BTC/USDT"])


def test_without_config_or_local_servers_the_adapters_own_addresses_are_used() -> None:
    found = endpoints_of(binance_usdm.VENUE, TABLE, local=None)
    assert found is not None
    assert found.ws_url == binance_usdm.VENUE.ws_url
    assert found.prints_url == binance_usdm.VENUE.prints_url
    assert found.rest_url == binance_usdm.VENUE.rest_url
    assert found.ca_file == ""


def test_the_configs_word_comes_first_and_serves_prints_as_well(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(json.dumps(
        {"binance-usdm": {"ws": "ws://127.0.0.1:1/", "rest": "http://127.0.0.1:2"}}))
    table = replace(TABLE, ws_url="wss://mine.example/ws")
    found = endpoints_of(binance_usdm.VENUE, table, local=tmp_path)
    assert found is not None
    assert found.ws_url == found.prints_url == "wss://mine.example/ws"
    assert found.rest_url == "http://127.0.0.1:2"


def test_local_servers_that_have_not_said_where_they_are_are_waited_for(tmp_path: Path) -> None:
    assert endpoints_of(okx.VENUE, TABLE, local=tmp_path) is None
    (tmp_path / FILE).write_text('{"okx": {"ws": "ws://127')  # half written
    assert endpoints_of(okx.VENUE, TABLE, local=tmp_path) is None
    (tmp_path / FILE).write_text('{"okx": {"ws": "wss://127.0.0.1:7/", "rest": "http://[::1]:8"}}')
    assert endpoints_of(binance.VENUE, TABLE, local=tmp_path) is None
    (tmp_path / CA_FILE).write_text("")
    found = endpoints_of(okx.VENUE, TABLE, local=tmp_path)
    assert found is not None
    assert (found.ws_url, found.prints_url) == ("wss://127.0.0.1:7/", "")
    assert found.ca_file == str(tmp_path / CA_FILE)


@pytest.mark.parametrize("url", [
    "ws://exchange.example/ws", "http://127.0.0.1/", "wss://", "wss:///ws", "wss://host:port/",
    "wss://user:secret@host/", "ftp://host/", "nonsense", "wss://" + "a" * 70 + ".example/",
])
def test_an_address_that_is_none_or_not_encrypted_is_refused_with_its_key(url: str) -> None:
    with pytest.raises(ConfigInvalid, match=r"venues\.okx\.ws-url"):
        endpoints_of(okx.VENUE, replace(TABLE, ws_url=url), local=None)


def test_plain_text_may_stay_on_this_machine() -> None:
    table = replace(TABLE, ws_url="ws://localhost:9/", rest_url="http://127.0.0.2:9/")
    found = endpoints_of(okx.VENUE, table, local=None)
    assert found is not None
    assert found.rest_url == "http://127.0.0.2:9"
