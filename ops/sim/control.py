"""Control calls of a running world, on every venue's REST port below ``/sim``.

GET    /sim/truth/VENUE/SYMBOL     the reference book
GET    /sim/ledger/VENUE/ACCOUNT   balances, positions, orders, fills
POST   /sim/pause, /sim/resume     the market stands still, and goes on
GET    /sim/faults                 what stands, what struck, and the clock of schedules
POST   /sim/fault                  {"venue", "kind", ...}: engine/model/fault.py
DELETE /sim/fault/VENUE[?kind=K]   lifts faults of a venue, of all with "*"
POST   /sim/transfer               {"venue", "account", "asset", "amount"}: money from outside
"""

from typing import TYPE_CHECKING

import msgspec
from aiohttp import web

from engine.model.fault import Fault, Kind
from engine.model.quanta import to_quanta
from ops.sim.rules import MONEY_DECIMALS

if TYPE_CHECKING:
    from ops.sim.world import World


class Transfer(msgspec.Struct, forbid_unknown_fields=True):
    """Money that comes to an account from outside, or leaves it if negative."""

    venue: str
    account: str
    asset: str
    amount: str  # decimal text


class Control:
    """Answers control calls."""

    def __init__(self, world: "World") -> None:
        self._world = world

    def routes(self) -> list[web.RouteDef]:
        """Return where each call is answered."""
        return [
            web.get("/sim/truth/{venue}/{symbol:.+}", self._truth),
            web.get("/sim/ledger/{venue}/{account}", self._ledger),
            web.post("/sim/pause", self._pause),
            web.post("/sim/resume", self._resume),
            web.get("/sim/faults", self._faults),
            web.post("/sim/fault", self._fault),
            web.delete("/sim/fault/{venue}", self._lift),
            web.post("/sim/transfer", self._transfer),
        ]

    async def _truth(self, request: web.Request) -> web.Response:
        truth = self._world.truth(request.match_info["venue"], request.match_info["symbol"])
        return _found(truth, "no such venue or symbol")

    async def _ledger(self, request: web.Request) -> web.Response:
        match = request.match_info
        truth = self._world.account_truth(match["venue"], match["account"])
        return _found(truth, "no such venue or account")

    async def _pause(self, _request: web.Request) -> web.Response:
        self._world.flow.pause()
        return web.json_response({})

    async def _resume(self, _request: web.Request) -> web.Response:
        self._world.flow.resume()
        return web.json_response({})

    async def _faults(self, _request: web.Request) -> web.Response:
        world = self._world
        now_ns = world.clock.mono_ns()
        return _json({
            "now_s": world.faults.seconds(now_ns), "standing": world.faults.standing(now_ns),
            "struck": world.faults.struck})

    async def _fault(self, request: web.Request) -> web.Response:
        try:
            self._world.add_fault(msgspec.json.decode(await request.read(), type=Fault))
        except ValueError as error:  # msgspec's are ValueErrors
            return _wrong(str(error))
        return web.json_response({})

    async def _lift(self, request: web.Request) -> web.Response:
        venue, kind = request.match_info["venue"], request.query.get("kind")
        if venue not in ("*", *self._world.servers):
            return _wrong(
                f"there is no venue {venue!r}; there are {', '.join(self._world.servers)}")
        if kind is not None and kind not in [*Kind]:
            return _wrong(f"there is no fault {kind!r}; there are {', '.join(Kind)}")
        lifted = self._world.lift(venue, Kind(kind) if kind else None)
        return web.json_response({"lifted": lifted})

    async def _transfer(self, request: web.Request) -> web.Response:
        try:
            asked = msgspec.json.decode(await request.read(), type=Transfer)
            amount = _money(asked.amount)
        except ValueError as error:
            return _wrong(str(error))
        server = self._world.servers.get(asked.venue)
        if server is None:
            return _wrong(f"there is no venue {asked.venue!r}")
        refusal = server.face.floor.transfer(asked.account, asked.asset, amount)
        return web.json_response({}) if refusal is None else _wrong(refusal.reason.value)


def _money(text: str) -> int:
    """Read an amount; one beyond 64 bits of quanta too, as balances are."""
    whole, _, fraction = text.partition(".")
    scale: int = 10**MONEY_DECIMALS
    sign = -1 if whole.startswith("-") else 1
    return to_quanta(whole, 0) * scale + sign * to_quanta(f"0.{fraction or 0}", MONEY_DECIMALS)


def _found(truth: msgspec.Struct | None, otherwise: str) -> web.Response:
    return web.json_response({"error": otherwise}, status=404) if truth is None else _json(truth)


def _json(value: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), content_type="application/json")


def _wrong(text: str) -> web.Response:
    return web.json_response({"error": text}, status=400)
