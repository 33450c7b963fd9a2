"""The invented market: the seed decides, no book is crossed, windows open and close."""

from collections.abc import Iterator
from statistics import mean

from ops.sim.book import BID
from ops.sim.face import Update
from ops.sim.listing import Line, invented_line
from ops.sim.market import LEVELS_MAX, Market

SECOND = 1_000_000_000
VENUES = ("binance", "okx", "kraken", "coinbase")


def lines() -> list[Line]:
    return [invented_line(venue, symbol) for venue in VENUES for symbol in ("BTC/USDT", "ETH/USDT")]


def flow(seed: int, step_ns: int, until_ns: int) -> Iterator[tuple[str, str, Update]]:
    market = Market(lines(), seed=seed, messages_per_s=50)
    for at_ns in range(0, until_ns, step_ns):
        for line, update in market.advance(at_ns + step_ns):
            yield line.venue, line.native, update


def test_the_seed_alone_decides_however_often_the_market_is_asked() -> None:
    first = list(flow(1, SECOND, 5 * SECOND))
    assert first == list(flow(1, SECOND // 1000, 5 * SECOND))
    assert first != list(flow(2, SECOND, 5 * SECOND))


def test_no_book_is_ever_crossed_or_runs_dry() -> None:
    market = Market(lines(), seed=3, messages_per_s=50)
    for line, _ in market.advance(60 * SECOND):
        touch = line.book.touch()
        assert 0 < touch.bid < touch.ask
        assert 10 < len(line.book.prices[BID]) < LEVELS_MAX + 50


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


def test_each_venue_sends_at_the_rate_asked_for() -> None:
    sent = [venue for venue, _, update in flow(5, SECOND, 40 * SECOND) if update.send]
    for venue in VENUES:
        assert abs(sent.count(venue) / 40 - 50) < 5


def test_windows_between_venues_open_and_close_within_a_second_or_so() -> None:
    listed = lines()
    market = Market(listed, seed=6, messages_per_s=50)
    pair = [line for line in listed if line.native in ("BTCUSDT", "BTC/USDT")]
    fast, slow = pair
    windows: list[int] = []
    opened = 0
    clock = 0
    for clock in range(0, 120 * SECOND, SECOND // 100):
        for _ in market.advance(clock):
            pass
        edge = max(fast.book.touch().bid / slow.book.touch().ask,
                   slow.book.touch().bid / fast.book.touch().ask) - 1
        if edge > 5e-4 and not opened:
            opened = clock
        elif edge < 1e-4 and opened:
            windows.append(clock - opened)
            opened = 0
    assert len(windows) > 5
    assert mean(windows) < 2 * SECOND


def test_deletes_and_levels_per_update_are_like_those_recorded() -> None:
    changes = [change for _, _, update in flow(7, SECOND, 30 * SECOND) for change in update.changes]
    deletes = sum(change.size == 0 for change in changes) / len(changes)
    assert 0.2 < deletes < 0.5  # 18 to 41 % in captures/STATISTICS.md
    kraken = [len(update.changes) for venue, _, update in flow(7, SECOND, 30 * SECOND)
              if venue == "kraken"]
    assert 1.0 < mean(kraken) < 4.0
