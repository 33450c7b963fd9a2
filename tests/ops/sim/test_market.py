"""The invented market: the seed decides, books are sound, windows and triangles open and close."""

from collections.abc import Iterator
from itertools import pairwise
from math import log
from random import Random
from statistics import mean, pstdev

import pytest

from engine.config import Sim
from engine.model.clock import SystemClock
from ops.sim.book import ASK, BID
from ops.sim.face import Update
from ops.sim.listing import Line, invented_line
from ops.sim.market import LEVELS_MAX, Market
from ops.sim.market.values import GRID_NS, REGIMES, Values
from ops.sim.world import World
from tests.ops.sim.wire import a_venue
from tests.ops.sim.wire import run as run_async

SECOND = 1_000_000_000
VENUES = ("binance", "okx", "kraken", "coinbase")


def lines() -> list[Line]:
    return [invented_line(venue, symbol) for venue in VENUES for symbol in ("BTC/USDT", "ETH/USDT")]


def flow(seed: int, step_ns: int, until_ns: int) -> Iterator[tuple[str, str, Update]]:
    market = Market(lines(), seed=seed, messages_per_s=50)
    for at_ns in range(0, until_ns, step_ns):
        for line, update in market.advance(at_ns + step_ns):
            yield line.venue, line.native, update


def run(market: Market, until_ns: int) -> None:
    for _ in market.advance(until_ns):
        pass


def test_the_seed_alone_decides_however_often_the_market_is_asked() -> None:
    first = list(flow(1, SECOND, 5 * SECOND))
    assert first == list(flow(1, SECOND // 1000, 5 * SECOND))
    assert first != list(flow(2, SECOND, 5 * SECOND))


def test_who_stops_in_the_middle_of_a_step_loses_and_repeats_nothing() -> None:
    market, found = Market(lines(), seed=1, messages_per_s=50), list[tuple[str, str, Update]]()
    while len(found) < 1000:
        for line, update in market.advance(20 * SECOND):
            found.append((line.venue, line.native, update))
            if len(found) % 7 == 0:
                break
    assert found[:1000] == list(flow(1, SECOND, 20 * SECOND))[:1000]


def test_no_book_is_ever_crossed_or_runs_dry() -> None:
    market = Market(lines(), seed=3, messages_per_s=50)
    for line, _ in market.advance(60 * SECOND):
        touch = line.book.touch()
        assert 0 < touch.bid < touch.ask
        for side in (BID, ASK):
            prices, sizes = line.book.prices[side], line.book.sizes[side]
            assert 2 < len(prices) <= LEVELS_MAX + 20
            assert len(sizes) == len(prices)
            assert min(sizes.values()) > 0


def test_books_stay_sorted_and_whole() -> None:
    listed = lines()
    run(Market(listed, seed=8, messages_per_s=500), 20 * SECOND)
    for line in listed:
        for prices, sizes in zip(line.book.prices, line.book.sizes, strict=True):
            assert prices == sorted(sizes)


def test_an_update_holds_every_change_of_its_line() -> None:
    listed = lines()
    market = Market(listed, seed=4, messages_per_s=50)
    copies = {(line.venue, line.native): dict(line.book.sizes[BID]) for line in listed}
    for line, update in market.advance(10 * SECOND):
        copy = copies[line.venue, line.native]
        for side, price, size in update.changes:
            if side == BID and size:
                copy[price] = size
            elif side == BID:
                copy.pop(price, None)
    for line in listed:
        assert copies[line.venue, line.native] == line.book.sizes[BID]


def test_what_others_take_out_of_a_book_is_missed_by_nobody() -> None:
    listed = lines()
    market = Market(listed, seed=5, messages_per_s=50)
    for number, (line, _) in enumerate(market.advance(20 * SECOND)):
        if number % 50 == 0:
            line.outside.clear()
        elif number % 20 == 0 and line.outside.prices[ASK]:
            line.outside.set(ASK, line.outside.prices[ASK][0], 0)
    run(market, 80 * SECOND)
    for line in listed:
        assert 0 < line.outside.touch().bid < line.outside.touch().ask


def test_each_venue_sends_at_the_rate_asked_for() -> None:
    sent = [venue for venue, _, update in flow(5, SECOND, 40 * SECOND) if update.send]
    for venue in VENUES:
        assert abs(sent.count(venue) / 40 - 50) < 5


@pytest.mark.parametrize("venue", ["binance", "kraken"])
@pytest.mark.parametrize(("rate", "seconds"), [(10, 60), (20_000, 1)])
def test_the_rate_of_a_venue_goes_from_ten_to_twenty_thousand(
    venue: str, rate: int, seconds: int
) -> None:
    listed = [invented_line(venue, f"{base}/USDT") for base in ("BTC", "ETH", "SOL", "XRP")]
    market = Market(listed, seed=1, messages_per_s=rate)
    sent = sum(update.send for _, update in market.advance(seconds * SECOND))
    assert sent == pytest.approx(rate * seconds, rel=0.1)


def test_the_rate_of_messages_does_not_change_the_prices() -> None:
    ends = []
    for rate in (20, 2000):
        listed = [invented_line("binance", "BTC/USDT")]
        market = Market(listed, seed=9, messages_per_s=rate)
        moves = []
        for second in range(1, 41):
            run(market, second * SECOND)
            moves.append(log(listed[0].book.touch().bid))
        ends.append(pstdev([after - before for before, after in pairwise(moves)]))
    assert 0.2 < ends[0] / ends[1] < 5


def edges(listed: list[Line], seconds: int, seed: int) -> Iterator[tuple[int, float]]:
    """Yield virtual time and what crossing BTC/USDT at two venues would earn."""
    market = Market(listed, seed=seed, messages_per_s=50)
    fast, slow = (line for line in listed if line.native in ("BTCUSDT", "BTC/USDT"))
    for clock in range(0, seconds * SECOND, SECOND // 100):
        run(market, clock)
        yield clock, max(fast.book.touch().bid / slow.book.touch().ask,
                         slow.book.touch().bid / fast.book.touch().ask) - 1


def test_windows_between_venues_open_and_close_within_a_second_or_so() -> None:
    windows, opened = list[int](), 0
    for clock, edge in edges(lines(), seconds=240, seed=6):
        if edge > 5e-4 and not opened:
            opened = clock
        elif edge < 1e-4 and opened:
            windows.append(clock - opened)
            opened = 0
    assert len(windows) >= 8
    assert mean(windows) < 2 * SECOND


def triangle(market: Market, listed: dict[str, Line], seconds: int) -> Iterator[float]:
    """Yield the better way round BTC, ETH and USDT at one venue, every 50 ms, before fees."""
    btc, eth, cross = (listed[name].book.touch for name in ("BTC/USDT", "ETH/USDT", "ETH/BTC"))
    scale = {name: 10.0**line.price_decimals for name, line in listed.items()}
    for clock in range(0, seconds * SECOND, SECOND // 20):
        run(market, clock)
        one = (eth().bid / scale["ETH/USDT"]) / (
            cross().ask / scale["ETH/BTC"] * btc().ask / scale["BTC/USDT"])
        two = (cross().bid / scale["ETH/BTC"]) * (btc().bid / scale["BTC/USDT"]) / (
            eth().ask / scale["ETH/USDT"])
        yield max(one, two) - 1


def test_triangles_are_closed_mostly_open_now_and_then_and_never_far() -> None:
    listed = {name: invented_line("binance", name) for name in ("BTC/USDT", "ETH/USDT", "ETH/BTC")}
    market = Market(list(listed.values()), seed=2, messages_per_s=50)
    found = list(triangle(market, listed, 600))
    assert sum(edge > 1.5e-4 for edge in found) / len(found) < 0.1
    opened = sum(before <= 3e-4 < after for before, after in pairwise(found))
    assert opened >= 10
    assert max(found) < 120e-4


def test_currencies_move_together_by_a_common_factor() -> None:
    listed = [invented_line("binance", f"{base}/USDT") for base in ("BTC", "ETH")]
    market = Market(listed, seed=11, messages_per_s=20)
    moves: list[tuple[float, float]] = []
    before = [log(line.book.touch().bid) for line in listed]
    for second in range(5, 1500, 5):
        run(market, second * SECOND)
        now = [log(line.book.touch().bid) for line in listed]
        moves.append((now[0] - before[0], now[1] - before[1]))
        before = now
    one, two = zip(*moves, strict=True)
    both = mean(x * y for x, y in moves) / (pstdev(one) * pstdev(two))
    assert 0.1 < both < 0.95


def test_volatility_comes_in_regimes() -> None:
    values = Values([line.pair for line in lines()], Random(3))
    moves: dict[int, list[float]] = {number: [] for number in range(len(REGIMES))}
    fair = values.fairs["BTC/USDT"]
    for _ in range(900 * SECOND // GRID_NS):
        before = fair.log
        values.tick()
        moves[values.regime].append(abs(fair.log - before))
    calm, normal, storm = (mean(moves[number]) for number in range(len(REGIMES)))
    assert calm < normal < storm
    assert storm > 2 * calm


def test_a_perpetual_has_a_basis_that_comes_back_and_funding_that_follows_it() -> None:
    spot, perpetual = invented_line("binance", "BTC/USDT"), invented_line(
        "binance-usdm", "BTC/USDT:USDT")
    market = Market([spot, perpetual], seed=4, messages_per_s=10)
    unix_ns = 1_800_000_123 * SECOND
    premiums = []
    for second in range(1, 900):
        run(market, second * SECOND)
        told = market.funding(perpetual, unix_ns)
        premiums.append(told.mark / told.index - 1)
        assert abs(told.index / spot.book.touch().bid * 10**(
            spot.price_decimals - perpetual.price_decimals) - 1) < 0.02
        assert abs(told.rate_ppb) <= 20_000_000
        assert told.rate_ppb % 10 == 0
        assert told.next_unix_ns % (8 * 3600 * SECOND) == 0
        assert 0 < told.next_unix_ns - unix_ns <= 8 * 3600 * SECOND
    assert max(premiums) > 2e-4
    assert min(premiums) < 0
    assert abs(mean(premiums)) < 6e-4
    assert told.rate_ppm == round(told.rate_ppb / 1000)
    with pytest.raises(KeyError):
        market.funding(spot, unix_ns)


def test_a_venue_knows_the_funding_of_its_perpetuals() -> None:
    world = World({"binance-usdm": ["BTC/USDT:USDT"]}, Sim(), SystemClock())
    face = world.servers["binance-usdm"].face
    told = face.floor.funding("BTCUSDT")
    assert told is not None
    assert told.mark == pytest.approx(face.lines["BTCUSDT"].book.touch().bid, rel=0.01)


def test_a_perpetuals_venue_tells_and_marks_by_the_markets_funding() -> None:
    async def body() -> None:
        async with a_venue("binance-usdm", "BTC/USDT:USDT") as venue:
            floor = venue.world.servers["binance-usdm"].face.floor
            told = floor.funding("BTCUSDT")
            assert told is not None
            status, row = await venue.get("/fapi/v1/premiumIndex?symbol=BTCUSDT")
            assert status == 200
            assert (float(row["markPrice"]), float(row["indexPrice"])) == (
                told.mark / 10, told.index / 10)
            assert float(row["lastFundingRate"]) == pytest.approx(told.rate_ppm / 1e6)
            assert row["nextFundingTime"] == told.next_unix_ns // 1_000_000
            assert floor.mark("BTCUSDT") == told.mark

    run_async(body)


@pytest.mark.parametrize("rate", [0.5, 5000])
def test_however_odd_a_pair_its_book_has_two_sides_that_do_not_meet(rate: float) -> None:
    symbols = ("DOGE/BTC", "USDT/USD", "EUR/USD", "UNKNOWN/BTC", "BTC/EUR")
    venues = ("binance", "binance-us", "kraken", "coinbase", "okx-us")
    listed = [invented_line(venue, symbol) for venue in venues for symbol in symbols]
    market = Market(listed, seed=3, messages_per_s=rate)
    for count, (line, _) in enumerate(market.advance(1000 * SECOND)):
        touch = line.book.touch()
        assert 0 < touch.bid < touch.ask, (line.venue, line.native)
        if count == 20_000:
            break
