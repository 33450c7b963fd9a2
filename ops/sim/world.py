"""All simulated venues of one run: built from the config, opened, driven, asked for the truth."""

import asyncio
import contextlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec

from engine.config import PairTable, Sim
from engine.model.clock import Clock
from engine.model.errors import ConfigInvalid
from engine.model.fault import Fault, Kind, checked, parse
from engine.runtime.served import BIRTH_FILE, FILE
from ops.sim.certificates import server_context
from ops.sim.control import Control
from ops.sim.credentials import Credentials
from ops.sim.drive import Drive
from ops.sim.faces import FACES
from ops.sim.faults import Faults
from ops.sim.floor import Clients, Floor
from ops.sim.listing import Line, invented_line, listed_pair, native_of
from ops.sim.market import Market
from ops.sim.playback import Playback
from ops.sim.rules import MONEY_DECIMALS
from ops.sim.server import VenueServer
from ops.sim.tally import Tally
from ops.sim.tape import Tape
from ops.sim.truth import AccountTruth, Truth, account_truth_of, truth_of
from shm.counters import CounterBlock

CREDENTIALS: Final = "credentials.json"
TICK_S: Final = 0.1


class World:
    """The venues, and what moves them."""

    def __init__(
        self, venues: Mapping[str, Sequence[str]], sim: Sim, clock: Clock,
        pairs: Mapping[str, PairTable] | None = None, counters: CounterBlock | None = None,
    ) -> None:
        """List ``venues`` (name -> unified symbols); raise ConfigInvalid or CaptureInvalid.

        ``pairs`` are the config's quanta: the steps that lines of a recording are listed with.
        ``counters`` take the figures, where there is shared memory to publish them in.
        """
        self._sim = sim
        self.clock, self.tally = clock, Tally(clock, counters)
        recorded = sim.market == "captures"
        tape = Tape(sim.captures) if recorded else None
        self.faults = Faults([], seed=sim.seed, start_mono_ns=clock.mono_ns())
        self.servers: dict[str, VenueServer] = {}
        lines = {
            name: [recorded_line(name, symbol, pairs or {}) if recorded
                   else invented_line(name, symbol) for symbol in symbols]
            for name, symbols in venues.items()
        }
        everything = [line for of_venue in lines.values() for line in of_venue]
        if not recorded:  # the first books are part of what faces begin with
            market = Market(everything, seed=sim.seed, messages_per_s=sim.messages_per_s)
        clients = Clients(sim.seed, sim.accounts, sim.balances)
        for name, of_venue in lines.items():
            server = VenueServer(name, clock, self.faults, self.tally)
            floor = Floor(name, of_venue, clock, self.faults, clients, self.tally)
            floor.face = server.face = FACES[name](of_venue, server, clock, floor)
            self.servers[name] = server
        for spec in sim.faults:
            try:
                self.add_fault(parse(spec))
            except ValueError as error:
                raise ConfigInvalid(f"fault {spec!r}: {error}") from None
        self.flow: Drive | Playback
        if tape is not None:
            self.flow = Playback(tape, self.servers, clock, speed=sim.speed, loop=sim.loop)
        else:
            floors = {name: server.face.floor for name, server in self.servers.items()}
            for floor in floors.values():
                floor.fundings = market.funding
            self.flow = Drive(market, floors, clock, [*self.servers.values()])
        self._tasks: list[asyncio.Task[None]] = []
        self._born_ns = clock.unix_ns()

    async def open(self, folder: Path) -> None:
        """Listen, on the ports of the last time where they are free; say where in ``folder``."""
        tls = server_context(folder) if self._sim.tls else None
        path = folder / FILE
        before, routes = _ports(path), Control(self).routes()
        for name, server in self.servers.items():
            await server.open(routes, before.get(name, (0, 0)), tls)
        path.write_text(json.dumps(self.endpoints(), indent=1))
        path.chmod(0o600)
        secrets = folder / CREDENTIALS
        secrets.touch(mode=0o600)
        secrets.chmod(0o600)
        secrets.write_bytes(msgspec.json.format(msgspec.json.encode(self.credentials())))
        (folder / BIRTH_FILE).write_text(str(self._born_ns))  # last: from now on all is there
        self._tasks = [asyncio.create_task(self._beats(), name="sim beats")]
        if isinstance(self.flow, Playback):
            self._tasks.append(asyncio.create_task(self.flow.run(), name="sim playback"))
        else:
            self.flow.start()

    async def serve(self) -> None:
        """Wait for ever; raise what a task of ours died of."""
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()

    async def close(self) -> None:
        """Close every port and connection."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if isinstance(self.flow, Drive):
            self.flow.stop()
        for server in self.servers.values():
            await server.close()

    def endpoints(self) -> dict[str, dict[str, str]]:
        """Return where each venue listens."""
        return {name: {"ws": s.ws_url, "rest": s.rest_url} for name, s in self.servers.items()}

    def credentials(self) -> dict[str, list[Credentials]]:
        """Return the keys that each venue issued."""
        return {name: list(server.face.floor.credentials.values())
                for name, server in self.servers.items()}

    def truth(self, venue: str, symbol: str) -> Truth | None:
        """Return the reference book of a unified or native symbol."""
        server = self.servers.get(venue)
        if server and server.settle is not None:
            server.settle()
        line = server.line(symbol) if server else None
        return truth_of(line) if line else None

    def account_truth(self, venue: str, account: str) -> AccountTruth | None:
        """Return what an account holds, ordered and traded."""
        server = self.servers.get(venue)
        exchange = server.face.floor.exchange if server else None
        if exchange is None or account not in exchange.accounts.by_name:
            return None
        return account_truth_of(exchange, account)

    def add_fault(self, fault: Fault) -> None:
        """Put a fault in force; raise ValueError for one that cannot be."""
        checked(fault)
        if fault.venue != "*" and fault.venue not in self.servers:
            raise ValueError(f"there is no venue {fault.venue!r}; there are"
                             f" {', '.join(self.servers)}")
        if not fault.symbol:
            self.faults.add(fault)
            return
        names = [*self.servers] if fault.venue == "*" else [fault.venue]
        lines = {name: self.servers[name].line(fault.symbol) for name in names}
        if not any(lines.values()):
            raise ValueError(f"{fault.venue} lists no {fault.symbol!r}")
        for name, line in lines.items():
            if line is not None:
                self.faults.add(msgspec.structs.replace(fault, venue=name, symbol=line.native))

    def lift(self, venue: str, kind: Kind | None) -> int:
        """Lift the faults of one venue or of all, "*", and what they left; return how many."""
        if kind in (None, Kind.HTTP_418):
            for name, server in self.servers.items():
                if venue in ("*", name):
                    server.rest.pardon()
        return self.faults.clear(venue, kind)

    async def _beats(self) -> None:
        ticks = 0
        while True:
            due_ns = self.clock.mono_ns() + int(TICK_S * 1e9)
            await asyncio.sleep(TICK_S)
            self.tally.beat(self.clock.mono_ns() - due_ns, sum(self.faults.struck.values()))
            ticks += 1
            for server in self.servers.values():
                server.tick()
                if ticks % int(1 / TICK_S) == 0:
                    server.beat(int(ticks * TICK_S))


def recorded_line(venue: str, symbol: str, pairs: Mapping[str, PairTable]) -> Line:
    """List a symbol whose numbers the recording will bring.

    Recordings seldom hold the venue's own steps, and feeds ask for them before the first frame:
    the pair's quanta, the finest step that any recorded number needs, stand for them.
    """
    pair = listed_pair(venue, symbol)
    line = Line(
        venue, pair, native_of(venue, pair), price_decimals=0, size_decimals=0, started=False)
    quanta = pairs.get(pair.group, PairTable())
    if quanta.price_decimals + quanta.size_decimals > MONEY_DECIMALS:
        raise ConfigInvalid(f"{symbol}: price-decimals and size-decimals together are more than"
                            f" {MONEY_DECIMALS}, which a recorded market cannot be traded with")
    line.tick_decimals, line.lot_decimals = quanta.price_decimals, quanta.size_decimals
    return line


def world_of(
    venues: Mapping[str, Sequence[str]], sim: Sim | None, clock: Clock,
    pairs: Mapping[str, PairTable] | None = None, counters: CounterBlock | None = None,
) -> World:
    """Build the world of a config; raise ConfigInvalid if it has none."""
    if sim is None:
        raise ConfigInvalid("no [sim] table: nothing to simulate")
    return World(venues, sim, clock, pairs, counters)


def _ports(path: Path) -> dict[str, tuple[int, int]]:
    """Read the ports of the last time; none where there was no last time."""
    with contextlib.suppress(OSError, ValueError, KeyError):  # msgspec's errors are ValueErrors
        before = msgspec.json.decode(path.read_bytes(), type=dict[str, dict[str, str]])
        return {
            name: (urlsplit(urls["ws"]).port or 0, urlsplit(urls["rest"]).port or 0)
            for name, urls in before.items()
        }
    return {}
