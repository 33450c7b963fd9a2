"""Captures: what is read, and one clear message for everything that cannot be."""

import gzip
import json
from pathlib import Path

import pytest

from engine.model.errors import CaptureInvalid
from feeds.recorded.capture import Capture

URL = "wss://stream.binance.com:9443/stream"
GOOD = {"t": 1, "ch": "ws", "dir": "in", "url": URL, "m": "{}"}
NAME = "binance.spot.20240808.jsonl"


def text_of(*lines: object) -> bytes:
    """Return lines of JSON; text stays as it is."""
    return b"".join(
        (line if isinstance(line, str) else json.dumps(line)).encode() + b"\n" for line in lines)


def written(folder: Path, data: bytes, name: str = NAME) -> Capture:
    """Return a capture of ``data``."""
    path = folder / name
    path.write_bytes(data)
    return Capture(path)


def test_plain_and_gzip_lines_are_the_same_lines(tmp_path: Path) -> None:
    lines = text_of(GOOD, GOOD | {"t": 2, "c": 3, "ev": "connect", "hdr": {}, "bin": True})
    plain = list(written(tmp_path, lines).lines())
    assert [(line.t, line.c, line.ev) for line in plain] == [(1, 0, ""), (2, 3, "connect")]
    assert list(written(tmp_path, gzip.compress(lines), f"{NAME}.gz").lines()) == plain


def test_the_market_is_the_first_two_parts_of_the_name_and_the_url_chooses_the_reader(
    tmp_path: Path,
) -> None:
    capture = written(tmp_path, text_of(GOOD))
    assert (capture.market, capture.venue.name) == ("binance.spot", "binance")
    for url, name in (("wss://ws.kraken.com", "kraken-v1"), ("wss://ws.kraken.com/v2", "kraken")):
        capture = written(tmp_path, text_of(GOOD | {"url": url}), "kraken.spot.x.jsonl")
        assert capture.venue.name == name


@pytest.mark.parametrize("name", ["capture.jsonl", "binance.spot.2024.json", "binance.jsonl.gz",
                                  ".spot.x.jsonl"])
def test_a_name_without_market_or_known_form_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(CaptureInvalid, match=r"not the name of a capture; right would be <venue>"):
        written(tmp_path, b"", name)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CaptureInvalid, match=r"binance.spot.x.jsonl: no such file"):
        Capture(tmp_path / "binance.spot.x.jsonl")
    (tmp_path / NAME).mkdir()
    with pytest.raises(CaptureInvalid, match="no such file"):
        Capture(tmp_path / NAME)


@pytest.mark.parametrize("bad", [
    '{"t": 1, "ch": "ws"', "[]", "nonsense",
    '{"t": 1, "ch": "tcp", "dir": "in", "url": "", "m": ""}',
    '{"t": "now", "ch": "ws", "dir": "in", "url": "", "m": ""}', '{"t": 1, "ch": "ws", "m": ""}',
])
def test_a_bad_line_is_named_with_its_number_and_what_would_be_right(
    tmp_path: Path, bad: str,
) -> None:
    capture = written(tmp_path, text_of(GOOD, GOOD, bad))
    right = r"jsonl: line 3: .*right would be \{\"t\": ns"
    with pytest.raises(CaptureInvalid, match=right) as error:
        list(capture.lines())
    assert "\n" not in str(error.value)


def test_bytes_that_are_no_text_are_a_bad_line(tmp_path: Path) -> None:
    with pytest.raises(CaptureInvalid, match="line 1"):
        list(written(tmp_path, b'{"m":"\xff\xfe"}\n').lines())


@pytest.mark.parametrize("keep", [1, 5, 12, 40, -9, -1])
def test_a_truncated_gzip_file_is_refused_wherever_it_was_cut(tmp_path: Path, keep: int) -> None:
    data = gzip.compress(text_of(*[GOOD | {"t": at} for at in range(500)]))
    with pytest.raises(CaptureInvalid, match=r"line \d+: .*right would be a file copied whole"):
        list(written(tmp_path, data[:keep], f"{NAME}.gz").lines())


def test_a_damaged_gzip_file_is_refused(tmp_path: Path) -> None:
    data = bytearray(gzip.compress(text_of(*[GOOD | {"t": at} for at in range(500)])))
    data[len(data) // 2] ^= 0xFF
    with pytest.raises(CaptureInvalid, match="line"):
        list(written(tmp_path, bytes(data), f"{NAME}.gz").lines())
    with pytest.raises(CaptureInvalid, match="file copied whole"):
        list(written(tmp_path, b"no gzip at all", f"{NAME}.gz").lines())


def test_an_unknown_market_or_protocol_and_a_recording_without_sockets_are_refused(
    tmp_path: Path,
) -> None:
    with pytest.raises(CaptureInvalid, match=r"mexc.*unknown market 'mexc.spot'.*binance.spot"):
        _ = written(tmp_path, text_of(GOOD), "mexc.spot.x.jsonl").venue
    with pytest.raises(CaptureInvalid, match=r"kraken.spot: no adapter reads the protocol at"):
        _ = written(tmp_path, text_of(GOOD | {"url": "wss://a"}), "kraken.spot.x.jsonl").venue
    with pytest.raises(CaptureInvalid, match="no line of a socket"):
        _ = written(tmp_path, text_of(GOOD | {"ch": "http"})).venue


def test_zstd_without_its_package_is_a_clear_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "zstandard", None)
    with pytest.raises(CaptureInvalid, match=r"pip install zstandard.*\.jsonl\.gz"):
        list(written(tmp_path, b"", f"{NAME}.zst").lines())


@pytest.mark.parametrize(("url", "symbol"), [
    ("https://www.binance.com/api/v1/depth?symbol=ZILUSDT&limit=1000", "ZILUSDT"),
    ("https://api.binance.com/api/v3/depth?limit=5000&symbol=BTCUSDT", "BTCUSDT"),
    ("https://api.binance.com/api/v3/exchangeInfo", ""),
    ("https://api.binance.com/api/v3/trades?symbol=BTCUSDT", ""),
])
def test_a_rest_url_of_any_year_names_the_symbol_of_its_book(
    tmp_path: Path, url: str, symbol: str,
) -> None:
    assert written(tmp_path, text_of(GOOD)).snapshot_symbol(url) == symbol


def test_where_the_stream_brings_the_book_no_rest_answer_is_one(tmp_path: Path) -> None:
    capture = written(tmp_path, text_of(GOOD | {"url": "wss://ws.kraken.com/v2"}),
                      "kraken.spot.x.jsonl")
    assert capture.snapshot_symbol("https://api.kraken.com/0/public/Depth?pair=XBTUSD") == ""


def test_a_catalogue_is_known_by_the_end_of_its_path(tmp_path: Path) -> None:
    capture = written(tmp_path, text_of(GOOD))
    assert capture.is_catalogue("https://www.binance.com/api/v1/exchangeInfo?x=1")
    assert not capture.is_catalogue("https://www.binance.com/api/v3/depth?symbol=exchangeInfo")
