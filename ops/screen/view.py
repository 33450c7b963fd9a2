"""One sample as lines of text: what stands on the screen, where, and in which colour."""

from collections.abc import Sequence
from typing import Final

from rich.text import Text

from ops.records import Process, Signal, Touch
from ops.screen import holdings, text
from ops.screen.holdings import TRADING, money_lines
from ops.screen.sample import Hop, PairLine, Sample, VenueLine
from ops.screen.section import (
    ALL,
    APART,
    BAD,
    CARE,
    GOOD,
    QUIET,
    Section,
    beside,
    fill,
    line,
)
from ops.screen.text import Cell, Column
from shm.layout import EngineState, Fate, ProcessState, TradingState, Veto

BANNER: Final = "black on yellow"
TWO_PANES: Final = 164  # characters: two narrow screens side by side
SIGNALS_FIRST: Final = 5  # signals shown before other sections show everything
ORDER_PATH_MAX: Final = 12  # characters
_BEAT_LATE_NS: Final = 1_000_000_000

_ENGINE: Final = {
    EngineState.STARTING: CARE, EngineState.RUNNING: GOOD, EngineState.STOPPING: CARE,
    EngineState.HALTED: BAD,
}
_PROCESS: Final = {ProcessState.READY: GOOD, ProcessState.STARTING: CARE}
_TO_COME: Final = (ProcessState.ABSENT, ProcessState.STARTING)

VENUES: Final = (
    Column("venues", 17, grows=True), Column("state", 9), Column("msg/s", 6, right=True),
    Column("live", 7, right=True), Column("gaps", 5, right=True),
    Column("resyncs", 7, right=True), Column("last msg", 8, right=True),
    Column("to book p99", 11, right=True),
)
TRADED_VENUES: Final = (
    Column("venues", 13, grows=True), Column("state", 8), Column("msg/s", 6, right=True),
    Column("live", 5, right=True), Column("gaps", 5, right=True),
    Column("resyncs", 7, right=True), Column("last msg", 8, right=True),
    Column("book p99", 8, right=True), Column("orders", 12, grows=True),
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


def render(sample: Sample, width: int, height: int, said: str = "") -> list[Text]:
    """Return at most ``height`` lines of at most ``width`` characters; ``said`` is a message.

    A wide screen has two panes: the market at the left, what execution makes of it at the right.
    """
    top = [headline(sample), notice(sample, said), _summary(sample), *money_lines(sample)]
    market, traded, engine = _market(sample), _traded(sample), _engine(sample)
    room = height - len(top)
    if width >= TWO_PANES and sample.portfolio is not None:
        pane = (width - APART) // 2
        venues, pairs, touches = market
        left = fill([*market, *engine], [venues, pairs, *engine, touches], pane, room)
        lines = top + beside(left, fill(traded, traded, pane, room), pane)
    else:
        venues, pairs, touches = market
        hops, processes = engine
        *held, decided = traded
        lines = top + fill(
            [venues, pairs, *held, touches, decided, hops, processes],
            [venues, *held[:1], decided, pairs, hops, *held[1:], processes, touches], width, room)
    for each in lines:
        each.truncate(width)
    return lines[:height]


def _market(sample: Sample) -> list[Section]:
    """Return venues, the best prices of each pair, and every single book."""
    columns: Sequence[Column] = VENUES
    rows = [_venue(each) for each in sample.venues]
    if sample.portfolio is not None:
        unready = sample.portfolio.unready
        columns = TRADED_VENUES
        rows = [[*_venue(each), _order_path(unready.get(each.name, ""))]
                for each in sample.venues]
    worst = sorted(sample.touches, key=lambda touch: touch.veto is Veto.NONE)
    return [
        Section(columns, rows, "no venue", least=ALL),
        Section(PAIRS, [_pair(each) for each in sample.pairs], "no book", least=3),
        Section(TOUCHES, [_touch(touch) for touch in worst], "no book", least=3, first=0),
    ]


def signals(sample: Sample) -> Section:
    """Return the section of signals with their fates."""
    none = (f"none yet: no edge of {sample.edge_min_bps:g} bps net of fees has been seen"
            if sample.state is not EngineState.STARTING
            else "starting: the first start on a machine compiles, which takes a minute or two")
    return Section(SIGNALS, [_signal(each, sample.mono_ns) for each in sample.signals], none,
                   least=2, first=SIGNALS_FIRST)


def _traded(sample: Sample) -> list[Section]:
    """Return orders, balances and positions where there are any, and signals with their fates."""
    portfolio = sample.portfolio
    if portfolio is None:
        return [signals(sample)]
    held = [holdings.orders(portfolio, sample.unix_ns), holdings.venue_balances(portfolio)]
    if portfolio.positions:
        held.append(holdings.positions(portfolio))
    return [*held, signals(sample)]


def _engine(sample: Sample) -> list[Section]:
    """Return latencies and processes."""
    hops = [_hop(hop) for hop in sample.hops if hop.count]
    return [
        Section(HOPS, hops, "nothing measured yet", least=2),
        Section(PROCESSES, _processes(sample), "none", least=ALL),
    ]


def headline(sample: Sample) -> Text:
    """Return which engine it is and what it may do."""
    state: Cell = (sample.state.name, _ENGINE[sample.state])
    if not sample.running:
        state = ("NOT RUNNING", BAD)
    return line(
        ("trypto-engine ", "bold"), (sample.name, "bold cyan"), "  ", sample.mode, "  ", state,
        "  trading ", (sample.trading.state.name, TRADING[sample.trading.state]),
        "  up ", text.duration(sample.uptime_ns),
    )


def notice(sample: Sample, said: str) -> Text:
    """Return the gravest thing to know, in one line, behind what kind of venues these are."""
    grave = _gravest(sample, said)
    if not sample.simulated:
        return line(grave or ("venues are real", QUIET))
    if grave is None:
        return line(("venues are simulated: local servers, no exchange is contacted", BANNER))
    return line(("venues are simulated", BANNER), " ", grave)


def _gravest(sample: Sample, said: str) -> tuple[str, str] | None:
    trading = sample.trading
    reason = ": ".join(part for part in (trading.who, trading.why) if part)
    if not sample.running:
        return "control shows no life: what stands below is the past", BAD
    if sample.killed:
        return f"KILLED: nothing leaves execution until: trypto-engine reset ({trading.why})", BAD
    if sample.state is EngineState.HALTED:
        return f"HALTED: a restart budget is spent; see: trypto-engine status ({trading.why})", BAD
    if sample.doubt:
        return sample.doubt, BAD
    if said:
        return said, CARE
    if trading.state is not TradingState.ACTIVE:
        return f"trading {trading.state.name}, by {reason}", TRADING[trading.state]
    if sample.paused:
        return "PAUSED: no signal is emitted until: trypto-engine resume", CARE
    return None


def _summary(sample: Sample) -> Text:
    total = len(sample.processes)
    ready = sum(each.state is ProcessState.READY for each in sample.processes)
    made = line((f"processes {ready}/{total}", GOOD if ready == total else CARE))
    starting = sum(each.state in _TO_COME for each in sample.processes)
    if starting:
        made.append(f", {starting} starting", CARE)
    for process in sample.processes:
        if process.state not in _TO_COME and process.state is not ProcessState.READY:
            made.append(f", {process.name} {process.state.name}", BAD)
    restarts = sum(each.restarts for each in sample.processes)
    if restarts:
        made.append(f", {text.count(restarts)} restarts", CARE)
    made.append(f", {text.memory(sum(sample.memory_bytes.values()))}")
    if sample.cpu_percent:
        made.append(f", cpu {sum(sample.cpu_percent.values()):.0f}%")
    made.append(f"  signals {text.count(sample.signal_count)}: {text.count(sample.accepted)} taken,"
                f" {text.count(sample.refused)} refused")
    if sample.lost:
        made.append(f", {text.count(sample.lost)} lost", BAD)
    return made


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


def _order_path(unready: str) -> Cell:
    """Return whether orders may go to a venue, or the beginning of why not."""
    return (unready[:ORDER_PATH_MAX], CARE) if unready else ("ready", GOOD)


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
    if signal.fate is Fate.SENT:
        fate: Cell = ("sent", GOOD)
    elif signal.fate is Fate.WOULD_SEND:
        fate = ("would send", GOOD)
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
