"""The core's port to the network: REST requests and the openings that end them."""

import asyncio
from random import Random

import numpy as np
import pytest
import structlog

from engine.model.clock import SystemClock
from engine.model.instrument import Instrument, Pair
from engine.runtime.served import tls_context
from feeds.catalog import Listed
from feeds.net.live import Live
from feeds.net.rest import Rest
from feeds.venues import binance
from shm.counters import CounterBlock
from shm.layout import BookState
from tests.feeds.plain_books import PlainBooks

ACKNOWLEDGED = b'{"result":null,"id":1}'
BOOK = b'{"lastUpdateId":7,"bids":[["1","1"]],"asks":[["2","1"]]}'


def make_live(rest: Rest) -> Live:
    """Return a feed of one book that is kept in dicts."""
    log = structlog.wrap_logger(
        structlog.testing.ReturnLogger(), processors=[],
        wrapper_class=structlog.make_filtering_bound_logger(0))
    instrument = Instrument(
        index=0, local_index=0, venue="binance", venue_index=0, pair=Pair.parse("BTC/USDT"),
        group_index=0, price_decimals=2, size_decimals=2)
    return Live(
        venue=binance.VENUE, listed=[Listed(instrument, "BTCUSDT")],
        books=PlainBooks(binance.VENUE, 1), rest=rest, clock=SystemClock(), tls=tls_context(""),
        random=Random(1), log=log,
        counters=CounterBlock(np.zeros(CounterBlock.size(1) // 8, np.int64), 0))


class _Rest(Rest):
    """Answers when a test lets it."""

    def __init__(self) -> None:
        self.answer = asyncio.Event()
        self.asked = 0

    async def get(self, path: str) -> bytes:
        """Wait, then give the book."""
        self.asked += 1
        await self.answer.wait()
        return BOOK


@pytest.mark.parametrize("first_is_lost", [False, True])
def test_a_second_connection_ends_the_request_only_of_a_book_that_no_other_carries(
    first_is_lost: bool,
) -> None:
    async def story() -> None:
        rest = _Rest()
        live = make_live(rest)
        running = asyncio.ensure_future(live.run([]))
        await asyncio.sleep(0)
        live.opened(1, ["BTCUSDT"])
        live.frame(1, ACKNOWLEDGED, 1, SystemClock().mono_ns())
        await asyncio.sleep(0)
        assert rest.asked == 1
        if first_is_lost:
            live.closed(1)
        live.opened(2, ["BTCUSDT"])
        rest.answer.set()
        for _ in range(5):
            await asyncio.sleep(0)
        state = live.core.sync("BTCUSDT").state
        assert state is (BookState.WAITING if first_is_lost else BookState.LIVE)
        running.cancel()

    asyncio.run(story())
