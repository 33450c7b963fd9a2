"""How many orders a second one venue takes: a core and a gateway here, the simulator beside them.

    orders due on schedule ─▶ Core.place ─▶ gate, journal, Gateway ══WebSocket══▶ ops.sim (Binance)
              acknowledgements ◀─ on_report ◀──────────────────────────────────────┘

Immediate-or-cancel orders that meet nobody: each is planned, intended, sent, acknowledged, over and
its plan closed.  Offered is what the schedule asks for, whatever became of the orders before; an
acknowledgement is timed from the moment its order was due.  The venue's own limits are lifted:
nobody may send a real one so much.
"""

import argparse
import asyncio
import gc
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Final

import structlog
import uvloop

from bench.account import SIZE, SYMBOLS, Account, Market
from bench.harness import machine, parameter, report, tell
from bench.order_venues import SETTINGS, codec
from engine.config import Sim
from engine.model.clock import SystemClock
from engine.runtime import spawn
from engine.runtime.machine import quiet_collector
from engine.runtime.served import FILE
from exec.core import ports as p
from exec.gate.checks import Refusal
from exec.gateways import endpoints
from exec.gateways.gateway import Gateway
from exec.records import Tif
from ops.sim.limits import Window
from ops.sim.world import World

VENUE: Final = "binance"
SYMBOL: Final = "BTC/USDT"
TURN_S: Final = 0.001
DRAIN_S: Final = 2.0
PATIENCE_S: Final = 30.0
CLOCK_TICKS: Final = os.sysconf("SC_CLK_TCK")
RATE: Final = 2_000  # orders a second: what is promised


async def _serve(folder: Path) -> None:
    Window.take = lambda *_: True  # type: ignore[method-assign]
    world = World({VENUE: [*SYMBOLS]}, Sim(messages_per_s=20.0), SystemClock())
    quiet_collector()
    await world.open(folder)
    await world.serve()


class Rate:
    """One run."""

    def __init__(self, folder: Path) -> None:
        self.account = Account(Market(), folder, 1, busy=False)
        at = endpoints.simulated(folder, VENUE)
        assert at is not None
        self.gateway = Gateway(
            codec(VENUE), at, SETTINGS, flags=self.account.flags, clock=SystemClock(),
            random=Random(1), log=structlog.wrap_logger(  # noqa: S311
                logging.getLogger("bench"),
                wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR)))
        self.account.start({VENUE: self.gateway})
        self.due: dict[str, int] = {}
        self.acknowledged_ns: list[int] = []
        self.refused: dict[str, int] = {}
        self.sent = self.lost = 0

    def hear(self, told: p.Report) -> None:
        """Note when an order was acknowledged, then let the core know."""
        if isinstance(told, p.Accepted):
            due_ns = self.due.pop(told.client_id, 0)
            if due_ns:
                self.acknowledged_ns.append(time.monotonic_ns() - due_ns)
        elif isinstance(told, p.Denied | p.Lost):
            self.lost += 1
        self.account.core.on_report(told)

    def place(self, due_ns: int) -> None:
        """Send one order."""
        core, price = self.account.core, SYMBOLS[SYMBOL] - 1_000
        number = core.place(VENUE, SYMBOL, 1, price, SIZE, tif=Tif.IOC)
        if isinstance(number, Refusal):
            self.refused[number.check] = self.refused.get(number.check, 0) + 1
            return
        self.sent += 1
        self.due[core.state.orders[number].intent.client_id] = due_ns

    async def offer(self, rate: int, seconds: float) -> float:
        """Send on schedule; return the seconds until the last answer came."""
        begun = time.monotonic_ns()
        count, placed = int(rate * seconds), 0
        while placed < count:
            now = time.monotonic_ns()
            while placed < count and begun + placed * 10**9 // rate <= now:
                self.place(begun + placed * 10**9 // rate)
                placed += 1
                if placed % 20 == 0:
                    await asyncio.sleep(0)
            await asyncio.sleep(TURN_S)
        until = time.monotonic() + DRAIN_S
        while self.due and time.monotonic() < until:
            await asyncio.sleep(TURN_S)
        return (time.monotonic_ns() - begun) / 1e9


def _used_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS


async def _measure(folder: Path, simulator: int, rate: int, seconds: float) -> None:
    run = Rate(folder)
    running = asyncio.create_task(run.gateway.run(run.hear))
    async with asyncio.timeout(PATIENCE_S):
        while run.account.core.unready[VENUE] or not run.account.state.counts:
            await asyncio.sleep(0.05)
    gc.collect()
    gc.freeze()
    used = _used_s(simulator), _used_s(os.getpid())
    took = await run.offer(rate, seconds)
    shares = [(_used_s(pid) - before) / took
              for pid, before in zip((simulator, os.getpid()), used, strict=True)]
    count = len(run.acknowledged_ns)
    tell(f"orders at {rate:,} a second", target=f"{RATE:,} orders/s" if rate == RATE else "",
         met=count / took >= 0.98 * rate * seconds / took and count >= 0.999 * run.sent,
         offered=int(rate * seconds), sent=run.sent, acknowledged=count, lost=run.lost,
         acknowledged_per_s=f"{count / took:,.0f}", refused=run.refused,
         core_of_simulator=f"{shares[0]:.0%}", core_of_execution=f"{shares[1]:.0%}",
         halted=run.account.state.trading_why or "no")
    report(f"due > acknowledged at {rate:,} a second", run.acknowledged_ns)
    await run.gateway.close()
    await running
    run.account.journal.close()


def main(argv: Sequence[str] | None = None) -> int:
    """Offer several rates, each to a venue that begins anew."""
    parser = argparse.ArgumentParser(prog="python -m bench.order_rate", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--serve", type=Path, metavar="FOLDER", help="be the simulator")
    parser.add_argument("--rates", type=int, nargs="+",
                        default=[parameter("rate", 50, RATE)], help="orders a second")
    parser.add_argument("--seconds", type=float, default=parameter("seconds", 1, 20))
    wanted = parser.parse_args(argv)
    if wanted.serve:
        uvloop.run(_serve(wanted.serve))
        return 0
    print(machine())
    quiet_collector()
    for rate in wanted.rates:
        with tempfile.TemporaryDirectory(prefix="trypto-bench-") as name:
            folder = Path(name)
            process = subprocess.Popen(  # noqa: S603  (our own interpreter and module)
                spawn.command("bench.order_rate", "--serve", name),
                env=os.environ | {"PYTHONPATH": spawn.ROOT}, stdin=subprocess.DEVNULL)
            try:
                until = time.monotonic() + PATIENCE_S
                while endpoints.simulated(folder, VENUE) is None:
                    if process.poll() is not None or time.monotonic() > until:
                        raise SystemExit(f"no {folder / FILE} came")
                    time.sleep(0.05)
                uvloop.run(_measure(folder, process.pid, rate, wanted.seconds))
            finally:
                process.terminate()
                process.wait(PATIENCE_S)
    return 0


if __name__ == "__main__":
    sys.exit(main())
