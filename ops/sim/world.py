"""All simulated venues of one run: built from the config, opened, driven, asked for the truth."""

import asyncio
import contextlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec
from aiohttp import web

from engine.config import PairTable, Sim
from engine.model.clock import Clock
from engine.model.errors import ConfigInvalid
from engine.model.fault import Fault, parse
from ops.sim.certificates import server_context
from ops.sim.credentials import Credentials
from ops.sim.drive import Drive
from ops.sim.faces import FACES
from ops.sim.faults import Faults
from ops.sim.floor import Clients, Floor
from ops.sim.listing import Line, invented_line, listed_pair, native_of
from ops.sim.market import Market
from ops.sim.playback import Playback
from ops.sim.server import VenueServer
from ops.sim.tape import Tape
from ops.sim.truth import AccountTruth, Truth, account_truth_of, truth_of

ENDPOINTS: Final = "endpoints.json"
CREDENTIALS: Final = "credentials.json"
TICK_S: Final = 0.1


class World:
    """The venues, and what moves them."""

    def __init__(
        self, venues: Mapping[str, Sequence[str]], sim: Sim, clock: Clock,
        pairs: Mapping[str, PairTable] | None = None,
    ) -> None:
        """List ``venues`` (name -> unified symbols); raise ConfigInvalid or CaptureInvalid.

        ``pairs`` are the config's quanta: the steps that lines of a recording are listed with.
        """
        self._sim = sim
        recorded = sim.market == "captures"
        tape = Tape(sim.captures) if recorded else None
        faults = [parse(spec) for spec in sim.faults]
        self.faults = Faults(faults, seed=sim.seed, start_mono_ns=clock.mono_ns())
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
            server = VenueServer(name, clock, self.faults)
            floor = Floor(name, of_venue, clock, self.faults, clients)
            floor.face = server.face = FACES[name](of_venue, server, clock, floor)
            self.servers[name] = server
        self.flow: Drive | Playback
        if tape is not None:
            self.flow = Playback(tape, self.servers, clock, speed=sim.speed, loop=sim.loop)
        else:
            floors = {name: server.face.floor for name, server in self.servers.items()}
            for floor in floors.values():
                floor.fundings = market.funding
            self.flow = Drive(market, floors, clock)
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self, folder: Path) -> None:
        """Listen, on the ports of the last time where they are free; say where in ``folder``."""
        tls = server_context(folder) if self._sim.tls else None
        path = folder / ENDPOINTS
        before = _ports(path)
        for name, server in self.servers.items():
            await server.open(self._routes(), before.get(name, (0, 0)), tls)
        path.write_text(json.dumps(self.endpoints(), indent=1))
        path.chmod(0o600)
        secrets = folder / CREDENTIALS
        secrets.touch(mode=0o600)
        secrets.chmod(0o600)
        secrets.write_bytes(msgspec.json.format(msgspec.json.encode(self.credentials())))
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

    async def _beats(self) -> None:
        ticks = 0
        while True:
            await asyncio.sleep(TICK_S)
            ticks += 1
            for server in self.servers.values():
                server.tick()
                if ticks % int(1 / TICK_S) == 0:
                    server.beat(int(ticks * TICK_S))

    # --- control calls -------------------------------------------------------------------------

    def _routes(self) -> list[web.RouteDef]:
        return [
            web.get("/sim/truth/{venue}/{symbol:.+}", self._get_truth),
            web.get("/sim/ledger/{venue}/{account}", self._get_ledger),
            web.post("/sim/pause", self._post_pause),
            web.post("/sim/resume", self._post_resume),
            web.get("/sim/faults", self._get_faults),
            web.post("/sim/fault", self._post_fault),
            web.delete("/sim/fault/{venue}", self._delete_fault),
        ]

    async def _get_truth(self, request: web.Request) -> web.Response:
        truth = self.truth(request.match_info["venue"], request.match_info["symbol"])
        if truth is None:
            return web.json_response({"error": "no such venue or symbol"}, status=404)
        return web.Response(body=msgspec.json.encode(truth), content_type="application/json")

    async def _get_ledger(self, request: web.Request) -> web.Response:
        truth = self.account_truth(request.match_info["venue"], request.match_info["account"])
        if truth is None:
            return web.json_response({"error": "no such venue or account"}, status=404)
        return web.Response(body=msgspec.json.encode(truth), content_type="application/json")

    async def _post_pause(self, _request: web.Request) -> web.Response:
        self.flow.pause()
        return web.json_response({})

    async def _post_resume(self, _request: web.Request) -> web.Response:
        self.flow.resume()
        return web.json_response({})

    async def _get_faults(self, _request: web.Request) -> web.Response:
        return web.json_response(self.faults.struck)

    async def _post_fault(self, request: web.Request) -> web.Response:
        try:
            fault = msgspec.json.decode(await request.read(), type=Fault)
        except msgspec.DecodeError as error:
            return web.json_response({"error": str(error)}, status=400)
        self.faults.add(fault)
        return web.json_response({})

    async def _delete_fault(self, request: web.Request) -> web.Response:
        self.faults.clear(request.match_info["venue"])
        return web.json_response({})


def recorded_line(venue: str, symbol: str, pairs: Mapping[str, PairTable]) -> Line:
    """List a symbol whose numbers the recording will bring.

    Recordings seldom hold the venue's own steps, and feeds ask for them before the first frame:
    the pair's quanta, the finest step that any recorded number needs, stand for them.
    """
    pair = listed_pair(venue, symbol)
    line = Line(
        venue, pair, native_of(venue, pair), price_decimals=0, size_decimals=0, started=False)
    quanta = pairs.get(pair.group, PairTable())
    line.tick_decimals, line.lot_decimals = quanta.price_decimals, quanta.size_decimals
    return line


def world_of(
    venues: Mapping[str, Sequence[str]], sim: Sim | None, clock: Clock,
    pairs: Mapping[str, PairTable] | None = None,
) -> World:
    """Build the world of a config; raise ConfigInvalid if it has none."""
    if sim is None:
        raise ConfigInvalid("no [sim] table: nothing to simulate")
    return World(venues, sim, clock, pairs)


def _ports(path: Path) -> dict[str, tuple[int, int]]:
    """Read the ports of the last time; none where there was no last time."""
    with contextlib.suppress(OSError, ValueError, KeyError):  # msgspec's errors are ValueErrors
        before = msgspec.json.decode(path.read_bytes(), type=dict[str, dict[str, str]])
        return {
            name: (urlsplit(urls["ws"]).port or 0, urlsplit(urls["rest"]).port or 0)
            for name, urls in before.items()
        }
    return {}
