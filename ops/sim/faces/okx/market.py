"""OKX's public streams: a snapshot in the stream, then changes linked by prevSeqId.

Source: shared/venues/okx.md, Order book and Trades, 2026-11-21.  The checksum is sent as 0 since
2026-06-23; only a recording older than the sequence numbers gets a real one with its later
snapshots.
"""

import zlib
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from random import Random
from typing import Final

import orjson

from ops.sim.book import ASK, BID, Touch
from ops.sim.day import Day
from ops.sim.face import BUY, Outlet, Print, Update
from ops.sim.faces.okx.window import DEPTH, Window
from ops.sim.floor import Floor
from ops.sim.listing import Line

FIRST_ID: Final = 70_000_000_000
STEP_MAX: Final = 80
FEW: Final = 5
BOOKS: Final = ("books", "books-rpi")  # alike: nobody here has retail liquidity to improve on
CHECKSUM_DEPTH: Final = 25
REPEAT_NS: Final = 60_000_000_000  # a stream that has nothing new says so once a minute


class _State:
    """What one line's streams stand at."""

    def __init__(self, line: Line, floor: Floor) -> None:
        self.ids = Random(line.native)  # noqa: S311  not a secret
        self.pending: tuple[dict[int, int], dict[int, int]] = ({}, {})
        self.windows = (Window(BID), Window(ASK))
        self.sent_id = line.last_id
        self.sent_ns = floor.mono_ns()
        self.touch = line.book.touch()
        self.ticker_due = False
        self.few: list[list[tuple[int, int]]] = []
        self.day = Day(line, floor)


class Market:
    """What the public channels of every line say."""

    def __init__(self, lines: Sequence[Line], outlet: Outlet, floor: Floor) -> None:
        self._outlet, self._floor = outlet, floor
        for number, line in enumerate(lines):
            line.last_id = line.last_id or FIRST_ID + number * 1_000_003
        self._lines = lines
        self._state = {line.native: _State(line, floor) for line in lines}

    def day(self, native: str) -> Day:
        """Return what was traded in a line lately."""
        return self._state[native].day

    def update(self, line: Line, update: Update) -> None:
        """Send the quote if it moved, the prints, and the batch of changes when due."""
        state, native = self._state[line.native], line.native
        for side, price, size in update.changes:
            state.pending[side][price] = size
        if update.changes:
            line.last_id += 1 + int(state.ids.random() * STEP_MAX)
        if (touch := line.book.touch()) != state.touch:
            state.touch = touch
            state.ticker_due = True
            if self._outlet.wanted(("bbo-tbt", native)):
                self._outlet.publish(("bbo-tbt", native), self._quote(line, touch))
        for each in update.prints:
            state.day.add(each, self._floor.now_ns())
            state.ticker_due = True
            for channel in ("trades", "trades-all"):
                if self._outlet.wanted((channel, native)):
                    self._outlet.publish((channel, native), self._print(channel, line, each))
        if update.send:
            self.flush(line)

    def flush(self, line: Line) -> None:
        """Send the changes since the last batch as one linked update, ticker and top if new."""
        state, native = self._state[line.native], line.native
        if state.ticker_due:
            state.ticker_due = False
            if self._outlet.wanted(("tickers", native)):
                self._outlet.publish(("tickers", native), self._ticker(line))
        if not (state.pending[BID] or state.pending[ASK]):
            return
        if books := [each for each in BOOKS if self._outlet.wanted((each, native))]:
            told = [window.changes(line.book, pending) for window, pending in zip(
                state.windows, state.pending, strict=True)]
            asks, bids = sorted(told[ASK].items()), sorted(told[BID].items(), reverse=True)
            for each in books:
                body = self._book(line, each, "update", asks, bids, state.sent_id)
                self._outlet.publish((each, native), body)
        state.sent_id, state.sent_ns = line.last_id, self._floor.mono_ns()
        for side in (BID, ASK):
            state.pending[side].clear()
        if self._outlet.wanted(("books5", native)):
            few = [line.book.top(side, FEW) for side in (ASK, BID)]
            if few != state.few:
                state.few = few
                self._outlet.publish(("books5", native), self._whole(line, "books5", *few))

    def tick(self) -> None:
        """Repeat where a book stands, once a minute that it did not change."""
        now_ns = self._floor.mono_ns()
        for line in self._lines:
            state, native = self._state[line.native], line.native
            if line.recorded or not line.started or now_ns - state.sent_ns < REPEAT_NS:
                continue
            self.flush(line)
            state.sent_ns = now_ns
            for channel in BOOKS:
                if self._outlet.wanted((channel, native)):
                    body = self._book(line, channel, "update", (), (), state.sent_id)
                    self._outlet.publish((channel, native), body)
            for channel in ("bbo-tbt", "books5"):
                if self._outlet.wanted((channel, native)):
                    self._outlet.publish((channel, native), self._again(line, channel))

    def first(self, line: Line, channel: str) -> bytes | None:
        """Return what a new subscriber of a channel hears at once; None: nothing."""
        if channel in BOOKS:
            return self.snapshot(line, channel)
        if channel in ("bbo-tbt", "books5"):
            return self._again(line, channel)
        return self._ticker(line) if channel == "tickers" else None

    def _again(self, line: Line, channel: str) -> bytes:
        """Return the top of the book as it stands."""
        if channel == "bbo-tbt":
            return self._quote(line, line.book.touch())
        few = [line.book.top(side, FEW) for side in (ASK, BID)]
        return self._whole(line, channel, *few)

    def snapshot(self, line: Line, channel: str = "books") -> bytes:
        """Return the whole book as the channel's first message."""
        for window in self._state[line.native].windows:
            window.begin(line.book)
        top = line.book.top
        return self._book(line, channel, "snapshot", top(ASK, DEPTH), top(BID, DEPTH), -1)

    # --- forms ---------------------------------------------------------------------------------

    def _now_ms(self) -> int:
        return self._floor.now_ns() // 1_000_000

    def _book(
        self, line: Line, channel: str, action: str, asks: Iterable[tuple[int, int]],
        bids: Iterable[tuple[int, int]], previous_id: int,
    ) -> bytes:
        tail = f'"seqId":{line.last_id},"prevSeqId":{previous_id}'
        tail = f'"checksum":0,{tail}' if line.numbered else f'"checksum":{checksum(line)}'
        return (
            f'{{"arg":{{"channel":"{channel}","instId":"{line.native}"}},"action":"{action}",'
            f'"data":[{{"asks":[{levels(line, asks)}],"bids":[{levels(line, bids)}],'
            f'"ts":"{self._now_ms()}",{tail}}}]}}'
        ).encode()

    def _quote(self, line: Line, touch: Touch) -> bytes:
        asks = [(touch.ask, touch.ask_size)] if touch.ask_size else []
        bids = [(touch.bid, touch.bid_size)] if touch.bid_size else []
        return self._whole(line, "bbo-tbt", asks, bids)

    def _whole(
        self, line: Line, channel: str, asks: Iterable[tuple[int, int]],
        bids: Iterable[tuple[int, int]],
    ) -> bytes:
        return (
            f'{{"arg":{{"channel":"{channel}","instId":"{line.native}"}},'
            f'"data":[{{"asks":[{levels(line, asks)}],"bids":[{levels(line, bids)}],'
            f'"ts":"{self._now_ms()}","seqId":{line.last_id}}}]}}'
        ).encode()

    def _print(self, channel: str, line: Line, each: Print) -> bytes:
        side = "buy" if each.side == BUY else "sell"
        merged = f',"count":"1","source":"0","seqId":{line.last_id}'
        tail = merged if channel == "trades" else ',"source":"0"'
        return (
            f'{{"arg":{{"channel":"{channel}","instId":"{line.native}"}},"data":[{{'
            f'"instId":"{line.native}","tradeId":"{each.trade_id}",'
            f'"px":"{line.plain_price(each.price)}","sz":"{line.plain_size(each.size)}",'
            f'"side":"{side}","ts":"{self._now_ms()}"{tail}}}]}}'
        ).encode()

    def _ticker(self, line: Line) -> bytes:
        arg = {"channel": "tickers", "instId": line.native}
        return orjson.dumps({"arg": arg, "data": [self.ticker_row(line)]})

    def ticker_row(self, line: Line) -> dict[str, str]:
        """Return the touch and the last 24 hours; what an empty side lacks is empty."""
        touch, day = line.book.touch(), self._state[line.native].day
        of_day, deal = day.figures(self._floor.now_ns()), day.last()
        first = line.plain_price(of_day.open)
        return {
            "instType": "SPOT", "instId": line.native, "last": line.plain_price(of_day.last),
            "lastSz": line.plain_size(deal.size if deal else 0),
            "askPx": line.plain_price(touch.ask) if touch.ask_size else "",
            "askSz": line.plain_size(touch.ask_size) if touch.ask_size else "",
            "bidPx": line.plain_price(touch.bid) if touch.bid_size else "",
            "bidSz": line.plain_size(touch.bid_size) if touch.bid_size else "",
            "open24h": first, "high24h": line.plain_price(of_day.high),
            "low24h": line.plain_price(of_day.low), "sodUtc0": first, "sodUtc8": first,
            "volCcy24h": day.turnover(of_day), "vol24h": line.plain_size(of_day.volume),
            "ts": str(self._now_ms()),
        }


def checksum(line: Line) -> int:
    """Return the signed CRC32 of the top 25, bid and ask in turn, numbers as sent."""
    bids, asks = line.book.top(BID, CHECKSUM_DEPTH), line.book.top(ASK, CHECKSUM_DEPTH)
    parts = [
        f"{line.plain_price(level[0])}:{line.plain_size(level[1])}"
        for both in zip_longest(bids, asks) for level in both if level
    ]
    unsigned = zlib.crc32(":".join(parts).encode())
    return unsigned - (1 << 32) if unsigned >> 31 else unsigned


def orders(price: int, size: int) -> int:
    """Return a plausible count of orders at a level."""
    return 1 + price % 7 if size else 0


def levels(line: Line, of_side: Iterable[tuple[int, int]]) -> str:
    """Write levels of four texts each: price, size, a field out of use, count of orders."""
    prices, written = line.plain_prices, line.plain_size
    return ",".join([
        f'["{prices[price]}","{written(size)}","0","{orders(price, size)}"]'
        for price, size in of_side
    ])
