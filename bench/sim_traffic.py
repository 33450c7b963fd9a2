"""The invented flow beside the recorded one: the same statistics of both, by the same code.

    python -m bench.sim_traffic [--venue NAME] [--markdown]

Per venue one recording of shared/captures and the invented market with as many symbols at the
same rate of book messages, written by the venue's own face.  Definitions are those of
captures/STATISTICS.md: a level's distance is from the best price of its side before the message,
negative inside the spread; gaps are between book messages of the whole connection.
``--markdown`` prints the table of ops/sim/market/TRAFFIC.md.
"""

import argparse
import gzip
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import orjson

from bench.live_windows import CAPTURES
from engine.model.clock import ManualClock
from ops.sim.book import ASK, BID, Book
from ops.sim.face import Topic
from ops.sim.faces import FACES
from ops.sim.faults import Faults
from ops.sim.floor import Clients, Floor
from ops.sim.listing import invented_line
from ops.sim.market import Market

FOLDER: Final = Path(CAPTURES[0]).parent
NS: Final = 1_000_000_000
TICKS: Final = 10**10  # a price's quanta here: fine enough for every recording
WARM_NS: Final = 20 * NS
MESSAGES: Final = 6_000  # of the invented market
SIDES: Final = {"buy": BID, "sell": ASK, "bid": BID, "offer": ASK}

Row = tuple[int, str, str]  # side, price, size


class Message(NamedTuple):
    """One frame that matters: levels of a book, or one print."""

    native: str
    rows: list[Row]
    is_fresh: bool = False  # a whole book
    usd: float = 0.0  # of a print: its value in quote units
    last_id: int = 0  # of a diff that a REST snapshot precedes


class Case(NamedTuple):
    """A venue's recording and what stands for it."""

    venue: str
    capture: str
    symbols: Sequence[str]
    messages_per_s: float  # for the invented market, so that as many book messages come out
    depth: int = 0  # subscribers see so many levels per side; 0: all


class Traffic(msgspec.Struct):
    """What a flow looks like.  Shares are percent of levels, sizes bytes, gaps milliseconds."""

    levels_mean: float
    levels_p50: float
    levels_p90: float
    levels_p99: float
    deletes: float
    unknown: float  # deletes of levels that were not there
    new: float
    resized: float
    inside: float
    at_touch: float
    below_1_bp: float
    below_10_bp: float
    below_100_bp: float
    beyond: float
    bp_p50: float
    bp_p90: float
    gap_p50: float
    gap_p90: float
    gap_p99: float
    gaps_below_1_ms: float  # percent
    size_p50: float
    size_p90: float
    prints: float  # per book message
    usd_p50: float  # of a print, 0 where too few were recorded
    usd_p90: float


BIG: Final = ["BTC", "ETH", "SOL", "XRP", "DOGE", "ADA", "LTC", "LINK", "AVAX", "DOT"]
CASES: Final = (
    Case("binance", "binance.spot.20240808", ["BTC/USDT", "ETH/USDT"], 20.0),
    Case("binance-us", "binanceus.spot.20210405", [f"{base}/USD" for base in BIG], 26.6),
    Case("binance-usdm", "binance.usdm.20240808", ["BTC/USDT:USDT", "ETH/USDT:USDT"], 38.2),
    Case("okx", "okx.mixed.20220227", [f"{base}/USDT" for base in BIG], 122.0),
    Case("kraken", "kraken.spot.20260802v2", ["BTC/USD", "XRP/USD"], 60.0, depth=25),
    Case("coinbase-exchange", "coinbase.spot.20210417", [f"{b}/USD" for b in BIG[:5]], 174.0),
)


# --- reading frames ------------------------------------------------------------------------------


def binance(text: bytes) -> Message | None:
    """Read a diff or a print, with or without envelope."""
    frame = orjson.loads(text)
    row = frame.get("data", frame)
    kind = row.get("e") if isinstance(row, dict) else None
    if kind == "depthUpdate":
        return Message(row["s"], [(side, price, size) for side, name in ((BID, "b"), (ASK, "a"))
                                  for price, size in row[name]], last_id=row["u"])
    if kind in ("trade", "aggTrade"):
        return Message(row["s"], [], usd=float(row["p"]) * float(row["q"]))
    return None


def okx(text: bytes) -> Message | None:
    """Read a book message or a print."""
    frame = orjson.loads(text)
    arg = frame.get("arg", {})
    if "data" not in frame:
        return None
    row = frame["data"][0]
    if arg["channel"].startswith("books"):
        rows = [(side, level[0], level[1]) for side, name in ((BID, "bids"), (ASK, "asks"))
                for level in row[name]]
        return Message(arg["instId"], rows, is_fresh=frame["action"] == "snapshot")
    if arg["channel"] == "trades":
        return Message(arg["instId"], [], usd=float(row["px"]) * float(row["sz"]))
    return None


def kraken(text: bytes) -> Message | None:
    """Read a book message or a print of v2."""
    frame = orjson.loads(text)
    if frame.get("channel") == "book":
        row = frame["data"][0]
        rows = [(side, str(level["price"]), str(level["qty"]))
                for side, name in ((BID, "bids"), (ASK, "asks")) for level in row[name]]
        return Message(row["symbol"], rows, is_fresh=frame["type"] == "snapshot")
    if frame.get("channel") == "trade":
        row = frame["data"][0]
        return Message(row["symbol"], [], usd=row["price"] * row["qty"])
    return None


def coinbase(text: bytes) -> Message | None:
    """Read a snapshot, an update or a match of the Exchange feed."""
    frame: dict[str, Any] = orjson.loads(text)
    if frame["type"] == "snapshot":
        rows = [(side, price, size) for side, name in ((BID, "bids"), (ASK, "asks"))
                for price, size in frame[name]]
        return Message(frame["product_id"], rows, is_fresh=True)
    if frame["type"] == "l2update":
        rows = [(SIDES[side], price, size) for side, price, size in frame["changes"]]
        return Message(frame["product_id"], rows)
    if frame["type"] == "match":
        return Message(frame["product_id"], [], usd=float(frame["price"]) * float(frame["size"]))
    return None


READERS: Final[dict[str, Callable[[bytes], Message | None]]] = {
    "binance": binance, "binance-us": binance, "binance-usdm": binance, "okx": okx,
    "kraken": kraken, "coinbase-exchange": coinbase,
}


# --- measuring -----------------------------------------------------------------------------------


class Meter:
    """Follows the books of one connection and counts."""

    def __init__(self, case: Case) -> None:
        self._read, self._depth = READERS[case.venue], case.depth
        self._books: dict[str, Book] = {}
        self._early: dict[str, list[Message]] = {}  # diffs before their snapshot
        self._levels: list[int] = []
        self._kinds = dict.fromkeys(("deletes", "unknown", "new", "resized"), 0)
        self._distances: list[float] = []
        self._at_ns: list[int] = []
        self._sizes: list[int] = []
        self._usd: list[float] = []

    def book(self, native: str, rows: Iterable[Row], last_id: int = 0) -> None:
        """Begin a book; what came before and is newer than ``last_id`` is applied, not counted."""
        book = self._books[native] = Book()
        early = [each for each in self._early.pop(native, []) if each.last_id > last_id]
        for side, price, size in [*rows, *(row for each in early for row in each.rows)]:
            book.set(side, _ticks(price), int(float(size) > 0))

    def see(self, at_ns: int, text: bytes) -> None:
        """Take one frame."""
        message = self._read(text)
        if message is None:
            return
        if not message.rows and message.usd:
            self._usd.append(message.usd)
        elif message.is_fresh:
            self.book(message.native, message.rows)
        elif (book := self._books.get(message.native)) is not None:
            self._at_ns.append(at_ns)
            self._sizes.append(len(text))
            self._levels.append(len(message.rows))
            self._change(book, message.rows)
        else:
            self._early.setdefault(message.native, []).append(message)

    def _change(self, book: Book, rows: Sequence[Row]) -> None:
        touch = book.touch()
        for side, price, size in rows:
            ticks, stays = _ticks(price), float(size) > 0
            best = touch.bid if side == BID else touch.ask
            if best:
                behind = best - ticks if side == BID else ticks - best
                self._distances.append(1e4 * behind / best)
            known = ticks in book.sizes[side]
            if stays:
                self._kinds["resized" if known else "new"] += 1
            else:
                self._kinds["deletes"] += 1
                self._kinds["unknown"] += not known
            book.set(side, ticks, int(stays))
        if self._depth:
            book.truncate(self._depth)

    def traffic(self) -> Traffic:
        """Return what it came to."""
        count = max(1, sum(self._levels))
        shares = {name: 100 * found / count for name, found in self._kinds.items()}
        distances = self._distances or [0.0]
        gaps = [(after - before) / 1e6
                for before, after in zip(self._at_ns, self._at_ns[1:], strict=False)]

        def within(low: float, high: float) -> float:
            return 100 * sum(low < each <= high for each in distances) / len(distances)

        many = len(self._usd) >= 20
        return Traffic(
            levels_mean=count / max(1, len(self._levels)), levels_p50=_share(self._levels, 0.5),
            levels_p90=_share(self._levels, 0.9), levels_p99=_share(self._levels, 0.99), **shares,
            inside=100 * sum(each < 0 for each in distances) / len(distances),
            at_touch=100 * sum(each == 0 for each in distances) / len(distances),
            below_1_bp=within(0, 1), below_10_bp=within(1, 10), below_100_bp=within(10, 100),
            beyond=within(100, float("inf")), bp_p50=_share(distances, 0.5),
            bp_p90=_share(distances, 0.9), gap_p50=_share(gaps, 0.5), gap_p90=_share(gaps, 0.9),
            gap_p99=_share(gaps, 0.99),
            gaps_below_1_ms=100 * sum(gap < 1 for gap in gaps) / max(1, len(gaps)),
            size_p50=_share(self._sizes, 0.5), size_p90=_share(self._sizes, 0.9),
            prints=len(self._usd) / max(1, len(self._levels)),
            usd_p50=_share(self._usd, 0.5) if many else 0.0,
            usd_p90=_share(self._usd, 0.9) if many else 0.0)


def _ticks(price: str) -> int:
    return round(float(price) * TICKS)


def _share(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return round(float(ordered[min(len(ordered) - 1, int(share * len(ordered)))]), 3)


# --- the two flows -------------------------------------------------------------------------------


def recorded(case: Case) -> Traffic:
    """Measure the recording; FileNotFoundError where it is not at hand."""
    meter = Meter(case)
    with gzip.open(FOLDER / f"{case.capture}.jsonl.gz", "rb") as lines:
        for line in lines:
            entry = orjson.loads(line)
            if entry["dir"] != "in":
                continue
            if entry["ch"] == "ws":
                meter.see(entry["t"], entry["m"].encode())
            elif "/depth?" in entry["url"]:
                native = entry["url"].partition("symbol=")[2].partition("&")[0]
                body = orjson.loads(entry["m"])
                meter.book(native, [(side, price, size) for side, name in (
                    (BID, "bids"), (ASK, "asks")) for price, size in body[name]],
                    body["lastUpdateId"])
    return meter.traffic()


class _Sink:
    """Where a face publishes: everything is wanted, at one depth."""

    def __init__(self, case: Case) -> None:
        self.frames: list[bytes] = []
        self._depth, self._is_wrapped = case.depth, case.venue.startswith("binance")

    def wanted(self, topic: Topic) -> bool:
        """Want books and prints, of one kind each."""
        return topic[0] in ("depth", "trade", "books", "trades", f"book:{self._depth}",
                            "level2_batch", "matches")

    def publish(self, topic: Topic, body: bytes) -> None:
        """Keep a frame, in the envelope that the recordings have."""
        if self._is_wrapped:
            stream = f"{topic[1].lower()}@{topic[0]}{'@100ms' if topic[0] == 'depth' else ''}"
            body = b'{"stream":"%s","data":%s}' % (stream.encode(), body)
        self.frames.append(body)


def invented(case: Case, *, seed: int = 1, messages: int = MESSAGES) -> Traffic:
    """Measure the invented market through the venue's face, once it has run for a while."""
    clock = ManualClock(mono_ns=NS)
    lines = [invented_line(case.venue, symbol) for symbol in case.symbols]
    market = Market(lines, seed=seed, messages_per_s=case.messages_per_s)
    for _ in market.advance(WARM_NS):
        pass
    sink, meter = _Sink(case), Meter(case)
    faults = Faults([], seed=seed, start_mono_ns=0)
    floor = Floor(case.venue, lines, clock, faults, Clients(seed, ["main"], {}))
    face = floor.face = FACES[case.venue](lines, sink, clock, floor)
    for line in lines:
        meter.book(line.native, _rows_of(line.book, case.depth, line.price_decimals))
    for at_ns, _ in _flow(market, floor, messages):
        for text in sink.frames:
            meter.see(at_ns, text)
        sink.frames.clear()
    for line in lines:
        face.flush(line)
    return meter.traffic()


def _rows_of(book: Book, depth: int, decimals: int) -> Iterator[Row]:
    for side in (BID, ASK):
        for price, _ in book.top(side, depth or len(book.sizes[side])):
            yield side, repr(price / 10**decimals), "1"


def _flow(market: Market, floor: Floor, messages: int) -> Iterator[tuple[int, int]]:
    """Let the market flow; yield the virtual time and the count of book messages after each."""
    sent, now_ns = 0, WARM_NS
    while sent < messages:
        now_ns = market.next_ns
        for line, update in market.advance(now_ns):
            floor.flow(line, update)
            sent += update.send
            yield now_ns, sent


def table(measured: Sequence[tuple[Case, Traffic, Traffic]]) -> str:
    """Return recorded and invented figures as one Markdown table."""
    heads = [head for case, _, _ in measured for head in (case.venue, "invented")]
    lines = ["| | " + " | ".join(heads) + " |", "|---|" + "--:|" * len(heads)]
    for name in Traffic.__struct_fields__:
        cells = [f"{getattr(each, name):.2f}" for _, *both in measured for each in both]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def read_table(text: str) -> dict[str, tuple[Traffic, Traffic]]:
    """Take the table in a page apart: venue -> recorded and invented."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")]
            for line in text[text.index("| | ") :].splitlines() if line.startswith("|")]
    heads, figures = rows[0], {row[0]: row[1:] for row in rows[2:]}

    def column(number: int) -> Traffic:
        return Traffic(**{name: float(figures[name][number])
                          for name in Traffic.__struct_fields__})

    return {heads[1 + at]: (column(at), column(at + 1)) for at in range(0, len(heads) - 1, 2)}


def main(argv: Sequence[str] | None = None) -> int:
    """Print both columns per venue."""
    parser = argparse.ArgumentParser(prog="python -m bench.sim_traffic", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--markdown", action="store_true", help="as one table")
    parser.add_argument("--venue", choices=[case.venue for case in CASES])
    wanted = parser.parse_args(argv)
    measured = [(case, recorded(case), invented(case)) for case in CASES
                if wanted.venue in (None, case.venue)]
    if wanted.markdown:
        print(table(measured))
        return 0
    for case, theirs, ours in measured:
        print(f"{case.venue} ({case.capture})")
        for name in Traffic.__struct_fields__:
            print(f"  {name:<16}{getattr(theirs, name):>12.2f}{getattr(ours, name):>12.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
