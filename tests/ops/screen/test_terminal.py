"""The screen on a terminal, and the lines without one, from a missing engine to its end."""

import argparse
import io
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from ops.client import NoEngine
from ops.screen.display import open_display
from ops.screen.look import Look
from ops.screen.plain import PlainLines
from ops.screen.terminal import Screen
from ops.top import run as top
from shm.layout import BookFault, BookState
from tests.ops.world import SECOND_NS, World

PATIENCE_S = 20.0  # a cold machine compiles kernels first


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)


def wait_for(ready: Callable[[], object]) -> None:
    """Return once ``ready`` is true; the finder's thread needs a moment of its own."""
    end_s = time.monotonic() + PATIENCE_S
    while not ready():
        assert time.monotonic() < end_s, "never"
        time.sleep(0.005)


def terminal() -> tuple[Console, io.StringIO]:
    written = io.StringIO()
    return Console(file=written, force_terminal=True, width=80, height=24), written


def test_the_screen_is_drawn_on_the_alternate_buffer_and_given_back(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.publish("okx", 0, [(6_338_870, 1)], [(6_340_730, 1)])
    console, written = terminal()
    screen = Screen(world.run, world.clock, console=console)
    screen.say("removing what a dead engine left")

    def drawn() -> bool:
        screen.refresh()
        return "63388.70" in written.getvalue()

    wait_for(drawn)
    assert "\x1b[?1049h" in written.getvalue()
    assert "removing what a dead engine left" in written.getvalue()
    screen.close()
    assert written.getvalue().count("\x1b[?1049l") == 1
    assert "removing what a dead engine left" in capsys.readouterr().err


def test_before_the_engine_is_there_the_screen_says_that_it_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path, monkeypatch)
    world.run.remove()
    console, written = terminal()
    screen = Screen(world.run, world.clock, console=console)
    screen.refresh()
    assert "starting" in written.getvalue()
    world.start(run_id=2)

    def drawn() -> bool:
        screen.refresh()
        return "venues are simulated" in written.getvalue()

    wait_for(drawn)
    screen.close()


def test_a_look_finds_the_engine_again_after_it_was_started_anew(world: World) -> None:
    look = Look(world.run, world.clock)
    wait_for(look.sample)
    world.run.remove()
    wait_for(lambda: look.sample() is None)
    assert look.trouble in {"the engine has left", "starting"}
    world.start(run_id=2)
    world.control.engine["paused"] = 1

    def found_again() -> bool:
        sample = look.sample()
        return sample is not None and sample.paused

    wait_for(found_again)
    look.close()


def test_another_layout_is_trouble_that_is_told(world: World) -> None:
    world.made["control"].header[0]["layout_hash"] += 1
    look = Look(world.run, world.clock)
    wait_for(lambda: "layout" in look.trouble)
    assert look.sample() is None
    look.close()


def test_plain_lines_come_at_a_change_and_every_ten_seconds(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.publish("okx", 0, [(1, 1)], [(2, 1)])
    lines = PlainLines(world.run, world.clock)
    said: list[str] = []

    def tick(seconds: int = 1) -> str:
        world.clock.advance(seconds * SECOND_NS)
        world.beat()
        lines.refresh()
        return capsys.readouterr().out

    def told() -> str:
        said.append(tick())
        return said[-1]

    wait_for(told)
    whole = world.control.engine["process_count"]
    assert f"demo: running, trading active, {whole} of {whole} processes ready" in said[-1]
    assert "okx 1/3" in said[-1]
    assert "venues are simulated" in said[-1]
    assert tick() == ""
    world.lose("okx", 0, BookState.GAPPED, BookFault.GAP)
    assert "okx 0/3" in tick()
    assert tick() == ""
    assert "okx 0/3" in tick(10)
    lines.close()


def test_without_a_terminal_lines_are_shown(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    display = open_display(world.run, world.clock)
    assert isinstance(display, PlainLines)
    display.say("control hangs; killing it")
    assert capsys.readouterr().err == "control hangs; killing it\n"
    display.close()


def test_top_of_an_engine_that_is_not_there_is_refused(world: World) -> None:
    with pytest.raises(NoEngine, match="running: demo"):
        top(_options("prod"))


def test_top_ends_with_1_when_the_engine_leaves_and_0_at_ctrl_c(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ops.top.time.sleep", interrupt)
    assert top(_options("demo")) == 0
    monkeypatch.setattr("ops.top.time.sleep", lambda _seconds: world.run.remove())
    assert top(_options("demo")) == 1
    assert "the engine demo has left" in capsys.readouterr().err


def _options(name: str) -> argparse.Namespace:
    return argparse.Namespace(name=name, plain=True)
