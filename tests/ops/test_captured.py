"""A config made from what recordings hold."""

from pathlib import Path

import pytest

from engine.config import Config, PairTable, parse
from engine.model.errors import CaptureInvalid
from ops import captured
from ops.captured import SurveyedMarket, SurveyedSymbol

CONFIG = """\
name = "t"
[venues.binance]
symbols = ["BTC/USDT", "ETH/BTC"]
[detector]
edge-min-ppm = 1
edge-max-ppm = 10000
book-age-ms-max = 100
notional-max = { USDT = 25000.0, BTC = 0.4 }
notional-min = { USDT = 10.0, BTC = 0.0002 }
[execution]
edge-min-ppm = 0
"""


def recorded(monkeypatch: pytest.MonkeyPatch, *markets: tuple[str, list[str]]) -> Config:
    """Return the config for recordings of these venues and unified names."""
    held = [
        SurveyedMarket(venue, f"{venue}.spot", [
            SurveyedSymbol(name.replace("/", ""), name, 2 + at, 5) for at, name in enumerate(names)
        ], [f"{venue}.gz"]) for venue, names in markets
    ]
    monkeypatch.setattr(captured, "survey", lambda _files: held)
    config = parse(CONFIG, source="t", folder=Path("/nowhere"))
    return captured.with_captures(config, ["x.gz"], speed=2.0, loop=False)


def test_every_quote_currency_of_a_recording_has_limits_and_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = recorded(monkeypatch, ("binance", ["BTC/USDT", "BTC/TRY"]), ("kraken", ["BTC/EUR"]))
    assert made.detector.notional_max == {"USDT": 25000.0, "TRY": 25000.0, "EUR": 25000.0}
    assert made.detector.notional_min == {"USDT": 10.0, "TRY": 0.0002, "EUR": 0.0002}


def test_a_pair_of_several_venues_gets_the_finest_decimals_of_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = recorded(monkeypatch, ("binance", ["ETH/USDT", "BTC/USDT"]), ("okx", ["BTC/USDT"]))
    assert made.pairs["BTC/USDT"].price_decimals == 3
    assert {name: venue.symbols for name, venue in made.venues.items()} == {
        "binance": ["ETH/USDT", "BTC/USDT"], "okx": ["BTC/USDT"]}


@pytest.mark.parametrize(("price", "size", "quanta"), [
    (2, 0, PairTable(price_decimals=2, size_decimals=4)),  # a millionth can be counted
    (0, 0, PairTable(price_decimals=0, size_decimals=6)),
    (15, 9, PairTable(price_decimals=15, size_decimals=9)),
    (16, 0, None), (0, 16, None), (15, 10, None),
])
def test_quanta_of_a_recording_are_such_as_a_config_may_have(
    monkeypatch: pytest.MonkeyPatch, price: int, size: int, quanta: PairTable | None
) -> None:
    held = [SurveyedMarket(
        "okx", "okx.spot", [SurveyedSymbol("PEPE-USDT", "PEPE/USDT", price, size)], ["o.gz"])]
    monkeypatch.setattr(captured, "survey", lambda _files: held)
    config = parse(CONFIG, source="t", folder=Path("/nowhere"))
    if quanta is None:
        with pytest.raises(CaptureInvalid, match=r"^o\.gz: PEPE/USDT: prices with "):
            captured.with_captures(config, ["o.gz"], speed=1.0, loop=True)
        return
    made = captured.with_captures(config, ["o.gz"], speed=1.0, loop=True)
    assert made.pairs == {"PEPE/USDT": quanta}
