"""The simulated venues under load: one simulator process on one core, real clients beside it.

    trypto-engine sim, core 0 ──books──────────▶ a client per venue that only drains, core 1
                       ▲  └──trades, quotes────▶ another, with --everything
                       └──── REST and WebSocket pings, every 50 ms

Twenty symbols at each of five venues; the rate asked for is book messages per second, all venues
together.  Counted are frames that arrive; the time of an answer runs from the call in the client
until the answer is read there, so it holds the client's own delay, too.  The simulator's share of
its core is what /proc says it used.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import aiohttp
import msgspec
import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from bench.harness import Target, machine, parameter, report, tell
from engine.runtime import spawn
from engine.runtime.served import FILE

BASES: Final = (
    "BTC", "ETH", "SOL", "XRP", "DOGE", "ADA", "LTC", "LINK", "AVAX", "DOT",
    "BNB", "TRX", "UNI", "ATOM", "NEAR", "APT", "ARB", "FIL", "ETC", "XLM",
)
QUOTES: Final = {"binance": "USDT", "binance-usdm": "USDT:USDT", "okx": "USDT", "kraken": "USD",
                 "coinbase": "USD"}
PINGS: Final = {  # not Kraken, which allows one public request a second
    "binance": "/api/v3/ping", "binance-usdm": "/fapi/v1/ping", "okx": "/api/v5/public/time",
    "coinbase": "/api/v3/brokerage/time",
}
LIMITS: Final = """
[detector]
edge-min-ppm = 100
edge-max-ppm = 20000
book-age-ms-max = 2000.0
notional-max = {USDT = 25000.0, USD = 25000.0}
notional-min = {USDT = 10.0, USD = 10.0}
[execution]
edge-min-ppm = 100
"""
PING_EVERY_S: Final = 0.05
ANSWER_US_MAX: Final = 50_000.0  # p99: what "responsive" means here
WARM_S: Final = 2.0
PATIENCE_S: Final = 60.0
CLOCK_TICKS: Final = os.sysconf("SC_CLK_TCK")


class Subscription(NamedTuple):
    """What one connection asks for; books are counted apart from all else."""

    venue: str
    books: bool
    requests: list[dict[str, object]]


def subscriptions(symbols: Sequence[str], *, everything: bool) -> list[Subscription]:
    """Return the connections to open, one per venue for books and one for the rest."""
    return [
        Subscription(venue, books, _requests(
            venue, [_native(venue, base, quote) for base in symbols], books=books))
        for venue, quote in QUOTES.items()
        for books in ((True, False) if everything else (True,))
    ]


def _native(venue: str, base: str, quote: str) -> str:
    joint = {"okx": "-", "coinbase": "-", "kraken": "/"}.get(venue, "")
    return f"{base}{joint}{quote.partition(':')[0]}"


def _requests(venue: str, natives: list[str], *, books: bool) -> list[dict[str, object]]:
    if venue.startswith("binance"):
        kinds = ["depth@100ms"] if books else ["bookTicker", "trade"]
        names = [f"{native.lower()}@{kind}" for kind in kinds for native in natives]
        return [{"method": "SUBSCRIBE", "params": names, "id": 1}]
    if venue == "okx":
        channels = ["books"] if books else ["bbo-tbt", "trades"]
        return [{"op": "subscribe", "args": [{"channel": channel, "instId": native}
                                             for native in natives]} for channel in channels]
    if venue == "kraken":
        rows: list[dict[str, object]] = (
            [{"channel": "book", "depth": 1000}] if books
            else [{"channel": "trade"}, {"channel": "ticker"}])
        return [{"method": "subscribe", "params": row | {"symbol": natives}} for row in rows]
    channels = ["level2"] if books else ["market_trades", "ticker"]
    return [{"type": "subscribe", "channel": channel, "product_ids": natives}
            for channel in channels]


class Drain(WSListener):
    """Counts frames and bytes, and times its own pings."""

    def __init__(self) -> None:
        super().__init__()
        self.frames = self.size = 0
        self.answers_ns: list[int] = []
        self.is_open = True

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Count; a pong holds the time of its ping."""
        if frame.msg_type == WSMsgType.TEXT:
            self.frames += 1
            self.size += frame.payload_size
        elif frame.msg_type == WSMsgType.PONG:
            sent_ns = int.from_bytes(frame.get_payload_as_bytes(), "little")
            self.answers_ns.append(time.monotonic_ns() - sent_ns)
        elif frame.msg_type == WSMsgType.PING:
            transport.send_pong(frame.get_payload_as_bytes())

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """Note the end."""
        self.is_open = False


class Client(NamedTuple):
    """One open connection."""

    wanted: Subscription
    transport: WSTransport
    drain: Drain


class Simulator:
    """The ``sim`` command in a process of its own, on a core of its own where there are two."""

    def __init__(self, folder: Path, symbols: Sequence[str], messages_per_s: float) -> None:
        tables = [f'[venues.{venue}]\nsymbols = {[f"{base}/{quote}" for base in symbols]}\n'
                  for venue, quote in QUOTES.items()]
        sim = f"[sim]\nmessages-per-s = {messages_per_s / len(QUOTES)}\n"
        config = folder / "config.toml"
        config.write_text('name = "load"\n' + "".join(tables) + LIMITS + sim)
        self.endpoints_file = folder / FILE
        with (folder / "log").open("wb") as log:
            self.process = subprocess.Popen(  # noqa: S603  our own interpreter and module
                spawn.command("ops.cli", "sim", "--config", str(config), "--folder", str(folder)),
                env=os.environ | {"PYTHONPATH": spawn.ROOT}, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log)
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(self.process.pid, {cores[0]})
        if len(cores) > 1:
            os.sched_setaffinity(0, set(cores[1:]))

    def endpoints(self) -> dict[str, dict[str, str]]:
        """Wait until the venues listen; return where."""
        until = time.monotonic() + PATIENCE_S
        while not self.endpoints_file.exists():
            if self.process.poll() is not None or time.monotonic() > until:
                raise SystemExit((self.endpoints_file.parent / "log").read_text())
            time.sleep(0.05)
        time.sleep(0.1)  # the file is written in one piece, after every port is open
        return msgspec.json.decode(
            self.endpoints_file.read_bytes(), type=dict[str, dict[str, str]])

    def cpu_s(self) -> float:
        """Return the processor time used so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS

    def waited_s(self) -> float:
        """Return for how long it was ready to run while others had its core."""
        return int(Path(f"/proc/{self.process.pid}/schedstat").read_text().split()[1]) / 1e9

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait(PATIENCE_S)


async def _connect(urls: dict[str, dict[str, str]], wanted: Subscription) -> Client:
    transport, drain = await ws_connect(Drain, urls[wanted.venue]["ws"], enable_auto_pong=False)
    assert isinstance(drain, Drain)
    for request in wanted.requests:
        transport.send(WSMsgType.TEXT, msgspec.json.encode(request))
    return Client(wanted, transport, drain)


async def _ping(clients: Sequence[Client], urls: dict[str, dict[str, str]]) -> list[int]:
    """Ping by WebSocket and REST, one venue after the other, until cancelled."""
    answers_ns: list[int] = []
    async with aiohttp.ClientSession() as session:
        try:
            while True:
                for client in clients:
                    await asyncio.sleep(PING_EVERY_S)
                    now_ns = time.monotonic_ns()
                    client.transport.send_ping(now_ns.to_bytes(8, "little"))
                    venue = client.wanted.venue
                    if venue not in PINGS:
                        continue
                    async with session.get(urls[venue]["rest"] + PINGS[venue]) as answer:
                        assert answer.status == 200
                        await answer.read()
                    answers_ns.append(time.monotonic_ns() - now_ns)
        except asyncio.CancelledError:
            return answers_ns


async def _measure(
    simulator: Simulator, wanted: Sequence[Subscription], seconds: float, rate: float
) -> bool:
    """Drain for so long; print what arrived; return whether every connection lived."""
    urls = simulator.endpoints()
    clients = [await _connect(urls, each) for each in wanted]
    await asyncio.sleep(WARM_S)
    for client in clients:
        client.drain.frames = client.drain.size = 0
    cpu_s, waited_s, since_ns = simulator.cpu_s(), simulator.waited_s(), time.monotonic_ns()
    pinging = asyncio.ensure_future(_ping(clients, urls))
    await asyncio.sleep(seconds)
    passed_s = (time.monotonic_ns() - since_ns) / 1e9
    used_s, waited_s = simulator.cpu_s() - cpu_s, simulator.waited_s() - waited_s
    books = [client for client in clients if client.wanted.books]
    frames = sum(client.drain.frames for client in books)
    size = sum(client.drain.size for client in clients)
    pinging.cancel()
    rest_ns = await pinging
    alive = all(client.drain.is_open for client in clients)
    for client in books:
        tell(f"sim load {client.wanted.venue}",
             book_messages_per_s=f"{client.drain.frames / passed_s:,.0f}",
             mean_size=f"{client.drain.size / max(1, client.drain.frames):,.0f}")
    tell("sim load", target=f"{rate:,.0f} book messages/s", met=frames / passed_s >= 0.98 * rate,
         book_messages_per_s=f"{frames / passed_s:,.0f}",
         other_messages_per_s=f"{(sum(c.drain.frames for c in clients) - frames) / passed_s:,.0f}",
         bytes_per_s=f"{size / passed_s:,.0f}", core=f"{used_s / passed_s:.0%}", alive=alive,
         core_taken_by_others=f"{waited_s / passed_s:.0%}",
         us_per_book_message=f"{used_s / max(1, frames) * 1e6:.1f}")
    target = Target("p99", ANSWER_US_MAX)
    report("sim answers WebSocket pings",
           [ns for client in clients for ns in client.drain.answers_ns], target=target)
    report("sim answers REST pings", rest_ns, target=target)
    for client in clients:
        client.transport.disconnect()
    return alive


def main(argv: Sequence[str] | None = None) -> int:
    """Load the simulator; return 1 when a connection was lost."""
    parser = argparse.ArgumentParser(prog="python -m bench.sim_load", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=parameter("rate", 500, 20_000),
                        help="book messages per second, all venues together")
    parser.add_argument("--seconds", type=float, default=parameter("seconds", 1, 20))
    parser.add_argument("--symbols", type=int, default=parameter("symbols", 3, len(BASES)),
                        choices=range(1, len(BASES) + 1), metavar="N", help="per venue")
    parser.add_argument("--everything", action="store_true",
                        help="trades, quotes and tickers are drained, too")
    wanted = parser.parse_args(argv)
    print(machine())
    symbols = BASES[:wanted.symbols]
    affinity = os.sched_getaffinity(0)
    with tempfile.TemporaryDirectory(prefix="trypto-bench-") as folder:
        simulator = Simulator(Path(folder), symbols, wanted.rate)
        try:
            alive = uvloop.run(_measure(
                simulator, subscriptions(symbols, everything=wanted.everything),
                wanted.seconds, wanted.rate))
        finally:
            simulator.stop()
            os.sched_setaffinity(0, affinity)
    return 0 if alive else 1


if __name__ == "__main__":
    sys.exit(main())
