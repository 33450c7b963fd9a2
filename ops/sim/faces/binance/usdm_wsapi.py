"""The WebSocket API of USD-M: the same orders and queries, one JSON request per frame.

Source: developers.binance.com/docs/derivatives/usds-margined-futures/websocket-api-general-info,
read 2026-11-21.  ``session.logon`` takes Ed25519 keys only; afterwards requests need no key.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl

import orjson

from ops.sim.credentials import ED25519
from ops.sim.face import Session, json_object
from ops.sim.faces.binance.auth import Auth
from ops.sim.faces.binance.door import Ask, Route, Security, weigh
from ops.sim.faces.binance.errors import (
    BAD_JSON,
    INVALID,
    MANDATORY,
    UNSUPPORTED,
    Problem,
    Refused,
)
from ops.sim.faces.binance.limits import Limits
from ops.sim.faces.binance.params import Params
from ops.sim.faces.binance.usdm_trade import texts
from ops.sim.floor import Floor

HANDSHAKE_WEIGHT: Final = 5
SESSION_WEIGHT: Final = 2
KEY_TYPE: Final = Problem(-4056, "Invalid api key type.")
VERSIONS: Final = ("v1/", "v3/")


class Logon(NamedTuple):
    """The key that a connection logged on with."""

    key: str
    account: str
    since_ms: int


class WsApi:
    """Serves the connections below /ws-fapi/v1."""

    def __init__(
        self, floor: Floor, auth: Auth, limits: Limits, methods: Mapping[str, Route]
    ) -> None:
        self._floor, self._auth, self._limits, self._methods = floor, auth, limits, methods

    def _now_ms(self) -> int:
        return self._floor.now_ns() // 1_000_000

    def opened(self, session: Session) -> None:
        """Count the handshake; who is over the limit is cut off."""
        tells = dict(parse_qsl(session.query)).get("returnRateLimits") != "false"
        session.state.update(logon=None, since_ms=self._now_ms(), tells=tells)
        try:
            self._limits.request(
                self._floor.mono_ns(), self._now_ms(), session.ip, HANDSHAKE_WEIGHT)
        except Refused as problem:
            session.close(1008, problem.text)

    def text(self, session: Session, message: bytes) -> None:
        """Answer one request."""
        request = json_object(message)
        request_id = request.get("id") if request else None
        tells, account, route = bool(session.state["tells"]), "", None
        try:
            if request is None:
                raise Refused(BAD_JSON)
            values = self._values(request)
            tells = {"true": True, "false": False}.get(values.get("returnRateLimits", ""), tells)
            route = self._route(session, str(request["method"]))
            self._limits.request(
                self._floor.mono_ns(), self._now_ms(), session.ip, weigh(route, values))
            account = self._account(session, route, values)
            values.pop("returnRateLimits", None)
            served = route.serve(Ask(Params(values), account, session.ip))
            if isinstance(served, bytes):
                served = orjson.Fragment(served)
            answer: dict[str, object] = {"id": request_id, "status": 200, "result": served}
        except Refused as problem:
            answer = {"id": request_id, "status": problem.status, "error": self._error(problem)}
        if tells:
            answer["rateLimits"] = self._rates(session, route, account)
        send = session.answer if route and route.entry else session.send
        send(orjson.dumps(answer))

    @staticmethod
    def _values(request: Mapping[str, Any]) -> dict[str, str]:
        """Return the parameters as text, as they are signed."""
        if "method" not in request:
            raise Refused(MANDATORY, "method")
        if not isinstance(request.get("id"), str | int | None):
            raise Refused(INVALID, "id")
        params = request.get("params") or {}
        if not isinstance(params, dict):
            raise Refused(INVALID, "params")
        return texts(params)

    def _route(self, session: Session, name: str) -> Route:
        own: dict[str, Callable[[Ask], object]] = {
            "session.logon": lambda ask: self._logon(session, ask),
            "session.status": lambda _: self._status(session),
            "session.logout": lambda _: self._logout(session),
        }
        if name in own:
            signed = Security.SIGNED if name == "session.logon" else Security.NONE
            return Route(own[name], SESSION_WEIGHT, signed)
        for prefix in ("", *VERSIONS):
            if name.startswith(prefix) and name.removeprefix(prefix) in self._methods:
                return self._methods[name.removeprefix(prefix)]
        raise Refused(UNSUPPORTED)

    def _account(
        self, session: Session, route: Route, values: dict[str, str]
    ) -> str:
        """Return who asks: by the request's own key, else by the session's."""
        logon: Logon | None = session.state["logon"]
        if route.security is Security.NONE:
            return ""
        if route.security is Security.KEY:
            key = values.get("apiKey") or (logon.key if logon else None)
            if key is None:
                raise Refused(MANDATORY, "apiKey")
            return self._auth.key(key).account
        if logon is not None and not {"apiKey", "signature"} & values.keys():
            if not values.get("timestamp"):
                raise Refused(MANDATORY, "timestamp")
            self._auth.in_time(values)
            return logon.account
        return self._auth.ws(values).account

    def _error(self, problem: Refused) -> dict[str, object]:
        body = problem.body()
        if wait_s := problem.headers.get("Retry-After"):
            now_ms = self._now_ms()
            body["data"] = {"serverTime": now_ms, "retryAfter": now_ms + int(wait_s) * 1000}
        return body

    def _rates(
        self, session: Session, route: Route | None, account: str
    ) -> list[dict[str, object]]:
        now_ns = self._floor.mono_ns()
        rows = self._limits.weight_rows(now_ns, session.ip)
        if account and route and route.counts:
            rows += self._limits.order_rows(now_ns, account)
        return rows

    # --- session -------------------------------------------------------------------------------

    def _logon(self, session: Session, ask: Ask) -> object:
        key = ask.params.required("apiKey")
        found = self._auth.key(key)
        if found.kind != ED25519:
            raise Refused(KEY_TYPE)
        session.state["logon"] = Logon(key, found.account, self._now_ms())
        return self._status(session)

    def _logout(self, session: Session) -> object:
        session.state["logon"] = None
        return self._status(session)

    def _status(self, session: Session) -> object:
        logon: Logon | None = session.state["logon"]
        return {
            "apiKey": logon.key if logon else None,
            "authorizedSince": logon.since_ms if logon else None,
            "connectedSince": session.state["since_ms"],
            "returnRateLimits": session.state["tells"], "serverTime": self._now_ms(),
        }
