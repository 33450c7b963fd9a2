"""The engine as plain lines, where there is no terminal for a screen: log files and pipes."""

import sys
from typing import Final

from engine.model.clock import Clock
from ops.screen import text
from ops.screen.look import Look
from ops.screen.sample import Sample
from shm.layout import ProcessState
from shm.segment import RunFolder

LOOK_EVERY_NS: Final = 1_000_000_000
SAY_EVERY_NS: Final = 10_000_000_000


class PlainLines:
    """Say one line when the state changes, and every 10 s while it does not."""

    def __init__(self, run: RunFolder, clock: Clock) -> None:
        """Start looking at the engine in ``run``."""
        self._look, self._clock = Look(run, clock), clock
        self._looked_ns, self._told_ns = 0, 0
        self._told = ""

    def refresh(self) -> None:
        """Look once a second and say what is new."""
        now = self._clock.mono_ns()
        if now - self._looked_ns < LOOK_EVERY_NS:
            return
        self._looked_ns = now
        sample = self._look.sample()
        if sample is None:
            return
        state = state_of(sample)
        if state != self._told or now - self._told_ns >= SAY_EVERY_NS:
            self._told, self._told_ns = state, now
            print(f"{state}; {figures_of(sample)}", flush=True)

    def say(self, message: str) -> None:
        """Say a message of the launcher."""
        print(message, file=sys.stderr, flush=True)

    def close(self) -> None:
        """Stop looking; the lines stay where they are."""
        self._look.close()


def state_of(sample: Sample) -> str:
    """Return what deserves a line when it changes."""
    ready = sum(each.state is ProcessState.READY for each in sample.processes)
    state = sample.state.name.lower() if sample.running else "not running"
    words = [
        f"{sample.name}: {state}", f"trading {sample.trading.state.name.lower()}",
        f"{ready} of {len(sample.processes)} processes ready",
        "books live " + " ".join(f"{each.name} {each.live}/{each.total}" for each in sample.venues),
    ]
    if sample.portfolio is not None:
        waiting = sorted(sample.portfolio.unready)
        words += [f"no orders to {' '.join(waiting)}"] if waiting else []
        words += [sample.doubt.partition(";")[0]] if sample.doubt else []
    words += ["killed"] if sample.killed else []
    words += ["paused"] if sample.paused else []
    words += ["venues are simulated"] if sample.simulated else []
    return ", ".join(words)


def figures_of(sample: Sample) -> str:
    """Return the numbers that change all the time."""
    rates = [each.messages_per_s for each in sample.venues if each.messages_per_s is not None]
    book = sample.hops[0]
    return ", ".join((
        f"up {text.duration(sample.uptime_ns)}",
        f"{text.count(sum(rates) if rates else None)} msg/s",
        f"{book.label} p99 {text.duration(book.p99_ns if book.count else None)}",
        f"{sample.signal_count} signals: {sample.accepted} taken, {sample.refused} refused,"
        f" {sample.lost} lost",
        *_books_of(sample),
    ))


def _books_of(sample: Sample) -> list[str]:
    """Return orders and profit, where execution told of them."""
    portfolio = sample.portfolio
    if portfolio is None:
        return []
    return [
        f"{portfolio.order_count} orders: {portfolio.live_count} live,"
        f" {portfolio.unknown_count} in doubt",
        f"{portfolio.fill_count} fills", f"P&L today {portfolio.profit_day:+.2f}",
        f"total {portfolio.profit:+.2f}", f"unhedged {portfolio.unhedged:.2f}"]
