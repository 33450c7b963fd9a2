"""The catalogue: what a venue says becomes whole quanta, or a message that says what to change."""

import numpy as np
import pytest

from engine.model.errors import ConfigInvalid, UnknownInstrument
from engine.model.instrument import Instrument, Pair
from feeds.catalog import Listed, list_instruments, write_rows
from feeds.venue import Listing
from feeds.venues import venue_of
from shm.layout import INSTRUMENT, InstrumentStatus

BINANCE = venue_of("binance")
LINE = Listing("BTCUSDT", "BTC/USDT", tick="0.01000000", lot="0.00001", size_min="0.0001",
               notional_min="5.5")


def instrument(name: str = "BTC/USDT", price: int = 2, size: int = 8) -> Instrument:
    return Instrument(3, 0, "binance", 0, Pair.parse(name), 0, price, size)


def test_steps_and_minima_become_quanta_of_the_pair() -> None:
    [it] = list_instruments(BINANCE, [instrument()], [LINE])
    assert it == Listed(instrument(), "BTCUSDT", 1, 1_000, 10_000, 5_500_000,
                        BINANCE.taker_fee_ppm, BINANCE.maker_fee_ppm, InstrumentStatus.TRADING)


def test_the_configs_fees_win_over_the_adapters_and_zero_is_a_fee() -> None:
    [it] = list_instruments(BINANCE, [instrument()], None, 0, -50)
    assert (it.taker_fee_ppm, it.maker_fee_ppm) == (0, -50)


def test_an_instrument_is_trading_halted_not_listed_or_unknown() -> None:
    halted = Listing("BTCUSDT", "BTC/USDT", tick="1", lot="1", trading=False)
    for catalogue, status in (
        ([LINE], InstrumentStatus.TRADING), ([halted], InstrumentStatus.HALTED),
        ([], InstrumentStatus.NOT_LISTED), (None, InstrumentStatus.UNKNOWN),
    ):
        [it] = list_instruments(BINANCE, [instrument()], catalogue)
        assert it.status is status


@pytest.mark.parametrize(("price_decimals", "size_decimals", "message"), [
    (1, 8, r'pairs\."BTC/USDT"\.price-decimals: 1 cannot hold the step 0\.01000000.*2 or more'),
    (2, 4, r'pairs\."BTC/USDT"\.size-decimals: 4 cannot hold the step 0\.00001 .*5 or more'),
])
def test_quanta_too_coarse_for_the_venues_steps_are_refused_with_the_key_to_change(
    price_decimals: int, size_decimals: int, message: str,
) -> None:
    with pytest.raises(ConfigInvalid, match=message):
        list_instruments(BINANCE, [instrument("BTC/USDT", price_decimals, size_decimals)], [LINE])


def test_a_pair_that_the_venue_cannot_spell_is_refused() -> None:
    with pytest.raises(UnknownInstrument):
        list_instruments(BINANCE, [instrument("BTC/USDT:USDT")], [LINE])


def test_rows_get_what_only_the_venue_knows_and_nothing_else() -> None:
    rows = np.zeros(5, INSTRUMENT)
    rows["name"] = b"as control wrote it"
    write_rows(list_instruments(BINANCE, [instrument()], [LINE]), rows)
    row = rows[3]
    assert (row["native"], row["tick"], row["lot"], row["status"]) == (
        b"BTCUSDT", 1, 1_000, InstrumentStatus.TRADING)
    assert (row["size_min"], row["notional_min"]) == (10_000, 5_500_000)
    assert (row["name"] == b"as control wrote it", row["index"]) == (True, 0)
    assert not rows["native"][[0, 1, 2, 4]].any()
