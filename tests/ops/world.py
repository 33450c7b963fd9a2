"""A made-up engine in a temporary folder: real segments, filled by hand, no process."""

from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import pytest

from engine.config import Config, parse
from engine.control import segments
from engine.model.clock import ManualClock
from engine.runtime.process import CONFIG_FILE
from shm.board import ControlView, InstrumentTable
from shm.book import BookSegment, publish_begin, publish_end, publish_quote, set_state
from shm.counters import CounterBlock
from shm.layout import (
    FATE,
    SIGNAL,
    TRADE,
    BookFault,
    BookState,
    EngineState,
    Fate,
    InstrumentStatus,
    ProcessState,
    Veto,
    slot_dtype,
    words_in,
)
from shm.ring import RecordRing
from shm.segment import RunFolder, Segment

CONFIG: Final = """
name = "demo"
[venues.binance]
symbols = ["BTC/USDT", "ETH/USDT", "SOL/USDT"]
[venues.okx]
symbols = ["BTC/USDT", "ETH/USDT", "SOL/USDT"]
[venues.kraken]
symbols = ["BTC/USDT", "ETH/USDT", "SOL/USDT"]
[venues.coinbase]
symbols = ["BTC/USDT"]
[venues.binance-usdm]
symbols = ["BTC/USDT:USDT", "ETH/USDT:USDT"]
[books]
depth = 5
[pairs."BTC/USDT"]
price-decimals = 2
size-decimals = 5
[detector]
edge-min-ppm = 100
edge-max-ppm = 1000000
notional-max.USDT = 1000.0
notional-min.USDT = 10.0
book-age-ms-max = 500.0
[execution]
edge-min-ppm = 50
[sim]
"""
START_NS: Final = 1_000_000_000_000
SECOND_NS: Final = 1_000_000_000


class World:
    """The engine's segments, writable, and the clock that everybody reads."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch, *, sim: bool = True) -> None:
        monkeypatch.setenv("TRYPTO_SHM", str(root))
        text = CONFIG if sim else CONFIG.replace("[sim]", "")
        self.config: Config = parse(text, source="test", folder=root)
        self.clock = ManualClock(mono_ns=START_NS, unix_ns=1_785_641_751_000_000_000)
        self.run = RunFolder.of("demo")
        self.start(run_id=1)

    def start(self, run_id: int) -> None:
        """Create the folder and all segments, as control does; every process is ready."""
        self.run.create()
        self.run.file(CONFIG_FILE).write_bytes(msgspec.json.encode(self.config))
        self.made: dict[str, Segment] = segments.create(
            self.run, self.config, run_id=run_id, clock=self.clock)
        self.control = ControlView(self.made["control"].words)
        self.table = InstrumentTable(self.made["instruments"].words,
                                     self.control.engine["instrument_count"])
        self.control.engine["state"] = EngineState.RUNNING
        for index in range(self.control.engine["process_count"]):
            row = self.control.processes[index]
            row["pid"], row["state"], row["own_epoch"] = 4_000_000 + index, ProcessState.READY, 1
            row["rss_bytes"], row["cpu"] = 150 << 20, -1
        for index in range(len(self.table)):
            self.table[index]["status"] = InstrumentStatus.TRADING
        self.beat()

    def beat(self) -> None:
        """Let every process show life now."""
        for index in range(self.control.engine["process_count"]):
            self.control.processes[index]["heartbeat_mono_ns"] = self.clock.mono_ns()

    def process(self, name: str) -> int:
        """Return the row of a process."""
        return self.control.processes.index_of(name)

    def counters(self, name: str) -> CounterBlock:
        """Return the block of a process."""
        return CounterBlock(self.made["counters"].words, self.process(name))

    def books(self, venue: str) -> BookSegment:
        """Return the books of a venue."""
        segment = self.made[f"books.{venue}"]
        return BookSegment(segment.words, segment.depth, len(self.config.venues[venue].symbols))

    def publish(self, venue: str, local: int, bids: list[tuple[int, int]],
                asks: list[tuple[int, int]], *, age_ns: int = 0, update_id: int = 7) -> None:
        """Publish a book in quanta, best first, and make it LIVE."""
        books, now = self.books(venue), self.clock.mono_ns()
        base = books.base(local)
        at = publish_begin(books.words, base, books.depth)
        width = words_in(slot_dtype(books.depth))
        slot = books.words[at : at + width].view(slot_dtype(books.depth))[0]
        for side, levels in (("bid", bids), ("ask", asks)):
            slot[f"{side}_count"] = len(levels)
            for level, (price, size) in enumerate(levels):
                slot[f"{side}_price"][level], slot[f"{side}_size"][level] = price, size
        slot["venue_unix_ns"] = self.clock.unix_ns() - age_ns - 1_000_000
        slot["recv_unix_ns"] = self.clock.unix_ns() - age_ns
        slot["recv_mono_ns"], slot["publish_mono_ns"] = now - age_ns, now - age_ns + 5_000
        slot["update_id"] = update_id
        publish_end(books.words, base, at)
        record = books.records[local]["status"]
        record["epoch"], record["updates"] = 1, record["updates"] + 1
        record["last_recv_mono_ns"] = now - age_ns
        set_state(books.words, base, BookState.LIVE, BookFault.NONE, now)

    def quote(self, venue: str, local: int, bid: int, ask: int) -> None:
        """Publish a quote with both sizes 1."""
        books, now = self.books(venue), self.clock.mono_ns()
        publish_quote(books.words, books.base(local), books.depth, 0, self.clock.unix_ns(), now,
                      0, bid, 1, ask, 1, now + 10_000)

    def lose(self, venue: str, local: int, state: BookState, fault: BookFault) -> None:
        """Take a book out of LIVE."""
        books = self.books(venue)
        set_state(books.words, books.base(local), state, fault, self.clock.mono_ns())

    def trade(self, venue: str, instrument: int, price: int, size: int, side: int) -> None:
        """Push one print."""
        record = np.zeros(1, TRADE)
        record["price"], record["size"], record["side"] = price, size, side
        record["instrument"], record["recv_mono_ns"] = instrument, self.clock.mono_ns()
        RecordRing(self.made[f"trades.{venue}"].words, TRADE).push(record.view(np.int64))

    def signal(self, sequence: int, buy: int, sell: int, *, price: int, size: int,
               net_edge_ppm: int, fate: Fate | None = None, veto: Veto = Veto.NONE) -> None:
        """Push one signal, and its fate where there is one."""
        record = np.zeros(1, SIGNAL)
        record["sequence"], record["leg_count"], record["net_edge_ppm"] = sequence, 2, net_edge_ppm
        record["gross_edge_ppm"] = net_edge_ppm + 150
        record["profit_micro"], record["notional_micro"] = 1_234_567, 500_000_000
        record["signal_mono_ns"] = self.clock.mono_ns()
        record["signal_unix_ns"] = self.clock.unix_ns()
        record["recv_mono_ns"] = self.clock.mono_ns() - 42_000
        for leg, (instrument, side) in enumerate(((buy, 1), (sell, -1))):
            at = record["legs"][0][leg]
            at["instrument"], at["side"], at["size"] = instrument, side, size
            at["limit_price"] = at["average_price"] = price + side * 10
        RecordRing(self.made["signals"].words, SIGNAL).push(record.view(np.int64))
        if fate is not None:
            told = np.zeros(1, FATE)
            told["sequence"], told["fate"], told["veto"] = sequence, fate, veto
            RecordRing(self.made["fates"].words, FATE).push(told.view(np.int64))
