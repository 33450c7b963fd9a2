"""What shows an engine while it runs: the screen on a terminal, lines elsewhere."""

import sys
from typing import Protocol

from engine.model.clock import Clock
from ops.screen.plain import PlainLines
from ops.screen.terminal import Draw, Screen
from ops.screen.view import render
from shm.segment import RunFolder


class Display(Protocol):
    """Shows one engine until it is closed."""

    def refresh(self) -> None:
        """Draw; called a few times a second, never waits."""

    def say(self, message: str) -> None:
        """Tell the person something now."""

    def close(self) -> None:
        """Give the terminal back."""


def open_display(
    run: RunFolder, clock: Clock, *, plain: bool = False, draw: Draw = render
) -> Display:
    """Return what shows the engine in ``run``: lines when asked for or without a terminal."""
    if plain or not sys.stdout.isatty():
        return PlainLines(run, clock)
    return Screen(run, clock, draw=draw)
