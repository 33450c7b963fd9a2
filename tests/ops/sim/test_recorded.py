"""The recorded protocols' readers, on small frames; ``test_playback`` runs them on real ones."""

import pytest

from engine.model.instrument import Pair
from ops.sim.book import BID
from ops.sim.face import BUY, SELL, Topic
from ops.sim.listing import Line
from ops.sim.recorded import (
    BinanceReader,
    CoinbaseExchangeReader,
    KrakenReader,
    OkxReader,
    quanta,
    reader_of,
)
from ops.sim.truth import truth_of


def a_line(venue: str, native: str) -> Line:
    return Line(venue, Pair.parse("A/B"), native, price_decimals=0, size_decimals=0, started=False)


def diff(first: int, last: int, bids: str = "", asks: str = "") -> bytes:
    return (f'{{"stream":"ab@depth@100ms","data":{{"e":"depthUpdate","s":"AB","U":{first},'
            f'"u":{last},"b":[{bids}],"a":[{asks}]}}}}').encode()


def test_decimal_text_becomes_quanta_exactly() -> None:
    assert quanta("61837.63000000", 8) == 6183763000000
    assert quanta("0.1", 8) == 10_000_000
    assert quanta("415", 0) == 415


def test_binance_diffs_wait_for_the_snapshot_and_join_it_by_the_venues_rule() -> None:
    for perpetual, equal_kept in ((False, "5"), (True, "7")):
        reader, line = BinanceReader(perpetual=perpetual), a_line("binance", "AB")
        reader.apply(line, diff(1, 9, '["1.0","9"]'))
        reader.apply(line, diff(10, 10, '["1.0","7"]'))
        reader.apply(line, diff(11, 12, "", '["2.5","3"]'))
        assert not line.started
        body = b'{"lastUpdateId":10,"bids":[["1.0","5"]],"asks":[["2.0","1"]]}'
        assert reader.snapshot(line, body) == 10
        truth = truth_of(line)
        assert (truth.bids, truth.asks) == ([("1", equal_kept)], [("2", "1"), ("2.5", "3")])
        assert truth.last_id == 12


def test_binance_topics_come_from_the_envelope() -> None:
    reader = BinanceReader(perpetual=False)
    assert reader.topic(b'{"stream":"btcusdt@depth@0ms","data":{}}') == ("depth", "BTCUSDT")
    assert reader.topic(b'{"stream":"btcusdt@kline_1m","data":{}}') is None
    assert reader.topic(b'{"result":null,"id":1}') is None


def test_okx_without_numbers_stays_without() -> None:
    reader, line = OkxReader(), a_line("okx", "A-B")
    frame = (b'{"arg":{"channel":"books-l2-tbt","instId":"A-B"},"action":"snapshot","data":'
             b'[{"asks":[["8476.98","415","0","13"]],"bids":[["8476.9","2.5","0","1"]],'
             b'"ts":"1","checksum":7}]}')
    assert reader.topic(frame) == ("books", "A-B")
    assert reader.apply(line, frame) is None
    assert not line.numbered
    assert truth_of(line).bids == [("8476.9", "2.5")]


def test_kraken_takes_its_depth_from_the_acknowledgement_and_keeps_to_it() -> None:
    reader, line = KrakenReader(), a_line("kraken", "A/B")
    ack = b'{"method":"subscribe","result":{"channel":"book","depth":2,"symbol":"A/B"}}'
    assert reader.topic(ack) is None
    rows = ",".join(f'{{"price":{p}.50,"qty":0.00000100}}' for p in (9, 8, 7))
    frame = (f'{{"channel":"book","type":"snapshot","data":[{{"symbol":"A/B","bids":[{rows}],'
             f'"asks":[],"checksum":1}}]}}').encode()
    assert reader.topic(frame) == ("book:2", "A/B")
    reader.apply(line, frame)
    assert (line.price_decimals, line.size_decimals) == (2, 8)  # every digit on the wire counts
    assert [price for price, _ in truth_of(line).bids] == ["9.5", "8.5"]


def test_coinbase_exchange_changes_levels_by_side() -> None:
    reader, line = CoinbaseExchangeReader(), a_line("coinbase-exchange", "A-B")
    reader.apply(line, b'{"type":"snapshot","product_id":"A-B","asks":[["2","1"]],"bids":[]}')
    change = b'{"type":"l2update","product_id":"A-B","changes":[["sell","2","0"],["buy","1","4"]]}'
    assert reader.topic(change) == ("level2_batch", "A-B")
    reader.apply(line, change)
    truth = truth_of(line)
    assert (truth.bids, truth.asks) == ([("1", "4")], [])


@pytest.mark.parametrize("venue", [
    "binance", "binance-us", "binance-usdm", "okx", "okx-us", "kraken", "coinbase-exchange"])
def test_every_recorded_venue_has_a_reader(venue: str) -> None:
    assert reader_of(venue) is not reader_of(venue)  # each run of the tape begins anew


@pytest.mark.parametrize(("venue", "topic", "frame", "trades"), [
    ("binance", ("trade", "AB"),
     b'{"stream":"ab@trade","data":{"e":"trade","p":"1.5","q":"2","m":true}}',
     [(SELL, "1.5", "2")]),
    ("binance", ("aggTrade", "AB"),
     b'{"stream":"ab@aggTrade","data":{"e":"aggTrade","p":"1.5","q":"2","m":false}}',
     [(BUY, "1.5", "2")]),
    ("binance", ("bookTicker", "AB"), b'{"stream":"ab@bookTicker","data":{}}', []),
    ("okx", ("trades", "A-B"),
     b'{"arg":{"channel":"trades","instId":"A-B"},"data":[{"side":"sell","px":"7","sz":"0.1"}]}',
     [(SELL, "7", "0.1")]),
    ("kraken", ("trade", "A/B"),
     b'{"channel":"trade","type":"update","data":[{"symbol":"A/B","side":"buy","price":0.50,'
     b'"qty":0.00000100,"ord_type":"limit","trade_id":1,"timestamp":"x"}]}',
     [(BUY, "0.50", "0.00000100")]),
    ("kraken", ("trade", "A/B"), b'{"channel":"trade","type":"snapshot","data":[]}', []),
    ("coinbase-exchange", ("matches", "A-B"),  # the side of a match is the maker's
     b'{"type":"match","product_id":"A-B","side":"sell","price":"3","size":"4"}',
     [(BUY, "3", "4")]),
    ("coinbase-exchange", ("matches", "A-B"),
     b'{"type":"last_match","product_id":"A-B","side":"sell","price":"3","size":"4"}', []),
])
def test_prints_tell_the_takers_side_and_nothing_of_the_past(
    venue: str, topic: Topic, frame: bytes, trades: list[tuple[int, str, str]]
) -> None:
    reader = reader_of(venue)
    assert reader.topic(frame) in (topic, None)
    assert [tuple(each) for each in reader.trades(topic, frame)] == trades


def test_levels_beyond_krakens_depth_are_told_as_gone() -> None:
    reader, line = KrakenReader(), a_line("kraken", "A/B")
    reader.topic(b'{"method":"subscribe","result":{"channel":"book","depth":1,"symbol":"A/B"}}')
    for kind, price in (("snapshot", 7), ("update", 9)):
        frame = (f'{{"channel":"book","type":"{kind}","data":[{{"symbol":"A/B","bids":['
                 f'{{"price":{price},"qty":2}}],"asks":[],"checksum":1}}]}}').encode()
        changes = reader.apply(line, frame)
    assert changes == [(BID, 9, 2), (BID, 7, 0)]
