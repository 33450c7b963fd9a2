"""What stands on the screen: it fits, nothing important is left out, trouble comes first."""

from pathlib import Path

import pytest

from ops.attach import attach
from ops.screen.sample import Sample, Sampler, merged, pair_lines
from ops.screen.view import render
from shm.counters import (
    DetectorHistogram,
    ExecCounter,
    ExecHistogram,
    FeedCounter,
    FeedHistogram,
)
from shm.layout import (
    BookFault,
    BookState,
    EngineState,
    Fate,
    ProcessState,
    TradingState,
    Veto,
)
from tests.ops.world import SECOND_NS, World

PRICES = {"BTC/USDT": (6_338_870, 6_340_730), "ETH/USDT": (350_000_000_000, 350_100_000_000),
          "SOL/USDT": (18_000_000_000, 18_010_000_000)}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)


def fill(world: World) -> None:
    """Make every book live, okx 20 bps dearer, with signals and latencies."""
    for venue, table in world.config.venues.items():
        for local, symbol in enumerate(table.symbols):
            bid, ask = PRICES[symbol.partition(":")[0]]
            if venue == "okx":
                bid, ask = bid * 1002 // 1000, ask * 1002 // 1000
            world.publish(venue, local, [(bid, 100_000)], [(ask, 200_000)], age_ns=20_000_000)
        world.counters(f"feed:{venue}").count(FeedCounter.FRAMES, 1_000)
        world.counters(f"feed:{venue}").record(FeedHistogram.RECV_TO_PUBLISH, 8_000)
    world.counters("detector").record(DetectorHistogram.PUBLISH_TO_SEEN, 4_000)
    world.counters("detector").record(DetectorHistogram.SCAN, 900)
    world.counters("detector").record(DetectorHistogram.RECV_TO_SIGNAL, 30_000)
    for hop in (ExecHistogram.SIGNAL_TO_SEEN_RING, ExecHistogram.SIGNAL_TO_SEEN_WIRE,
                ExecHistogram.RECV_TO_DECISION):
        world.counters("exec").record(hop, 60_000)
    for number in range(1, 13):
        fate = (Fate.WOULD_SEND, Fate.REFUSED, None)[number % 3]
        world.signal(number, 0, 3, price=6_338_870, size=100_000, net_edge_ppm=250, fate=fate,
                     veto=Veto.FEED_RESTARTED if fate is Fate.REFUSED else Veto.NONE)
    world.counters("exec").count(ExecCounter.ACCEPTED, 4)
    world.counters("exec").count(ExecCounter.REFUSED, 4)


def processes(world: World) -> int:
    return world.control.engine["process_count"]


def sampled(world: World) -> Sample:
    return Sampler(attach("demo", clock=world.clock)).take()


def shown(sample: Sample, width: int = 80, height: int = 24, said: str = "") -> str:
    lines = render(sample, width, height, said)
    assert len(lines) <= height
    assert all(len(line.plain) <= width for line in lines)
    return "\n".join(line.plain for line in lines)


@pytest.mark.parametrize(("width", "height"), [
    (80, 24), (80, 25), (80, 40), (80, 100), (100, 30), (132, 43), (300, 90), (40, 10), (20, 3),
])
def test_it_fits_every_terminal_empty_and_full(world: World, width: int, height: int) -> None:
    shown(sampled(world), width, height)
    fill(world)
    shown(sampled(world), width, height)


def test_80_by_24_shows_every_venue_pair_and_latency_without_cutting_a_number(
    world: World
) -> None:
    fill(world)
    screen, whole = shown(sampled(world)), processes(world)
    for word in ("demo", "dry_run", "RUNNING", "trading ACTIVE", "venues are simulated",
                 f"processes {whole}/{whole},", "signals 12: 4 taken, 4 refused", "binance-usdm",
                 "coinbase",
                 "BTC/USDT", "SOL/USDT", "63515.47", "+17.", "frame → book", "8.00µs",
                 "#12", "would send", "undecided"):
        assert word in screen, word
    assert "feed restarted" in screen
    assert "…" not in screen


def test_a_high_screen_adds_processes_and_every_single_book(world: World) -> None:
    fill(world)
    screen = shown(sampled(world), 80, 70)
    assert "feed:binance-usdm" in screen
    assert "BTC/USDT:USDT" in screen
    assert "#1 " in screen
    assert "every book " in screen


def test_rows_left_out_are_counted_and_the_worst_are_kept(world: World) -> None:
    fill(world)
    world.lose("kraken", 2, BookState.GAPPED, BookFault.GAP)
    screen = shown(sampled(world), 80, 54)
    title, worst = screen[screen.index("every book "):].splitlines()[:2]
    assert int(title.split()[2].partition("/")[0]) < 12
    assert title.split()[2].endswith("/12")
    assert "GAPPED" in worst


def test_rates_are_taken_against_the_look_before(world: World) -> None:
    fill(world)
    sampler = Sampler(attach("demo", clock=world.clock))
    assert sampler.take().venues[0].messages_per_s is None
    world.counters("feed:binance").count(FeedCounter.FRAMES, 350)
    world.clock.advance(SECOND_NS // 2)
    sample = sampler.take()
    assert sample.venues[0].messages_per_s == 700
    assert sample.venues[1].messages_per_s == 0
    assert sample.venues[0].last_age_ns == SECOND_NS // 2 + 20_000_000


def test_the_edge_is_net_of_both_fees_and_only_of_live_books(world: World) -> None:
    fill(world)
    for index in range(len(world.table)):
        world.table[index]["taker_fee_ppm"] = 400
    (bitcoin, *_) = sampled(world).pairs
    assert (bitcoin.name, bitcoin.live, bitcoin.total) == ("BTC/USDT", 5, 5)
    assert bitcoin.bid is not None
    assert bitcoin.bid.venue == "okx"
    gross = 63_515.47 / 63_407.30
    assert bitcoin.edge_bps == pytest.approx((gross * (1 - 4e-4) / (1 + 4e-4) - 1) * 1e4)
    world.lose("okx", 0, BookState.STALE, BookFault.SILENCE)
    (bitcoin, *_) = sampled(world).pairs
    assert bitcoin.live == 4
    assert bitcoin.edge_bps < 0


def test_one_live_book_alone_has_no_edge(world: World) -> None:
    world.publish("okx", 1, [(10, 1)], [(11, 1)])
    engine = attach("demo", clock=world.clock)
    touches = [engine.touch(*pair) for pair in engine.pairs]
    pair = pair_lines(touches, engine.taker_fees_ppm)[1]
    assert pair.live == 1
    assert pair.edge_bps != pair.edge_bps
    assert "no edge" not in shown(sampled(world)).split("signals")[0]


@pytest.mark.parametrize(("field", "value", "words"), [
    ("kill", 1, "KILLED: nothing leaves execution"),
    ("state", EngineState.HALTED, "HALTED: a restart budget is spent"),
    ("paused", 1, "PAUSED: no signal is emitted"),
    ("trading_state", TradingState.EMERGENCY, "trading EMERGENCY"),
])
def test_what_stops_trading_is_said_above_all(
    world: World, field: str, value: int, words: str
) -> None:
    world.control.engine[field] = value
    assert words in shown(sampled(world)).split("venues  ")[0]


def test_a_message_takes_the_banners_place_for_a_while(world: World) -> None:
    assert "control ended with -9" in shown(sampled(world), said="control ended with -9")


def test_a_process_that_is_gone_is_named_in_the_summary(world: World) -> None:
    row = world.control.processes[world.process("feed:okx")]
    row["state"], row["restarts"] = ProcessState.GONE, 3
    screen = shown(sampled(world))
    whole = processes(world)
    assert f"processes {whole - 1}/{whole}, feed:okx GONE, 3 restarts" in screen
    row.set_text("verdict", "killed by SIGKILL")
    assert "killed by SIGKILL" in shown(sampled(world), 80, 60)


def test_a_start_is_explained_and_what_is_to_come_is_counted(world: World) -> None:
    world.control.engine["state"] = EngineState.STARTING
    for name in ("feed:okx", "exec"):
        world.control.processes[world.process(name)]["state"] = ProcessState.STARTING
    screen = shown(sampled(world))
    whole = processes(world)
    assert f"processes {whole - 2}/{whole}, 2 starting" in screen
    assert "the first start on a machine compiles" in screen


def test_a_run_whose_control_is_silent_is_the_past(world: World) -> None:
    world.clock.advance(5 * SECOND_NS)
    screen = shown(sampled(world))
    assert "NOT RUNNING" in screen
    assert "what stands below is the past" in screen


def test_real_venues_wear_no_banner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(tmp_path, monkeypatch, sim=False)
    screen = shown(sampled(world))
    assert "simulated" not in screen
    assert "venues are real" in screen


def test_a_venue_paused_by_an_operator_says_so(world: World) -> None:
    world.control.venues[1]["enabled"] = 0
    assert "PAUSED" in shown(sampled(world))


def test_merged_histograms_count_together_and_leave_the_parts_alone(world: World) -> None:
    for venue, ns in (("okx", 1_000), ("kraken", 9_000)):
        world.counters(f"feed:{venue}").record(FeedHistogram.RECV_TO_PUBLISH, ns)
    parts = [world.counters(f"feed:{venue}").histogram(FeedHistogram.RECV_TO_PUBLISH)
             for venue in ("okx", "kraken")]
    whole = merged(parts)
    assert (whole.count, whole.max_ns, whole.sum_ns) == (2, 9_000, 10_000)
    assert [part.count for part in parts] == [1, 1]
