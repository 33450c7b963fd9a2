"""``stop``: stop an engine and wait until nothing of it is left."""

import argparse
import sys
import time

from engine.control.protocol import Done, Stop
from engine.model.clock import SystemClock
from ops import client

GONE_S = 5.0
LOOK_S = 0.02


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    client.add_name(parser)
    client.add_example(parser, "stop")


def run(options: argparse.Namespace) -> int:
    """Ask for the stop; return 0 when processes, folder and lock are gone, else 1."""
    engine, clock = client.engine_of(options.name), SystemClock()
    since_ns = clock.mono_ns()
    reply = client.ask(engine, Stop(), timeout_s=GONE_S)
    while isinstance(reply, Done) and clock.mono_ns() - since_ns < GONE_S * 1e9:
        if not engine.path.exists() and not engine.lock_path.exists():
            print(f"{engine.path.name}: stopped in {(clock.mono_ns() - since_ns) / 1e9:.2f} s")
            return 0
        time.sleep(LOOK_S)
    print(f"{engine.path.name}: not stopped after {GONE_S:g} s: {reply}", file=sys.stderr)
    return 1
