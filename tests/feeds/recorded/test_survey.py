"""The survey of recordings: symbols, unified names, and just enough decimals."""

import json
from pathlib import Path

import msgspec
import pytest

from engine.model.quanta import DECIMALS_MAX
from feeds.book.full_book import FullBook
from feeds.recorded.report import main as replay
from feeds.recorded.survey import _range, main, survey, unified
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


@pytest.mark.parametrize("absurd", [
    "1e99999999999999999999", "1e-99999999999999999999", "1." + "0" * 17 + "1", "0." + "1" * 19,
    "0." + "1" * 32, "9" * 19, "9" * 40, "-1.5", "NaN", "Infinity", "x",
])
@pytest.mark.parametrize("where", ["level", "size", "print"])
def test_one_absurd_number_decides_nothing_and_costs_no_more_than_its_frame(
    tmp_path: Path, absurd: str, where: str, capsys: pytest.CaptureFixture[str],
) -> None:
    odd: dict[str, object] = {
        "e": "trade", "E": 1, "s": "ABCUSDT", "t": 1, "p": absurd, "q": "0.25", "T": 1, "m": False}
    if where != "print":
        odd = depth("ABCUSDT", [absurd, "1"] if where == "level" else ["60000.5", absurd])
        odd |= {"U": 6, "u": 6}
    good = {"lastUpdateId": 5, "bids": [["60000.25", "123.5"]], "asks": [["60001", "0.001"]]}
    path = recorded(
        tmp_path, (WS, {"result": None, "id": 1}),
        ("https://api.binance.com/api/v3/depth?symbol=ABCUSDT", good), (WS, odd))
    [market] = survey([path])
    symbol = market.symbols["ABCUSDT"]
    assert (symbol.price_decimals, symbol.size_decimals) == (2, 3)
    assert replay(["--json", str(path)]) == 0
    said = capsys.readouterr()
    found = json.loads(said.out)["symbols"]["binance.spot:ABCUSDT"]
    assert found["live_at_end"] == (where == "print")
    if where == "print":
        assert (found["bids"], found["asks"]) == ([["60000.25", "123.5"]], [["60001", "0.001"]])
    assert "binance.spot:ABCUSDT: 1 numbers are absurd" in said.err


@pytest.mark.parametrize("text", [
    b"0", b"1", b"1.50", b'"1.50"', b"100", b"0.001", b"1e3", b"1E-7", b"15e-1", b'"1e3"', b"1.",
    b".5", b"9223372036854775807", b"9223372036854775808", b"9.223372036854775807", b"0e5",
    b"0.000000000000000001", b"0.0000000000000000001", b"1e18", b"1e19", b"00012.5", b'"12.50"',
])
def test_the_survey_and_the_parser_of_the_feed_agree_on_what_can_be_read(text: bytes) -> None:
    least, most = _range(text)
    for decimals in range(DECIMALS_MAX + 1):
        fault = FullBook(0, decimals, 1).load(b'[["1",' + text + b"]]")
        assert (fault == 0) == (least <= decimals <= most), decimals


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
