"""The process table of a run, from its config.  Workers are names here, never imports."""

from dataclasses import dataclass
from typing import Final

from engine.config import Config

CONTROL: Final = "control"
TEMPLATE: Final = "template"  # what the others are forked from
FEED: Final = "feed:"  # followed by the venue's name
LEDGER: Final = "ledger"
TIRELESS: Final = 10_000  # restarts: more than fit into a window, so that it never halts trading

ENTRIES: Final[dict[str, str]] = {
    TEMPLATE: "engine.runtime.template:main",
    "sim": "ops.sim.process:main",
    "feed": "feeds.process:main",
    "detector": "engine.detect.process:main",
    "exec": "exec.process:main",
    "guard": "exec.guard.process:main",
    "ledger": "exec.ledger.process:main",
}


@dataclass(frozen=True, slots=True)
class Role:
    """One row of the process table: what to start, and when to stop believing in it."""

    name: str  # "feed:kraken"
    entry: str  # "feeds.process:main"
    silence_max_ns: int  # a heartbeat that stood still for longer means hung, and hung means dead
    start_max_ns: int  # the same before READY: importing and compiling do not beat
    restarts_max: int  # within restart_window_ns; beyond it we stop guessing and wake a person
    restart_window_ns: int
    backoff_min_ns: int  # before the first restart; doubles with each further one
    backoff_max_ns: int


def roles(config: Config) -> list[Role]:
    """Return the children of control in starting order."""
    names = [TEMPLATE] + (["sim"] if config.sim is not None else [])
    names += [FEED + venue for venue in config.venues]
    names += ["detector", "exec", *(["guard"] if config.mode == "live" else []), LEDGER]
    limits = config.supervision
    return [
        Role(
            name=name, entry=ENTRIES[name.partition(":")[0]],
            silence_max_ns=int(limits.silence_max_ms * 1e6),
            start_max_ns=int(limits.start_max_s * 1e9),
            restarts_max=TIRELESS if name == LEDGER else limits.restarts_max,
            restart_window_ns=int(limits.restart_window_s * 1e9),
            backoff_min_ns=int(limits.backoff_min_ms * 1e6),
            backoff_max_ns=int(limits.backoff_max_ms * 1e6),
        )
        for name in names
    ]
