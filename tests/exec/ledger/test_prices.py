"""exec.ledger.prices: what an asset is worth, over other pairs where it has no price of its own."""

from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.model.clock import ManualClock
from engine.runtime.machine import boot_id
from exec import records as r
from exec.journal.writer import Journal
from exec.ledger import report
from exec.ledger.place import noted
from exec.ledger.prices import prices_of

S = 10**9
START_S = 1_800_000_000
LISTED = (("BTC/USDT", "BTC", "USDT"), ("ETH/BTC", "ETH", "BTC"), ("DOT/ETH", "DOT", "ETH"),
          ("BTC/EUR", "BTC", "EUR"), ("ETH/USD", "ETH", "USD"))


def seen(symbol: str, price: str) -> r.Decided:
    """Return an opportunity that was refused, at a price with 4 decimals."""
    leg = r.LegSeen("a", symbol, 1, int(price.replace(".", "")), 1, 0)
    return r.Decided(1, 1, 1, 1, (leg, leg), 1, "edge", 0, 0, 0)


def books(folder: Path, *records: r.Record) -> Path:
    """Write a journal, a record a second after the start."""
    clock = ManualClock()
    journal = Journal(folder / "journal", clock, boot=boot_id(), file_size=1 << 17)
    begun: list[r.Record] = [
             r.Opened(r.SCHEMA, "e", "paper", START_S, 1, "c", 7),
             *(r.Listed("a", symbol, symbol, base, quote, "", 4, 4)
               for symbol, base, quote in LISTED)]
    for number, each in enumerate([*begun, *records], start=-len(begun)):
        clock.set(mono_ns=1, unix_ns=(START_S + number) * S)
        journal.append(r.kind_of(each), r.encode(each))
    journal.close()
    return folder


def said(capsys: pytest.CaptureFixture[str], folder: Path, *words: str) -> str:
    assert report.main(["pnl", str(folder), *words]) == 0
    return capsys.readouterr().out


def equity(capsys: pytest.CaptureFixture[str], folder: Path) -> Any:
    return msgspec.json.decode(said(capsys, folder, "--json"))["equity"]


def counted(asset: str, total: str) -> r.Counted:
    return r.Counted("a", asset, total, "0", "rest")


def test_an_asset_without_a_price_of_its_own_is_worth_what_another_pair_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = books(
        tmp_path, seen("BTC/USDT", "60000.0000"), seen("ETH/BTC", "0.0400"),
        seen("DOT/ETH", "0.0025"), seen("BTC/EUR", "50000.0000"),
        counted("ETH", "2"), counted("DOT", "10"), counted("EUR", "100"), counted("XYZ", "7"))
    found = equity(capsys, folder)
    held = {each["asset"]: each for each in found["assets"]}
    assert {asset: each["price"] for asset, each in held.items()} == {
        "ETH": "2400", "DOT": "6", "EUR": "1.2", "XYZ": ""}
    assert held["DOT"]["priced_ns"] == START_S * S  # as old as the oldest of the prices it took
    assert found["value_micro"] == (2 * 2400 + 10 * 6 + 120) * 10**6
    assert found["unpriced"] == ["XYZ"]


def test_a_price_of_its_own_comes_before_a_newer_one_over_another_pair(tmp_path: Path) -> None:
    folder = books(
        tmp_path, seen("ETH/USD", "2500.0000"), seen("BTC/USDT", "60000.0000"),
        seen("ETH/BTC", "0.0400"))
    assert report.main(["pnl", str(folder)]) == 0
    with closing(noted(folder).open_reader()) as database:
        assert prices_of(database)["ETH"] == (2500 * 10**24, START_S * S)


def test_a_pair_that_was_last_seen_thousands_of_opportunities_ago_still_has_its_price(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    crowd = [seen("BTC/USDT", "60000.0000") for _ in range(1_200)]
    folder = books(tmp_path, seen("ETH/USD", "2500.0000"), *crowd, counted("ETH", "2"))
    assert equity(capsys, folder)["value_micro"] == 5_000 * 10**6


def test_profit_and_loss_is_read_without_turning_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    leg = r.Leg("a", "ETH/BTC", 1, 400, 123_456_789, 400)
    big: list[r.Record] = [
        r.Planned(10, 5, 6, 1, (leg, leg), "unwind", (), 9, 1_234_567_891),
        r.Intended(11, 10, 0, "a", "ETH/BTC", 1, 400, 123_456_789, r.Tif.IOC, False, False, "c1", 1,
                   2, "enter"),
        r.Filled(11, "a", "ETH/BTC", "t1", 1, 401, 123_456_789, "0.123456789123456789", "DOT", True,
                 5, "stream"),
        r.PlanClosed(10, "done", 0, -1_234_567_891)]
    folder = books(tmp_path, seen("BTC/USDT", "60000.0000"), seen("ETH/BTC", "0.0400"), *big)
    for by in ("strategy", "venue", "symbol", "day"):
        _, explained, _, *lines = said(capsys, folder, "--by", by).splitlines()
        assert "exact: --json" in explained
        table = lines[:lines.index("")]
        assert max(map(len, table)) <= 100
        assert "-1,234.57" in table[1]
        assert "29,703,703" in table[1]  # 495.06 BTC
        assert "fees, not all of it with a price: 0.123456789123456789 DOT" in table
