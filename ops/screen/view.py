"""One sample as lines of text: what stands on the screen, where, and in which colour.

Sections share the height: first every section gets a little, then those that explain most.
A section that had to leave rows out says so in its title.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from rich.text import Text

from ops.records import Process, Signal, Touch
from ops.screen import text
from ops.screen.sample import Hop, PairLine, Sample, VenueLine
from ops.screen.text import Cell, Column
from shm.layout import EngineState, Fate, ProcessState, TradingState, Veto

GOOD, BAD, CARE, QUIET = "green", "bold red", "yellow", "dim"
SIGNALS_FIRST: Final = 5  # signals shown before other sections show everything
TOUCHES_LEAST: Final = 3  # fewer single books than these are not worth a title
_BEAT_LATE_NS: Final = 1_000_000_000

_ENGINE: Final = {
    EngineState.STARTING: CARE, EngineState.RUNNING: GOOD, EngineState.STOPPING: CARE,
    EngineState.HALTED: BAD,
}
_TRADING: Final = {
    TradingState.ACTIVE: GOOD, TradingState.CAUTIOUS: CARE, TradingState.RESTRICTED: CARE,
    TradingState.HALTED: BAD, TradingState.EMERGENCY: BAD,
}
_PROCESS: Final = {ProcessState.READY: GOOD, ProcessState.STARTING: CARE}
_TO_COME: Final = (ProcessState.ABSENT, ProcessState.STARTING)

VENUES: Final = (
    Column("venues", 17, grows=True), Column("state", 9), Column("msg/s", 6, right=True),
    Column("live", 7, right=True), Column("gaps", 5, right=True),
    Column("resyncs", 7, right=True), Column("last msg", 8, right=True),
    Column("to book p99", 11, right=True),
)
PAIRS: Final = (
    Column("books", 10, grows=True), Column("bid", 10, right=True), Column("at", 12, grows=True),
    Column("ask", 10, right=True), Column("at", 12, grows=True),
    Column("net bps", 8, right=True), Column("live", 5, right=True), Column("age", 6, right=True),
)
TOUCHES: Final = (
    Column("every book", 16, grows=True), Column("venue", 13, grows=True), Column("state", 9),
    Column("bid", 10, right=True), Column("ask", 10, right=True),
    Column("spread bps", 10, right=True), Column("age", 6, right=True),
)
SIGNALS: Final = (
    Column("signals", 13), Column("age", 6, right=True), Column("pair", 8, grows=True),
    Column("buy at", 8, grows=True), Column("sell at", 8, grows=True),
    Column("net bps", 7, right=True), Column("profit", 8, right=True),
    Column("fate", 15, grows=True),
)
HOPS: Final = (
    Column("latency", 22, grows=True), Column("count", 7, right=True),
    Column("p50", 8, right=True), Column("p99", 8, right=True), Column("p99.9", 8, right=True),
    Column("max", 8, right=True),
)
PROCESSES: Final = (
    Column("processes", 18, grows=True), Column("state", 9), Column("beat", 6, right=True),
    Column("restarts", 8, right=True), Column("memory", 8, right=True),
    Column("cpu %", 6, right=True), Column("last death", 17, grows=True),
)


@dataclass(slots=True)
class Section:
    """A table that may be shown in part; ``empty`` is said where there are no rows."""

    columns: Sequence[Column]
    rows: list[list[Cell]]
    empty: str
    shown: int = 0

    def lines(self, width: int) -> list[Text]:
        """Return title, rows, and how many rows are missing."""
        first, *others = self.columns
        if self.shown < len(self.rows):
            first = replace(first, title=f"{first.title} {self.shown}/{len(self.rows)}")
        made = text.lines((first, *others), self.rows[: self.shown], width)
        if not self.rows:
            made.append(Text(f"  {self.empty}"[:width], QUIET, no_wrap=True))
        return made


def render(sample: Sample, width: int, height: int, said: str = "") -> list[Text]:
    """Return at most ``height`` lines of at most ``width`` characters; ``said`` is a message."""
    top = [_headline(sample), _notice(sample, said), _summary(sample)]
    venues = Section(VENUES, [_venue(line) for line in sample.venues], "no venue")
    pairs = Section(PAIRS, [_pair(line) for line in sample.pairs], "no book")
    signals = Section(
        SIGNALS, [_signal(signal, sample.mono_ns) for signal in sample.signals],
        f"none yet: no edge of {sample.edge_min_bps:g} bps net of fees has been seen"
        if sample.state is not EngineState.STARTING
        else "starting: the first start on a machine compiles, which takes a minute or two")
    hops = Section(HOPS, [_hop(hop) for hop in sample.hops if hop.count], "nothing measured yet")
    worst = sorted(sample.touches, key=lambda touch: touch.veto is Veto.NONE)
    touches = Section(TOUCHES, [_touch(touch) for touch in worst], "no book")
    processes = Section(PROCESSES, _processes(sample), "none")
    sections = [venues, pairs, signals, hops]
    left = height - len(top) - sum(1 if section.rows else 2 for section in sections)
    left = _share(left, [(venues, 99), (pairs, 99), (hops, 99), (signals, SIGNALS_FIRST)])
    if left >= 1 + len(processes.rows):
        left = _share(left - 1, [(processes, len(processes.rows))])
        sections.insert(0, processes)
    airy = left >= len(sections)
    left -= len(sections) * airy
    if left >= 1 + airy + min(TOUCHES_LEAST, len(touches.rows)):
        left = _share(left - 1 - airy, [(touches, len(touches.rows))])
        sections.insert(sections.index(signals), touches)
    _share(left, [(signals, len(signals.rows))])
    lines = top
    for section in sections:
        lines += [Text()] * airy + section.lines(width)
    for line in lines:
        line.truncate(width)
    return lines[:height]


def _share(left: int, wanted: Sequence[tuple[Section, int]]) -> int:
    """Give rows in turn, one each, until all have what they want; return what is left."""
    while left > 0:
        hungry = [each for each, most in wanted if each.shown < min(most, len(each.rows))]
        if not hungry:
            break
        for section in hungry[:left]:
            section.shown += 1
        left -= len(hungry[:left])
    return left


def _line(*parts: Cell) -> Text:
    return Text.assemble(*parts, no_wrap=True, overflow="crop")


def _headline(sample: Sample) -> Text:
    state: Cell = (sample.state.name, _ENGINE[sample.state])
    if not sample.running:
        state = ("NOT RUNNING", BAD)
    return _line(
        ("trypto-engine ", "bold"), (sample.name, "bold cyan"), "  ", sample.mode, "  ", state,
        "  trading ", (sample.trading_state.name, _TRADING[sample.trading_state]),
        "  up ", text.duration(sample.uptime_ns),
    )


def _notice(sample: Sample, said: str) -> Text:
    """Return the gravest thing to know, in one line."""
    if not sample.running:
        return _line(("control shows no life: what stands below is the past", BAD))
    if sample.killed:
        return _line(("KILLED: nothing leaves execution until: trypto-engine reset", BAD))
    if sample.state is EngineState.HALTED:
        return _line(("HALTED: a restart budget is spent; see: trypto-engine status", BAD))
    if said:
        return _line((said, CARE))
    if sample.paused:
        return _line(("PAUSED: no signal is emitted until: trypto-engine resume", CARE))
    if sample.simulated:
        banner = "venues are simulated: local servers, no exchange is contacted"
        return _line((banner, "black on yellow"))
    return _line(("venues are real", QUIET))


def _summary(sample: Sample) -> Text:
    total = len(sample.processes)
    ready = sum(each.state is ProcessState.READY for each in sample.processes)
    line = _line((f"processes {ready}/{total}", GOOD if ready == total else CARE))
    starting = sum(each.state in _TO_COME for each in sample.processes)
    if starting:
        line.append(f", {starting} starting", CARE)
    for process in sample.processes:
        if process.state not in _TO_COME and process.state is not ProcessState.READY:
            line.append(f", {process.name} {process.state.name}", BAD)
    restarts = sum(each.restarts for each in sample.processes)
    if restarts:
        line.append(f", {text.count(restarts)} restarts", CARE)
    line.append(f", {text.memory(sum(sample.memory_bytes.values()))}")
    if sample.cpu_percent:
        line.append(f", cpu {sum(sample.cpu_percent.values()):.0f}%")
    line.append(f"  signals {text.count(sample.signal_count)}: {text.count(sample.accepted)} taken,"
                f" {text.count(sample.refused)} refused")
    if sample.lost:
        line.append(f", {text.count(sample.lost)} lost", BAD)
    return line


def _venue(venue: VenueLine) -> list[Cell]:
    state: Cell = (venue.state.name, _PROCESS.get(venue.state, BAD))
    if venue.state is ProcessState.READY and not venue.enabled:
        state = ("PAUSED", CARE)
    return [
        venue.name, state, text.count(venue.messages_per_s),
        (f"{venue.live}/{venue.total}", GOOD if venue.live == venue.total else CARE),
        _alarm(venue.gaps), _alarm(venue.resyncs), text.duration(venue.last_age_ns),
        text.duration(venue.publish_p99_ns),
    ]


def _alarm(number: int) -> Cell:
    return (text.count(number), CARE if number else QUIET)


def _pair(pair: PairLine) -> list[Cell]:
    bid = (text.price(pair.bid.bid), pair.bid.venue) if pair.bid else ("-", "-")
    ask = (text.price(pair.ask.ask), pair.ask.venue) if pair.ask else ("-", "-")
    return [
        pair.name, *bid, *ask, (text.bps(pair.edge_bps), GOOD if pair.edge_bps > 0 else QUIET),
        (f"{pair.live}/{pair.total}", GOOD if pair.live == pair.total else CARE),
        text.duration(pair.age_ns),
    ]


def _touch(touch: Touch) -> list[Cell]:
    state: Cell = (touch.state.name, GOOD if touch.veto is Veto.NONE else BAD)
    if touch.veto not in {Veto.NONE, Veto.NOT_LIVE, Veto.UNREADABLE}:
        state = (touch.veto.name, BAD)
    return [
        touch.symbol, touch.venue, state, text.price(touch.bid), text.price(touch.ask),
        text.bps(touch.spread_bps).removeprefix("+"),
        text.duration(touch.age_ns if touch.recv_mono_ns else None),
    ]


def _signal(signal: Signal, mono_ns: int) -> list[Cell]:
    buy = next((leg for leg in signal.legs if leg.side > 0), None)
    sell = next((leg for leg in signal.legs if leg.side < 0), None)
    if signal.fate is Fate.WOULD_SEND:
        fate: Cell = ("would send", GOOD)
    elif signal.fate is Fate.REFUSED:
        fate = (signal.veto.name.lower().replace("_", " "), CARE)
    else:
        fate = ("undecided", QUIET)
    return [
        f"#{signal.sequence}", text.duration(mono_ns - signal.signal_mono_ns),
        signal.legs[0].symbol.partition(":")[0] if signal.legs else "-",
        buy.venue if buy else "-", sell.venue if sell else "-", text.bps(signal.net_edge_bps),
        text.money(signal.profit), fate,
    ]


def _hop(hop: Hop) -> list[Cell]:
    times = (hop.p50_ns, hop.p99_ns, hop.p999_ns, hop.max_ns)
    return [hop.label, text.count(hop.count), *(text.duration(each) for each in times)]


def _processes(sample: Sample) -> list[list[Cell]]:
    return [
        _process(each, sample.cpu_percent.get(each.name), sample.memory_bytes.get(each.name))
        for each in sample.processes
    ]


def _process(process: Process, cpu_percent: float | None, memory: int | None) -> list[Cell]:
    age_ns = process.heartbeat_age_ns
    late = process.beaten and age_ns > _BEAT_LATE_NS
    return [
        process.name, (process.state.name, _PROCESS.get(process.state, BAD)),
        (text.duration(age_ns) if process.beaten else "-", BAD if late else ""),
        _alarm(process.restarts),
        "-" if memory is None else text.memory(memory),
        "-" if cpu_percent is None else f"{cpu_percent:.0f}",
        (process.verdict or "-", CARE if process.verdict else QUIET),
    ]
