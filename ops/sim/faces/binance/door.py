"""The REST door of a Binance market: routes, weights, who may, and errors as the venue's JSON."""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Final, NamedTuple

import orjson

from ops.sim.face import Answer, HttpRequest
from ops.sim.faces.binance.auth import Auth
from ops.sim.faces.binance.errors import BAD_TIME_UNIT, Refused
from ops.sim.faces.binance.limits import Limits
from ops.sim.faces.binance.params import Params, decoded
from ops.sim.floor import Floor

TIME_UNITS: Final = {"MILLISECOND": 1_000_000, "MICROSECOND": 1_000}
NOT_FOUND: Final = Answer(b"<html><body><h2>404 Not found</h2></body></html>", 404)


class Security(Enum):
    """What a route asks for."""

    NONE = "nothing"
    KEY = "API key"
    SIGNED = "API key and signature"


class Ask(NamedTuple):
    """One request that is counted and whose sender is known."""

    params: Params
    account: str  # empty for public routes
    ip: str
    unit: int = 1_000_000  # ns in one unit of the timestamps that are wanted


class Route(NamedTuple):
    """What serves a method and path.  It returns JSON values, bytes of JSON, or an Answer."""

    serve: Callable[[Ask], object]
    weight: int | Callable[[Mapping[str, str]], int] = 1
    security: Security = Security.NONE
    entry: bool = False  # order entry: faults may hit the answer
    free: bool = False  # costs nothing if it succeeds
    counts: bool = False  # answers tell the account's order count


class Door:
    """Routes by "METHOD path"."""

    def __init__(
        self, floor: Floor, auth: Auth, limits: Limits, routes: Mapping[str, Route]
    ) -> None:
        self._floor, self._auth, self._limits, self._routes = floor, auth, limits, routes

    def answer(self, request: HttpRequest) -> Answer:
        """Answer one request."""
        now_ns, ip = self._floor.mono_ns(), request.ip
        route = self._routes.get(f"{request.method} {request.path}")
        if route is None:
            return NOT_FOUND
        try:
            served, account = self._serve(route, request, now_ns)
        except Refused as refused:
            answer = refused.answer()
            headers = self._limits.weights(now_ns, ip) | dict(answer.headers)
            return answer._replace(headers=headers, entry=route.entry)
        if route.free:
            self._limits.give_back(now_ns, ip, weigh(route, {}))
        headers = self._limits.weights(now_ns, ip)
        if route.counts:
            headers |= self._limits.orders(now_ns, account)
        answer = served if isinstance(served, Answer) else Answer(
            served if isinstance(served, bytes) else orjson.dumps(served))
        return answer._replace(headers=headers | dict(answer.headers), entry=route.entry)

    def _serve(self, route: Route, request: HttpRequest, now_ns: int) -> tuple[object, str]:
        values = decoded(request.raw_query, request.body)
        self._limits.request(
            now_ns, self._floor.now_ns() // 1_000_000, request.ip, weigh(route, values))
        account = ""
        if route.security is Security.KEY:
            account = self._auth.key(request.headers.get("x-mbx-apikey")).account
        elif route.security is Security.SIGNED:
            account = self._auth.rest(request, values).account
        unit = time_unit(request.headers.get("x-mbx-time-unit"))
        return route.serve(Ask(Params(values), account, request.ip, unit)), account


def weigh(route: Route, values: Mapping[str, str]) -> int:
    """Return what a request costs."""
    return route.weight if isinstance(route.weight, int) else route.weight(values)


def time_unit(word: str | None) -> int:
    """Return how many ns a unit of timestamps has; refuse a word that is none."""
    if word is None:
        return 1_000_000
    if word.upper() not in TIME_UNITS:
        raise Refused(BAD_TIME_UNIT)
    return TIME_UNITS[word.upper()]
