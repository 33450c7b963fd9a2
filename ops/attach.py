"""Live order books of a running engine in Python: ``attach()`` and look.

    from ops.attach import attach
    with attach() as engine:                       # or attach("name")
        book = engine.book("binance", "BTC/USDT")  # a consistent copy: never torn
        print(book.bids.price[:5], book.asks.size_quanta[:5], book.age_ns)
        engine.records("binance")["status"]        # zero-copy, read-only: may be torn

Reads shared memory and nothing else, so it works while any process hangs and disturbs none.
"""

from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.config import Config
from engine.market import touch as top
from engine.market.trust import distrust
from engine.model.clock import Clock, SystemClock
from engine.model.errors import LayoutMismatch, SegmentInvalid, UnknownInstrument
from engine.runtime.process import read_config
from ops.client import NoEngine, engine_of
from ops.portfolio import Portfolio, doubt, portfolio_of
from ops.records import Book, Process, Scale, Side, Signal, Touch, prints_of, signal_of
from ops.trading import TradingWord, trading_word
from shm.board import ControlView, InstrumentTable
from shm.book import BookSegment
from shm.counters import CounterBlock, Histogram, registry_of
from shm.layout import (
    FATE,
    SIGNAL,
    TRADE,
    BookState,
    EngineState,
    ProcessState,
    TradingState,
    Veto,
)
from shm.portfolio import PortfolioSegment
from shm.ring import RecordRing
from shm.segment import RunFolder, Segment
from shm.span import Span

NEWEST_MAX: Final = 100_000  # prints or signals asked for at once
_LOOKS_MAX: Final = 4  # at a portfolio that changes while it is copied


class _Feed:
    """One venue's segments, and where its books stand."""

    def __init__(self, run: RunFolder, control: ControlView, index: int) -> None:
        row = control.venues[index]
        self.name, self.process = row.text("name"), row["process"]
        self.first, self.count = row["first_instrument"], row["instrument_count"]
        segment = Segment.attach(run, f"books.{self.name}")
        self.books = BookSegment(segment.words, segment.depth, self.count)
        self.records = self.books.records
        self.prints = RecordRing(Segment.attach(run, f"trades.{self.name}").words, TRADE)
        self.scratch = top.Scratch(segment.depth)


class Engine:
    """A running engine, seen through its shared memory; ``attach`` makes one."""

    def __init__(self, run: RunFolder, clock: Clock) -> None:
        """Map everything, read-only.

        Raises NoEngine, LayoutMismatch or SegmentInvalid when there is nothing whole to map.
        """
        self.run, self.clock = run, clock
        try:
            self.config: Config = read_config(run.path)
        except (FileNotFoundError, NotADirectoryError):
            raise NoEngine(f"{run.path} holds no engine: it is starting, or was killed") from None
        except msgspec.DecodeError as error:
            raise LayoutMismatch(f"{run.path} is of another version: {error}") from None
        self._control_segment = Segment.attach(run, "control")
        self.control = ControlView(self._control_segment.words)
        counters = Segment.attach(run, "counters").words
        row = self.control.engine
        self._blocks = {
            self.control.processes[at].text("name"): CounterBlock(counters, at)
            for at in range(row["process_count"])
        }
        table = Segment.attach(run, "instruments").words
        self._table = InstrumentTable(table, row["instrument_count"])
        self._feeds = {
            venue: _Feed(run, self.control, index) for index, venue in enumerate(self.config.venues)
        }
        self._signals = RecordRing(Segment.attach(run, "signals").words, SIGNAL)
        self._fates = RecordRing(Segment.attach(run, "fates").words, FATE)
        self._portfolio = PortfolioSegment(Segment.attach(run, "portfolio").words)
        books = [feed.books.words for feed in self._feeds.values()]
        self._span = Span([self.control.words, table, *books])
        self._control_at = self._span.base(self.control.words)
        self._table_at = self._span.base(table)
        self._at = {
            (row["venue_name"].decode(), row["name"].decode()): index
            for index, row in enumerate(self._table.records)
        }
        self._touch = np.zeros(top.TOUCH_WORDS, np.int64)

    def __enter__(self) -> Self:
        """Return the engine; leaving the ``with`` closes it."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()

    def __repr__(self) -> str:
        """Return name, state and venues."""
        if not self.__dict__:
            return "<Engine: closed>"
        return f"<Engine {self.name}: {self.state.name}, {', '.join(self.venues)}>"

    def close(self) -> None:
        """Let go of all mappings; what was handed out stays valid, the engine itself does not."""
        self.__dict__.clear()

    # ------------------------------------------------------------ the engine as a whole
    @property
    def name(self) -> str:
        """Return the engine's name."""
        return self.config.name

    @property
    def run_id(self) -> int:
        """Return the id of the run: another one means that the engine was started again."""
        return self._control_segment.run

    @property
    def state(self) -> EngineState:
        """Return the engine's state."""
        return EngineState(self.control.engine["state"])

    @property
    def trading_state(self) -> TradingState:
        """Return what execution may do, by the stricter of control's word and its own."""
        return self.trading.state

    @property
    def trading(self) -> TradingWord:
        """Return the same with who set it and why."""
        return trading_word(self.run, self.control, self.portfolio())

    @property
    def simulated(self) -> bool:
        """Return whether local servers stand in for the venues."""
        return self.config.sim is not None

    @property
    def uptime_ns(self) -> int:
        """Return how long ago the engine started."""
        return self.clock.mono_ns() - self.control.engine["started_mono_ns"]

    @property
    def running(self) -> bool:
        """Return whether this run still is the one in the folder and its control shows life."""
        try:
            current = Segment.attach(self.run, "control").run
        except SegmentInvalid:
            return False
        age_ns = self.clock.mono_ns() - self.control.processes[0]["heartbeat_mono_ns"]
        return current == self.run_id and age_ns < self._silence_max_ns

    @property
    def venues(self) -> list[str]:
        """Return the venues in config order."""
        return list(self._feeds)

    @property
    def instruments(self) -> NDArray[np.void]:
        """Return the table of instruments: zero-copy, read-only; row i is instrument i."""
        return self._table.records

    @property
    def taker_fees_ppm(self) -> list[int]:
        """Return the taker fee of every instrument, by its index."""
        return [int(fee) for fee in self._table.records["taker_fee_ppm"]]

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Return venue and symbol of every instrument, by its index."""
        return list(self._at)

    # ------------------------------------------------------------ books
    def records(self, venue: str) -> NDArray[np.void]:
        """Return a venue's books as ``shm.layout.book_dtype``: zero-copy, read-only.

        Every single number is whole, but a slot may change while you look: ``book`` copies
        consistently.
        """
        return self._feed(venue).records

    def book(self, venue: str, symbol: str) -> Book:
        """Return a consistent copy of a book; raise UnknownInstrument for one not configured."""
        index, feed = self._find(venue, symbol)
        local = index - feed.first
        status = feed.records[local]["status"]
        version, slot = feed.books.read(local)
        veto = self._distrust(index, feed) if version else Veto.UNREADABLE
        bids, asks = (int(slot["bid_count"]), int(slot["ask_count"])) if version else (0, 0)
        scale, recv_mono_ns = self._scale(index), int(slot["recv_mono_ns"])
        waited_ns = int(slot["publish_mono_ns"]) - recv_mono_ns
        return Book(
            venue=venue, symbol=symbol, version=version, veto=veto,
            state=BookState(int(status["state"])),
            bids=Side(slot["bid_price"][:bids].copy(), slot["bid_size"][:bids].copy(), scale),
            asks=Side(slot["ask_price"][:asks].copy(), slot["ask_size"][:asks].copy(), scale),
            update_id=int(slot["update_id"]), venue_unix_ns=int(slot["venue_unix_ns"]),
            recv_unix_ns=int(slot["recv_unix_ns"]),
            publish_unix_ns=int(slot["recv_unix_ns"]) + waited_ns,
            age_ns=self.clock.mono_ns() - recv_mono_ns if version else 0,
        )

    def touch(self, venue: str, symbol: str) -> Touch:
        """Return best bid and offer as the detector sees them: book or quote, what is newer."""
        return self._see(venue, symbol, top.Source.BOTH)

    def quote(self, venue: str, symbol: str) -> Touch:
        """Return the last word of the venue's quote stream alone."""
        return self._see(venue, symbol, top.Source.QUOTE)

    def _see(self, venue: str, symbol: str, source: top.Source) -> Touch:
        index, feed = self._find(venue, symbol)
        out, books = self._touch, feed.books
        local = index - feed.first
        found = top.read_touch(books.words, books.base(local), books.depth, int(source),
                                 feed.scratch.slot, feed.scratch.quote, out)
        veto = self._distrust(index, feed) or Veto(found)
        if found == Veto.UNREADABLE:
            out[:] = 0
        scale = self._scale(index)
        bid, ask = int(out[top.BID_SIZE]) > 0, int(out[top.ASK_SIZE]) > 0
        nan = float("nan")
        return Touch(
            venue=venue, symbol=symbol, veto=veto,
            state=BookState(int(feed.records[local]["status"]["state"])),
            bid=scale.price(int(out[top.BID])) if bid else nan,
            bid_size=scale.size(int(out[top.BID_SIZE])),
            ask=scale.price(int(out[top.ASK])) if ask else nan,
            ask_size=scale.size(int(out[top.ASK_SIZE])),
            by_quote=bool(out[top.BY_QUOTE]), update_id=int(out[top.UPDATE]),
            recv_mono_ns=int(out[top.RECV_NS]), publish_mono_ns=int(out[top.PUBLISH_NS]),
            age_ns=self.clock.mono_ns() - int(out[top.RECV_NS]) if out[top.RECV_NS] else 0,
        )

    # ------------------------------------------------------------ rings
    def trades(self, count: int = 100, venue: str | None = None) -> NDArray[np.void]:
        """Return the newest prints of one venue or all, oldest first, as ``ops.records.PRINT``."""
        feeds = self._feeds.values() if venue is None else [self._feed(venue)]
        found = np.concatenate([_newest(feed.prints, count) for feed in feeds])
        found = found[np.argsort(found["recv_mono_ns"], kind="stable")][-count:]
        return prints_of(found, self._table.records)

    @property
    def signal_count(self) -> int:
        """Return how many signals this run has emitted."""
        return self._signals.head

    def signals(self, count: int = 100) -> list[Signal]:
        """Return the newest signals, oldest first, each with what execution did about it."""
        fates = {int(fate["sequence"]): fate for fate in _newest(self._fates, 2 * count)}
        return [
            signal_of(record, fates.get(int(record["sequence"])), self._table.records)
            for record in _newest(self._signals, count)
        ]

    # ------------------------------------------------------------ orders, balances, positions
    def portfolio(self) -> Portfolio | None:
        """Return execution's newest word on itself, None before its first; no older than it says.

        While a writer laps us again and again the look is repeated: it publishes rarely.
        """
        for _ in range(_LOOKS_MAX):
            version, found = self._portfolio.read()
            if version:
                return portfolio_of(version, found, self.clock.mono_ns())
        return None

    def doubt(self, portfolio: Portfolio | None) -> str:
        """Return why a portfolio may not be how things are now; "" if nothing is against it."""
        executor = next(each for each in self.processes if each.name == "exec")
        return doubt(portfolio, executor, self._silence_max_ns)

    # ------------------------------------------------------------ processes and counters
    @property
    def processes(self) -> list[Process]:
        """Return the process table; control comes first."""
        now = self.clock.mono_ns()
        rows = [self.control.processes[at] for at in range(self.control.engine["process_count"])]
        return [
            Process(
                name=row.text("name"), pid=row["pid"], state=ProcessState(row["state"]),
                epoch=row["epoch"], restarts=row["restarts"], exit_code=row["exit_code"],
                verdict=row.text("verdict"),
                beaten=row["heartbeat_mono_ns"] > 0,
                heartbeat_age_ns=now - row["heartbeat_mono_ns"],
                progress=row["progress"], rss_bytes=row["rss_bytes"], core=row["cpu"],
            )
            for row in rows
        ]

    @property
    def counters(self) -> dict[str, dict[str, int]]:
        """Return every counter by process and name; ``shm.counters`` says what each means."""
        return {
            name: {reading.metric.name.lower(): reading.value for reading in block.readings(name)}
            for name, block in self._blocks.items()
        }

    @property
    def histograms(self) -> dict[str, dict[str, Histogram]]:
        """Return a copy of every latency histogram by process and name."""
        return {
            name: {each.name.lower(): block.histogram(each) for each in registry_of(name)[1]}
            for name, block in self._blocks.items()
        }

    def block(self, process: str) -> CounterBlock:
        """Return the counters of one process, for who looks at few of them often."""
        return self._blocks[process]

    # ------------------------------------------------------------ inside
    @property
    def _silence_max_ns(self) -> int:
        return int(self.config.supervision.silence_max_ms * 1e6)

    def _distrust(self, index: int, feed: _Feed) -> Veto:
        base = self._span.base(feed.books.words) + feed.books.base(index - feed.first)
        process = self._control_at + self.control.processes.base(feed.process)
        row = self._table_at + self._table.base(index)
        now = self.clock.mono_ns()
        return Veto(distrust(self._span.words, base, process, row, now, self._silence_max_ns))

    def _scale(self, index: int) -> Scale:
        row = self._table[index]
        return Scale(row["price_decimals"], row["size_decimals"])

    def _feed(self, venue: str) -> _Feed:
        if venue not in self._feeds:
            raise UnknownInstrument(f"{self.name} has no venue {venue!r}{_known(self.venues)}")
        return self._feeds[venue]

    def _find(self, venue: str, symbol: str) -> tuple[int, _Feed]:
        feed = self._feed(venue)
        index = self._at.get((venue, symbol))
        if index is None:
            listed = [name for at, name in self._at if at == venue]
            raise UnknownInstrument(f"{self.name} has no {symbol!r} at {venue}{_known(listed)}")
        return index, feed


def attach(name: str | None = None, *, clock: Clock | None = None) -> Engine:
    """Return the running engine ``name``, or the only one; raise NoEngine, with those that run."""
    return Engine(engine_of(name), clock or SystemClock())


def _newest(ring: RecordRing, count: int) -> NDArray[np.void]:
    """Return copies of the newest ``count`` records, oldest first; fewer where there are fewer."""
    if not 0 < count <= NEWEST_MAX:
        raise ValueError(f"count {count} is not within 1 and {NEWEST_MAX}")
    room = min(count, ring.capacity - 1)
    _, _, records = ring.read(max(ring.head - room, 0), room)
    return records


def _known(names: Sequence[str]) -> str:
    return f"; there are {', '.join(names)}" if names else ""
