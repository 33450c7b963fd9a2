"""ccxt.pro: books, trades and tickers that were followed equal the simulator's at quiet points."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any, Final

from tests.clients.proofs import VENUES, proves
from tests.clients.stage import Stage, Trade, a_stage, run, same_book
from tests.clients.test_ccxt_rest import taker_or_maker

QUIET_POINTS: Final = 20
UPDATES_MIN: Final = 2000
DEPTH: Final = {"kraken": 10, "okx": 400}  # what is followed by default; elsewhere all


class Follower:
    """Calls one of ccxt's watch methods again and again, and keeps what it answers."""

    def __init__(
        self, watch: Callable[..., Coroutine[Any, Any, Any]], take: Callable[[Any], None],
        *symbols: str,
    ) -> None:
        self.rounds = 0
        self._task = asyncio.create_task(self._follow(watch, take, symbols))

    async def _follow(
        self, watch: Callable[..., Coroutine[Any, Any, Any]], take: Callable[[Any], None],
        symbols: Sequence[str],
    ) -> None:
        while True:
            take(await watch(*symbols))
            self.rounds += 1

    def check(self) -> bool:
        """Return whether it has begun; raise what it died of."""
        if self._task.done():
            self._task.result()
        return self.rounds > 0

    async def stop(self) -> None:
        """End."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


async def begin(stage: Stage, *followers: Follower) -> None:
    """Let the market move until every follower has been answered once."""
    for _ in range(100):
        if all(follower.check() for follower in followers):
            return
        stage.venue.step(0.1)
        await asyncio.sleep(0.05)
    raise AssertionError(f"{stage.name}: a watch was never answered")


@proves("ccxt.pro", {
    "watch_order_book": "every level of two books at 20 quiet points of thousands of updates",
}, *VENUES)
def test_books_that_are_followed_equal_the_truth_at_every_quiet_point(venue: str) -> None:
    async def body() -> None:
        async with a_stage(venue, messages_per_s=300) as stage:
            books: dict[str, Any] = {}
            followers = [
                Follower(stage.client.watch_order_book, partial(books.__setitem__, symbol), symbol)
                for symbol in stage.symbols]
            await begin(stage, *followers)
            for _ in range(QUIET_POINTS):
                for _ in range(4):
                    stage.venue.step(0.1)
                    await asyncio.sleep(0)
                for symbol in stage.symbols:
                    truth = stage.book(symbol, DEPTH.get(venue))
                    await stage.settle(
                        partial(same_book, books[symbol], truth),
                        f"the book of {symbol} never equals the truth")
            assert stage.witness.updates > UPDATES_MIN
            for follower in followers:
                assert follower.check()
                await follower.stop()

    run(body)


@proves("ccxt.pro", {
    "watch_trades": "ids, takers, prices and sizes of every print, none missing",
    "watch_ticker": "last price a print's, best prices the book's at some instant",
}, *VENUES)
def test_every_print_and_ticker_is_heard_as_it_was(venue: str) -> None:
    async def body() -> None:
        async with a_stage(venue) as stage:
            symbol, heard, tickers = stage.symbols[0], dict[str, Trade](), list[Any]()

            def hear(trades: list[dict[str, Any]]) -> None:
                for each in trades:
                    heard[each["id"]] = Trade(each["side"], each["price"], each["amount"])

            followers = [Follower(stage.client.watch_trades, hear, symbol),
                         Follower(stage.client.watch_ticker, tickers.append, symbol)]
            await begin(stage, *followers)
            await stage.settle(lambda: bool(heard), "no trade heard")
            first = min(map(int, heard))
            while len(stage.witness.trades[symbol]) < 100:
                stage.venue.step(0.5)
                await asyncio.sleep(0.01)
            said = {key: taker_or_maker(venue, trade)
                    for key, trade in stage.witness.trades[symbol].items() if int(key) >= first}
            assert len(said) > 20
            await stage.settle(lambda: said.keys() <= heard.keys(), "a print was not heard")
            assert {key: heard[key] for key in said} == said
            prices = {each.price for each in stage.witness.trades[symbol].values()}
            before = {tickers[0]["last"]}  # of the trade before the first that was heard
            assert {each["last"] for each in tickers} <= prices | before
            touches = stage.witness.touches[symbol]
            assert {(each["bid"], each["ask"]) for each in tickers} - {(None, None)} <= touches
            assert tickers
            for follower in followers:
                await follower.stop()

    run(body)
