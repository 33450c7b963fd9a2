"""The detector and execution as processes: killed, stopped, held back, and never acting twice.

    test, as feeds ───────────────books──▶ detector ══ ring and FIFO, ZeroMQ ══▶ exec ──▶ fates
    test, as control ──flags, epochs, kills──▲──────────────────────────────────▲

Every wait is for something to become true; what must not happen is looked for after that.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from shm.layout import BookState, Fate, InstrumentStatus, TradingState, Veto
from tests.engine.detect.stage import PATIENCE_S, Stage, mono_ns, staged, until

MS = 1_000_000
FEEDING = "tests.engine.detect.feeding:main"
Spoil = Callable[[Stage], None]


def signal_once(stage: Stage) -> int:
    """Make one signal; return its number."""
    stage.calm()
    number = len(stage.signals()) + 1
    stage.cross()
    stage.made(number)
    return number


def came(stage: Stage, *lanes: str) -> int:
    """Return how many copies of signals execution took, over these lanes."""
    return sum(stage.count("exec", f"{what}_{lane}")
               for what in ("signals", "duplicates") for lane in lanes)


def until_both_lanes(stage: Stage) -> int:
    """Make signals until one comes over the wire: a subscriber joins late; return how many."""
    before = came(stage, "wire")

    def heard() -> bool:
        stage.decided(signal_once(stage))
        return came(stage, "wire") > before
    until("the wire", heard)
    return len(stage.signals())


def test_every_signal_comes_over_both_lanes_and_is_acted_on_once() -> None:
    with staged() as stage:
        stage.start("detector")
        stage.start("exec")
        first = until_both_lanes(stage)
        ring, wire = came(stage, "ring"), came(stage, "wire")
        for _ in range(20):
            signal_once(stage)
        until("both copies of all", lambda: came(stage, "ring", "wire") >= ring + wire + 40)
        assert (came(stage, "ring"), came(stage, "wire")) == (ring + 20, wire + 20)
        fates = stage.fates()
        assert fates["sequence"].tolist() == [*range(1, first + 21)]
        sent = fates["sequence"][fates["fate"] == Fate.WOULD_SEND].tolist()
        assert sent
        assert (stage.count("exec", "accepted"), stage.count("exec", "refused")) == (
            len(sent), len(fates) - len(sent))
        assert stage.count("exec", "malformed") == stage.count("exec", "lost") == 0
        assert (stage.leave("exec"), stage.leave("detector")) == (0, 0)
        told = [line["sequence"] for line in stage.lines("exec") if line["event"] == "would send"]
        assert told == sent


def test_a_killed_detector_goes_on_with_the_numbers_and_execution_with_both_lanes() -> None:
    with staged() as stage:
        stage.start("detector")
        stage.start("exec")
        made = until_both_lanes(stage)
        stage.kill("detector")
        stage.book(1, [(10_030, 70)], [(10_100, 70)])  # nobody looks
        stage.start("detector")
        stage.decided(made + 1)  # the cross that it found standing
        made = until_both_lanes(stage)
        assert stage.signals()["sequence"].tolist() == [*range(1, made + 1)]
        assert stage.fates()["sequence"].tolist() == [*range(1, made + 1)]


def test_a_killed_execution_leaves_what_was_made_before_its_return_alone() -> None:
    with staged() as stage:
        stage.start("detector")
        stage.start("exec")
        acted = until_both_lanes(stage)
        stage.kill("exec")
        missed = [signal_once(stage) for _ in range(3)]
        stage.start("exec")
        number = signal_once(stage)
        assert stage.decided(acted + 1).sequence == number
        assert not set(missed) & set(stage.fates()["sequence"].tolist())


def test_a_signal_that_waited_too_long_is_refused_as_expired() -> None:
    with staged(expiry_ms=50.0) as stage:
        stage.start("detector")
        stage.start("exec")
        stage.stop("exec")
        signal_once(stage)
        until("its expiry", lambda: mono_ns() > stage.signals()[0]["expiry_mono_ns"])
        stage.go_on("exec")
        fate = stage.decided(1)
        assert (fate.fate, fate.veto, fate.limit) == (Fate.REFUSED, Veto.EXPIRED, 50 * MS)
        assert fate.number > 50 * MS


def engine(field: str, value: int) -> Spoil:
    return lambda stage: stage.control.engine.__setitem__(field, value)


def venue(value: int) -> Spoil:
    return lambda stage: stage.control.venues[1].__setitem__("enabled", value)


def strategy(value: int) -> Spoil:
    return lambda stage: stage.control.strategies[0].__setitem__("enabled", value)


def row(field: str, value: int) -> Spoil:
    return lambda stage: stage.rows[0].__setitem__(field, value)


def epoch(value: int) -> Spoil:
    return lambda stage: stage.row("feed:a").__setitem__("epoch", value)


def state(value: BookState) -> Spoil:
    return lambda stage: stage.state(1, value)


OBEYED: list[tuple[Veto, Spoil, Spoil]] = [
    (Veto.KILLED, engine("kill", 1), engine("kill", 0)),
    (Veto.HALTED, engine("trading_state", TradingState.HALTED),
     engine("trading_state", TradingState.ACTIVE)),
    (Veto.PAUSED, engine("paused", 1), engine("paused", 0)),
    (Veto.STRATEGY_PAUSED, strategy(0), strategy(1)),
    (Veto.VENUE_PAUSED, venue(0), venue(1)),
    (Veto.SYMBOL_PAUSED, row("enabled", 0), row("enabled", 1)),
    (Veto.NOT_TRADING, row("status", InstrumentStatus.HALTED),
     row("status", InstrumentStatus.TRADING)),
    (Veto.FEED_RESTARTED, epoch(2), epoch(1)),
    (Veto.NOT_LIVE, state(BookState.GAPPED), state(BookState.LIVE)),
]


def test_no_signal_is_made_against_a_flag_an_epoch_or_a_state_and_one_is_made_after() -> None:
    with staged() as stage:
        stage.start("detector")
        for made, (veto, spoil, mend) in enumerate(OBEYED):
            counter = f"veto_{veto.name.lower()}"
            held = stage.count("detector", counter)
            spoil(stage)
            stage.cross()
            until(veto.name, partial(_more, stage, counter, held))
            assert len(stage.signals()) == made, veto.name
            mend(stage)
            stage.made(made + 1)
            stage.calm()


def _more(stage: Stage, counter: str, than: int) -> bool:
    return stage.count("detector", counter) > than


def test_execution_obeys_what_changed_while_a_signal_was_on_its_way() -> None:
    with staged(expiry_ms=PATIENCE_S * 1000) as stage:
        stage.start("detector")
        stage.start("exec")
        for number, (veto, spoil, mend) in enumerate(OBEYED, 1):
            stage.stop("exec")
            assert signal_once(stage) == number
            spoil(stage)
            stage.go_on("exec")
            fate = stage.decided(number)
            assert (fate.fate, fate.veto) == (Fate.REFUSED, veto)
            stage.book(1, [(9_990, 70)], [(10_010, 70)])  # before it is mended: no signal of it
            mend(stage)


LIMITS: list[tuple[Veto, dict[str, Any], int]] = [
    (Veto.BOOK_OLD, {"book_age_ms_max": 400.0}, 400 * MS),
    (Veto.FEED_SILENT, {"silence_ms": 500.0}, 500 * MS),
]


@pytest.mark.parametrize(("veto", "settings", "limit_ns"), LIMITS)
def test_a_stopped_feed_s_book_makes_no_signal_beyond_the_limit(
    veto: Veto, settings: dict[str, Any], limit_ns: int
) -> None:
    """Either limit alone suffices; the other is far away."""
    with staged(repeat_ms=10.0, **settings) as stage:
        stage.start("detector")
        stage.start("feed:a", FEEDING)
        stage.start("feed:b", FEEDING)
        until("signals", lambda: len(stage.signals()) > 10)
        stopped_ns = stage.stop("feed:a")
        until(veto.name, lambda: stage.count("detector", f"veto_{veto.name.lower()}"))
        until("four limits", lambda: mono_ns() > stopped_ns + 4 * limit_ns)
        made = len(stage.signals())
        assert (stage.signals()["seen_mono_ns"] <= stopped_ns + limit_ns).all()
        stage.go_on("feed:a")
        until("signals again", lambda: len(stage.signals()) > made)


def test_a_connection_half_open_under_a_living_feed_makes_no_signal_beyond_the_limit() -> None:
    with staged(repeat_ms=10.0, book_age_ms_max=300.0) as stage:
        stage.start("detector")
        received_ns = stage.book(0, [(9_990, 50)], [(10_000, 50)])
        until("the other book goes on alone", lambda: (
            stage.book(1, [(10_020, 70)], [(10_100, 70)])
            and stage.count("detector", "veto_book_old")))
        signals = stage.signals()
        assert len(signals) > 0
        assert (signals["seen_mono_ns"] <= received_ns + 300 * MS).all()
        made = len(signals)
        for _ in range(20):
            stage.book(1, [(10_020, 70)], [(10_100, 70)])
        assert len(stage.signals()) == made
