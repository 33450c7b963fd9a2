"""The terminal screen: four looks a second at shared memory, drawn in place.

    start, top ── refresh(), say(text) ──▶ Screen ──▶ Look ──▶ Sample ──▶ render() ──▶ terminal

It asks no process anything, so it works while any of them hangs.
"""

import sys
from collections import deque
from collections.abc import Callable
from typing import Final

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from engine.model.clock import Clock
from ops.screen.look import Look
from ops.screen.sample import Sample
from ops.screen.section import BAD, CARE
from ops.screen.view import render
from shm.segment import RunFolder

Draw = Callable[[Sample, int, int, str], list[Text]]  # within a width and height, with a message

SAID_NS: Final = 10_000_000_000  # how long a message stands on the screen
SAID_MAX: Final = 20  # messages repeated on the terminal at the end


class Screen:
    """Owns the terminal from its making to ``close``; ``refresh`` never waits."""

    def __init__(
        self, run: RunFolder, clock: Clock, *, draw: Draw = render, console: Console | None = None
    ) -> None:
        """Take the terminal and start looking at the engine in ``run``."""
        self._draw = draw
        self._name, self._clock = run.path.name, clock
        self._console = console or Console(highlight=False)
        self._look = Look(run, clock)
        self._said: deque[tuple[int, str]] = deque(maxlen=SAID_MAX)
        self._live = Live(console=self._console, screen=True, auto_refresh=False)
        self._live.start()

    def refresh(self) -> None:
        """Look and draw once."""
        sample, (width, height) = self._look.sample(), self._console.size
        said = self._latest()
        lines = self._draw(sample, width, height, said) if sample else self._waiting(said)
        for line in lines:
            line.truncate(width)
        self._live.update(Group(*lines), refresh=True)

    def say(self, message: str) -> None:
        """Show a message for ten seconds, and again on the terminal at the end."""
        self._said.append((self._clock.mono_ns(), message))

    def close(self) -> None:
        """Give the terminal back and repeat on it what was said meanwhile."""
        self._look.close()
        self._live.stop()
        for _, message in self._said:
            print(message, file=sys.stderr)

    def _waiting(self, said: str) -> list[Text]:
        head = Text.assemble(("trypto-engine ", "bold"), (self._name, "bold cyan"), "  ",
                             (self._look.trouble, CARE), no_wrap=True)
        return [head, Text(said, BAD, no_wrap=True)]

    def _latest(self) -> str:
        """Return what was said within the last ten seconds."""
        now = self._clock.mono_ns()
        recent = [message for at_ns, message in self._said if now - at_ns < SAID_NS]
        return recent[-1] if recent else ""
