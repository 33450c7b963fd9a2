"""What the simulated venues list."""

import pytest

from engine.model.errors import ConfigInvalid
from engine.model.instrument import Pair
from ops.sim.book import BID
from ops.sim.listing import Line, invented_line


@pytest.mark.parametrize(("venue", "symbol", "native", "price", "size"), [
    ("binance", "BTC/USDT", "BTCUSDT", "64000.00000000", "0.00010000"),
    ("binance", "ETH/BTC", "ETHBTC", "0.03750000", "1.00000000"),
    ("binance-usdm", "BTC/USDT:USDT", "BTCUSDT", "64000.0", "0.0001"),
    ("okx", "XRP/USDT", "XRP-USDT", "1.10000", "0.00000001"),
    ("kraken", "BTC/USD", "BTC/USD", "64000.0", "0.00000001"),
])
def test_a_line_is_spelled_and_written_as_the_venue_does(
    venue: str, symbol: str, native: str, price: str, size: str
) -> None:
    line = invented_line(venue, symbol)
    assert line.native == native
    assert line.price(round(float(price) * 10**line.price_decimals)) == price
    assert line.size(1) == size


def test_what_a_venue_cannot_list_is_refused_with_its_name() -> None:
    for venue, symbol in (("nowhere", "BTC/USDT"), ("kraken", "BTC/USD:USD"),
                          ("binance-usdm", "BTC/USDT")):
        with pytest.raises(ConfigInvalid, match=venue):
            invented_line(venue, symbol)


def test_widening_keeps_every_level() -> None:
    line = Line("okx", Pair.parse("A/B"), "A-B", price_decimals=1, size_decimals=0)
    line.book.set(BID, 123, 7)
    before = (line.plain_price(123), line.plain_size(7))
    line.widen(3, 2)
    ((price, size),) = line.book.top(BID, 1)
    assert (line.plain_price(price), line.plain_size(size)) == before == ("12.3", "7")
    line.widen(1, 1)
    assert line.price_decimals == 3
