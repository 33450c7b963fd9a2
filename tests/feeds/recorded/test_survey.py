"""The survey of recordings: symbols, unified names, and just enough decimals."""

import json
from pathlib import Path

import msgspec
import pytest

from feeds.recorded.survey import main, survey, unified
from feeds.venues import READERS, venue_of

WS = "wss://stream.binance.com:9443/stream"


def recorded(folder: Path, *messages: tuple[str, object], name: str = "binance.spot.x") -> Path:
    """Write messages, each with the url that brought it, as a capture."""
    path = folder / f"{name}.jsonl"
    path.write_text("".join(
        json.dumps({"t": at, "ch": "ws" if url.startswith("wss") else "http", "dir": "in",
                    "url": url, "m": body if isinstance(body, str) else json.dumps(body)}) + "\n"
        for at, (url, body) in enumerate(messages)))
    return path


def depth(symbol: str, *levels: list[str]) -> dict[str, object]:
    return {"e": "depthUpdate", "E": 1, "s": symbol, "U": 1, "u": 2, "b": levels, "a": []}


def test_decimals_are_those_that_some_number_needs_without_trailing_zeros(tmp_path: Path) -> None:
    path = recorded(
        tmp_path, (WS, depth("ABCUSDT", ["1.50000000", "7.00000000"])),
        (WS, depth("ABCUSDT", ["1.25000000", "0.00100000"])),
        (WS, depth("XYZBTC", ["10", "3"])),
        (WS, {"e": "trade", "E": 1, "s": "XYZBTC", "t": 1, "p": "1.5", "q": "0.25", "T": 1,
              "m": False}))
    [market] = survey([path])
    assert {(it.native, it.name, it.price_decimals, it.size_decimals)
            for it in market.symbols.values()} == {
        ("ABCUSDT", "ABC/USDT", 2, 3), ("XYZBTC", "XYZ/BTC", 1, 2)}


def test_a_rest_book_counts_and_a_frame_that_does_not_decode_does_not(tmp_path: Path) -> None:
    path = recorded(
        tmp_path, (WS, '{"e":"depthUpd'),
        ("https://api.binance.com/api/v3/depth?symbol=ABCUSDT",
         {"lastUpdateId": 5, "bids": [["0.001", "1"]], "asks": []}))
    [market] = survey([path])
    assert market.symbols["ABCUSDT"].price_decimals == 3


def test_a_recorded_catalogue_names_symbols_better_than_their_spelling(tmp_path: Path) -> None:
    path = recorded(
        tmp_path, (WS, depth("HNTUSD", ["1", "1"])),
        ("https://api.binance.com/api/v3/exchangeInfo", {"symbols": [
            {"symbol": "HNTUSD", "status": "TRADING", "baseAsset": "HN", "quoteAsset": "TUSD",
             "filters": []}]}))
    [market] = survey([path])
    assert market.symbols["HNTUSD"].name == "HN/TUSD"


@pytest.mark.parametrize(("venue", "native", "name"), [
    ("binance", "BTCUSDT", "BTC/USDT"), ("binance", "BTCTUSD", "BTC/TUSD"),
    ("binance-us", "HNTUSD", "HNT/USD"), ("binance", "RENBTCETH", "RENBTC/ETH"),
    ("binance", "USDT", ""), ("binance", "WHATEVER", ""),
    ("binance-usdm", "ETHUSDT", "ETH/USDT:USDT"),
    ("okx", "BTC-USDT", "BTC/USDT"), ("okx", "ETH-USD-220325-8800-P", ""),
    ("kraken", "BTC/USD", "BTC/USD"), ("kraken-v1", "XBT/USD", "BTC/USD"),
    ("kraken-v1", "DASH/EUR", "DASH/EUR"), ("coinbase", "ETH-EUR", "ETH/EUR"),
])
def test_a_spelling_is_taken_apart_only_as_the_venue_itself_would_put_it_together(
    venue: str, native: str, name: str,
) -> None:
    readers = {reader.name: reader for reader in READERS}
    assert unified(readers[venue], native) == name
    if name:
        assert readers[venue].native(name) == native


def test_recordings_of_one_market_are_one_market(tmp_path: Path) -> None:
    first = recorded(tmp_path, (WS, depth("ABCUSDT", ["1", "1"])), name="binance.spot.1")
    second = recorded(tmp_path, (WS, depth("XYZBTC", ["1", "1"])), name="binance.spot.2")
    [market] = survey([first, second])
    assert list(market.symbols) == ["ABCUSDT", "XYZBTC"]
    assert market.venue is venue_of("binance")


def test_the_command_prints_json_or_one_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:
    path = recorded(tmp_path, (WS, depth("ABCUSDT", ["1.5", "1"])))
    assert main([str(path)]) == 0
    assert msgspec.json.decode(capsys.readouterr().out) == [{
        "venue": "binance", "market": "binance.spot", "symbols": [
            {"native": "ABCUSDT", "name": "ABC/USDT", "price_decimals": 1, "size_decimals": 0}],
            "files": [str(path)]}]
    assert main([str(tmp_path / "binance.spot.y.jsonl")]) == 2
    assert "no such file" in capsys.readouterr().err
