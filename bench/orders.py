"""From a signal to its orders' bytes at a socket, and the gate, the journal and the kill beside it.

    signal ─▶ gate ─▶ plan ─▶ journal ─▶ signing ─▶ socket ══▶ a peer in another process

A busy account (``bench.account``): 10,000 plans passed, 50 open, 200 live orders, 40 balances;
real gateways, codecs and signers of five venues over loopback.  Every signal is two orders; both
fill before the next signal comes, so the account stays as busy as it was.  Coinbase takes orders
by REST alone: there "handed over" is to the HTTP client, and the peer's word counts.
"""

import argparse
import asyncio
import gc
import os
import signal as signals
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Final

import numpy as np
import uvloop

from bench import order_peer
from bench.account import PASSED, SETTINGS, VENUES, Account, Market
from bench.harness import Target, machine, parameter, report
from bench.order_hops import LOWEST, Hops, watch_all
from bench.order_venues import gateways
from engine.model.clock import SystemClock
from engine.runtime.machine import quiet_collector
from engine.runtime.served import CA_FILE
from exec import records as r
from exec.core import exposure
from exec.core.situations import Desk
from exec.gate.approval import Gate
from exec.gate.breakers import Circuit
from exec.gate.checks import Proposal, Purpose, Refusal
from exec.gate.throttle import Throttle
from exec.journal.durable import Durable
from exec.journal.reader import files_of
from exec.journal.writer import Journal
from exec.state import Order

PAIRS: Final = (("binance", "okx"), ("kraken", "okx"), ("binance-usdm", "kraken"),
                ("binance", "coinbase"))
WARM: Final = 200
REST_S: Final = 0.0002
GAP_S: Final = 0.002  # between two signals, so that caches are as cold as real ones find them
TIMER_S: Final = 0.01  # of the execution process: how often it looks at the kill word
PATIENCE_S: Final = 10.0
PLAIN_SHARE: Final = 20  # one turn in so many is done the plain way, too
FILE_SIZE: Final = 4 << 20  # of the journal's files, small so that many run full


def gate_alone(turns: int, passed: int) -> None:
    """Time the gathering of a situation, and the judgement of it, on a two-leg signal."""
    with tempfile.TemporaryDirectory(prefix="trypto-bench-") as folder:
        account = Account(Market(), Path(folder), passed)
        circuits = {name: Circuit(9, 1) for name in VENUES}
        throttles = {name: Throttle(10**6, 10**6, 200_000) for name in VENUES}
        desk = Desk(account.state, account.market.books, account.flags, SETTINGS, circuits,
                    throttles, dict.fromkeys(VENUES, ""))
        gate, clock = Gate(SETTINGS.limits, life=1), account.clock
        gathered, judged, read = list[int](), list[int](), list[int]()
        plainly = list[int]()
        for _ in range(turns):
            signal = account.signal()
            start = time.monotonic_ns()
            proposal = Proposal(
                Purpose.ENTER, "cross", tuple(
                    desk.propose(leg.venue, leg.symbol, leg.side, leg.price, leg.size)
                    for leg in signal.legs),
                (1, signal.sequence), signal.seen_ns, signal.expiry_ns, 800, 10_000)
            situation = desk.situation(proposal, clock.mono_ns(), clock.unix_ns())
            middle = time.monotonic_ns()
            verdict = gate.judge(proposal, situation)
            judged.append(time.monotonic_ns() - middle)
            gathered.append(middle - start)
            assert not isinstance(verdict, Refusal), verdict
            start = time.monotonic_ns()
            kept = _exposure(account)
            middle = time.monotonic_ns()
            read.append(middle - start)
            if len(plainly) < turns // PLAIN_SHARE:
                middle = time.monotonic_ns()
                found = _exposure_plainly(account)
                plainly.append(time.monotonic_ns() - middle)
                assert found == kept, (found, kept)
        report("gate: every check of two orders", judged, target=Target("p99", 20.0))
        report("gate: its situation gathered", gathered, live=len(account.state.live),
               open_plans=len(account.state.open_plans), passed=passed)
        report("gate: exposure, read from sums", read)
        report("gate: exposure, over all live orders", plainly, before="the way it was")
        account.journal.close()


def _exposure(account: Account) -> list[int]:
    """Return what two legs' checks ask of all live orders, as the state keeps it."""
    state, books, asked = account.state, account.market.books, list[int]()
    for venue in ("binance", "okx"):
        asked += (exposure.venue_gross(state, books, venue),
                  exposure.reserved(state, venue, "USDT", 0),
                  exposure.asset_nets(state, books, "BTC", ())[0],
                  state.outstanding.counts[venue])
    return [*asked, exposure.total_gross(state, books)]


def _exposure_plainly(account: Account) -> list[int]:
    """Return the same from the orders themselves, as it was once done for every signal."""
    state, books, asked = account.state, account.market.books, list[int]()

    def gross(orders: Sequence[Order]) -> int:
        return sum(exposure.in_reference(
            state, books, (each.intent.venue, each.intent.symbol), each.intent.price,
            each.remaining) for each in orders)

    for venue in ("binance", "okx"):
        orders = [each for each in state.live.values() if each.intent.venue == venue]
        reserved = up = down = 0
        for each in state.live.values():
            intent = each.intent
            place = (intent.venue, intent.symbol)
            if intent.venue == venue and exposure.pays(state, place, intent.side) == "USDT":
                reserved += exposure.needs(
                    state, place, intent.side, intent.price, each.remaining, 0)
            if exposure.asset_of(state, place) == "BTC":
                amount = state.amount(place, each.remaining)
                up, down = (up + amount, down) if intent.side > 0 else (up, down + amount)
        settled = exposure.moved_of(state, "BTC")
        net = max(abs(settled + up), abs(settled - down)) * books.rate("BTC") // exposure.UNIT
        asked += gross(orders), reserved, net, len(orders)
    return [*asked, gross([*state.live.values()])]


class Stand:
    """A whole account before a peer, and the times of what left it."""

    def __init__(self, folder: Path, at: order_peer.Addresses, ca_file: str, passed: int) -> None:
        self.stamps: list[int] = []
        self.arrivals: dict[str, int] = {}
        self.cancels: list[int] = []
        self.account = Account(Market(), folder, passed)
        self.gateways = gateways(at, ca_file, self.account.flags, self._arrived, self.stamps)
        self.account.start(self.gateways)

    def _arrived(self, what: str, at_ns: int) -> None:
        if what == "cancel_all":
            self.cancels.append(at_ns)
        else:
            self.arrivals[what] = at_ns

    async def ready(self) -> None:
        """Wait until orders can leave."""
        async with asyncio.timeout(PATIENCE_S):
            while any(self.account.core.unready.values()):
                await asyncio.sleep(0.01)

    async def one(self, buy: str, sell: str, *, rest_s: float = REST_S) -> tuple[int, int, int]:
        """Bring a signal; return the ns to both orders' bytes, and until the peer has both.

        Until its plan has closed the loop sleeps for ``rest_s`` at a time; 0: it spins.
        """
        state, signal = self.account.state, self.account.signal(buy, sell)
        self.stamps.clear()
        self.arrivals.clear()
        start = time.monotonic_ns()
        refusal = self.account.core.on_signal(signal)
        assert refusal is None, refusal
        number = next(reversed(state.open_plans))
        async with asyncio.timeout(PATIENCE_S):
            while number in state.open_plans:
                await asyncio.sleep(rest_s)
        first, second = self.stamps
        return first - start, second - start, max(self.arrivals.values()) - start


@asynccontextmanager
async def _standing(folder: Path, passed: int, *, tls: bool) -> AsyncIterator[Stand]:
    with order_peer.running(folder if tls else None) as at:
        stand = Stand(folder, at, str(folder / CA_FILE) if tls else "", passed)
        running = [asyncio.create_task(each.run(stand.account.core.on_report))
                   for each in stand.gateways.values()]
        try:
            await stand.ready()
            gc.collect()
            gc.freeze()
            yield stand
        finally:
            for gateway in stand.gateways.values():
                await gateway.close()
            await asyncio.gather(*running)
            stand.account.journal.close()


async def hops_of(count: int, passed: int) -> None:
    """Time back-to-back signals as a whole, then hop by hop."""
    with tempfile.TemporaryDirectory(prefix="trypto-bench-") as folder:
        async with _standing(Path(folder), passed, tls=False) as stand:
            account, hops = stand.account, Hops()
            for buy, sell in PAIRS:
                for _ in range(min(WARM, count)):
                    await stand.one(buy, sell)
                for how, rest_s in (("back to back", REST_S), ("loop spins", 0.0)):
                    times = [await stand.one(buy, sell, rest_s=rest_s) for _ in range(count)]
                    for name, ns in zip(("first order", "both orders"), zip(*times, strict=True),
                                        strict=False):
                        report(f"{buy} > {sell}, {how}: {name}", ns,
                               lowest_5=f"{np.percentile(ns, LOWEST) / 1e3:.1f}")
            watch_all(hops, account.core, account.log, stand.gateways.values())
            hops.is_on = True
            for _ in range(count):
                await stand.one(*PAIRS[0], rest_s=0.0)
                hops.end()
            hops.tell(" > ".join(PAIRS[0]))


async def whole_path(count: int, passed: int, *, tls: bool) -> None:
    """Time signals over each pair of venues."""
    word = "TLS" if tls else "TCP"
    with tempfile.TemporaryDirectory(prefix="trypto-bench-") as folder:
        async with _standing(Path(folder), passed, tls=tls) as stand:
            for buy, sell in PAIRS:
                for _ in range(min(WARM, count)):
                    await stand.one(buy, sell)
                times = []
                for _ in range(count):
                    await asyncio.sleep(GAP_S)
                    times.append(await stand.one(buy, sell))
                first, second, there = zip(*times, strict=True)
                name = f"{buy} > {sell}, {word}"
                rest = "coinbase" in (buy, sell)
                report(f"{name}: first order", first, target=Target("p50", 60.0))
                report(f"{name}: both orders", second,
                       target=None if rest else Target("p99", 250.0))
                report(f"{name}: both at the peer", there)


# --- kill --------------------------------------------------------------------------------------


def _killer(words: "np.typing.NDArray[np.int64]", control: "Market", seed: int) -> None:
    """In a forked process: set the kill word at a random moment whenever it is armed."""
    draw, engine = Random(seed), control.memory.control.engine  # noqa: S311
    while True:
        while not words[0]:
            time.sleep(0.0005)
        words[0] = 0
        time.sleep(draw.uniform(0.002, 0.02))
        words[1] = time.monotonic_ns()
        engine["kill"] = 1


async def _killed_once(
    stand: Stand, words: "np.typing.NDArray[np.int64]"
) -> tuple[int, int, int]:
    """Send as fast as it goes until killed; return ns to the last byte, first and last cancel."""
    core, account = stand.account.core, stand.account
    stand.cancels.clear()
    words[0] = 1
    looked = time.monotonic()
    async with asyncio.timeout(PATIENCE_S):
        while True:
            core.on_signal(account.signal("binance", "okx"))
            await asyncio.sleep(0)
            if time.monotonic() - looked >= TIMER_S:
                looked = time.monotonic()
                if account.flags.killed():
                    break
        core.sender.cancel_all("killed")
        while len(stand.cancels) < len(VENUES):
            await asyncio.sleep(0.0005)
    set_ns = int(words[1])
    last = max((each for each in stand.stamps if each > set_ns), default=set_ns)
    account.control.engine["kill"] = 0
    stand.stamps.clear()
    await asyncio.sleep(0.05)
    return last - set_ns, min(stand.cancels) - set_ns, max(stand.cancels[:len(VENUES)]) - set_ns


async def kill(count: int, passed: int) -> None:
    """Time how fast the kill word stops a burst, and how soon cancels of all are on the wire."""
    with tempfile.TemporaryDirectory(prefix="trypto-bench-") as folder:
        async with _standing(Path(folder), passed, tls=False) as stand:
            words = np.frombuffer(order_peer.shared(64), np.int64)
            child = os.fork()
            if not child:
                _killer(words, stand.account.market, 1)
            try:
                times = [await _killed_once(stand, words) for _ in range(count)]
            finally:
                os.kill(child, signals.SIGKILL)
                os.waitpid(child, 0)
    last, first_cancel, all_cancels = zip(*times, strict=True)
    report("kill word > last order's bytes", last, target=Target("max", 1_000.0))
    report("kill word > first cancel-all at a peer", first_cancel)
    report("kill word > cancel-all at five peers", all_cancels, target=Target("max", 50_000.0))


# --- journal -----------------------------------------------------------------------------------


def journal(turns: int) -> None:
    """Time appends that survive our end, with files that run full on the way."""
    for name, ahead in (("next files made ahead", True), ("next files made when due", False)):
        uvloop.run(_appends(f"journal append, process: {name}", turns, ahead=ahead))


async def _appends(name: str, turns: int, *, ahead: bool) -> None:
    record = r.Acknowledged(123_456, "123456789012")
    with tempfile.TemporaryDirectory(prefix="trypto-bench-", dir=Path.cwd()) as folder:
        written = Journal(Path(folder), SystemClock(), boot=1, file_size=FILE_SIZE)
        durable = Durable(written, power=False, failed=_fail, warn=_fail)
        took = []
        for at in range(turns):
            start = time.monotonic_ns()
            written.append(r.kind_of(record), r.encode(record))
            took.append(time.monotonic_ns() - start)
            if ahead and at % 200 == 0:  # what the process's timer does
                durable.turn()
                await asyncio.sleep(0)
        report(name, took, files=len(files_of(Path(folder))), file_mb=FILE_SIZE >> 20)
        await durable.close()
        written.close()


async def groups(turns: int, together: int) -> None:
    """Time from an append until its action runs at level power, so many appends at a time."""
    with tempfile.TemporaryDirectory(prefix="trypto-bench-", dir=Path.cwd()) as folder:
        written = Journal(Path(folder), SystemClock(), boot=1)
        durable = Durable(written, power=True, failed=_fail, warn=_fail)
        took: list[int] = []
        payload = b"x" * 120
        for turn in range(1, turns + 1):
            for _ in range(together):
                start = time.monotonic_ns()
                durable.when_durable(
                    written.append(7, payload),
                    lambda start=start: took.append(  # type: ignore[misc]
                        time.monotonic_ns() - start))
            while len(took) < turn * together:
                await asyncio.sleep(0)
        report(f"append > durable, power, {together} at a time", took)
        await durable.close()
        written.close()


def _fail(error: BaseException) -> None:
    raise error


def main(argv: Sequence[str] | None = None) -> int:
    """Print a line per figure."""
    parser = argparse.ArgumentParser(prog="python -m bench.orders", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=(
        "gate", "path", "tls", "kill", "journal", "power", "hops"))
    wanted = parser.parse_args(argv)
    passed = parameter("passed", 50, PASSED)
    count = parameter("signals", 5, 1_500)
    print(machine())
    quiet_collector()
    parts: dict[str, Callable[[], object]] = {
        "gate": lambda: gate_alone(parameter("turns", 50, 20_000), passed),
        "path": lambda: uvloop.run(whole_path(count, passed, tls=False)),
        "hops": lambda: uvloop.run(hops_of(count, passed)),
        "tls": lambda: uvloop.run(whole_path(count, passed, tls=True)),
        "kill": lambda: uvloop.run(kill(parameter("kills", 2, 200), passed)),
        "journal": lambda: journal(parameter("appends", 1_000, 500_000)),
        "power": lambda: [uvloop.run(groups(parameter("syncs", 3, 500), together))
                          for together in (1, 50)],
    }
    for name, part in parts.items():
        if wanted.only in (None, name):
            part()
    return 0


if __name__ == "__main__":
    sys.exit(main())
