"""Binance spot's WebSocket API: one JSON request per frame, answered like REST.

Connections may log on with an Ed25519 key and then leave key and signature out; user streams are
subscriptions of a connection, one per account.
Source: binance-spot-api-docs:web-socket-api.md @ a5e0bc3, 2026-11-21.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec
import orjson

from ops.sim.credentials import ED25519, Credentials
from ops.sim.face import Session, Topic, json_object
from ops.sim.faces.binance.auth import Auth
from ops.sim.faces.binance.door import Ask, Route, Security, time_unit, weigh
from ops.sim.faces.binance.errors import (
    BAD_JSON,
    BAD_KEY,
    MANDATORY,
    UNKNOWN_PARAMETER,
    UNSUPPORTED,
    Problem,
    Refused,
)
from ops.sim.faces.binance.limits import Limits
from ops.sim.faces.binance.params import Params
from ops.sim.faces.binance.spot_reports import Row
from ops.sim.faces.binance.spot_stream import CHANNELS
from ops.sim.floor import Floor

PATH: Final = "/ws-api/v3"
CONNECT_WEIGHT: Final = 2
SUBSCRIPTIONS_MAX: Final = 1_000
SUBSCRIPTIONS_EVER_MAX: Final = 65_535
FIELDS: Final = {"id", "method", "params"}
ED25519_ONLY: Final = Problem(-4056, "HMAC_SHA256 API key is not supported.")
ACTIVE: Final = Problem(-2035, "User Data Stream subscription already active.")
INACTIVE: Final = Problem(-2036, "User Data Stream subscription not active.")
TOO_MANY: Final = Problem(-2042, "Maximum subscription ID reached for this connection.")


class Link(msgspec.Struct):
    """What one connection is; lives in ``session.state``."""

    since_ms: int
    unit: int
    tells_limits: bool
    key: Credentials | None = None
    logged_on_ms: int = 0
    subscriptions: dict[int, str] = {}  # id -> account
    next_id: int = 0
    of_logon: int = -1  # the subscription that ends with the session


class WsApi:
    """Serves the connections at PATH."""

    def __init__(
        self, floor: Floor, auth: Auth, limits: Limits, methods: Mapping[str, Route]
    ) -> None:
        self._floor, self._auth, self._limits, self._methods = floor, auth, limits, methods
        self._own: dict[str, Callable[[Session, Link, Params], object]] = {
            "session.logon": self._logon, "session.status": self._status,
            "session.logout": self._logout, "session.subscriptions": self._subscriptions,
            "userDataStream.subscribe": self._subscribe,
            "userDataStream.subscribe.signature": self._subscribe_signed,
            "userDataStream.unsubscribe": self._unsubscribe,
        }

    def opened(self, session: Session) -> None:
        """Take a connection in; it costs weight like a request."""
        options = dict(parse_qsl(session.query))
        try:
            unit = time_unit(options.get("timeUnit"))
            self._count(session, CONNECT_WEIGHT)
        except Refused as refused:
            session.send(orjson.dumps({"id": None, "status": refused.status,
                                       "error": refused.body()}))
            session.close(1008, refused.text[:120])
            return
        session.state["link"] = Link(
            self._now_ms(), unit, options.get("returnRateLimits") != "false")

    def wrap(self, session: Session, topic: Topic, body: bytes) -> bytes:
        """Say which subscription an event belongs to, if it is one's."""
        account = topic[1]
        if not account:
            return b'{"event":%s}' % body
        link: Link = session.state["link"]
        number = next(number for number, each in link.subscriptions.items() if each == account)
        return b'{"subscriptionId":%d,"event":%s}' % (number, body)

    def text(self, session: Session, message: bytes) -> None:
        """Serve one request."""
        link: Link | None = session.state.get("link")
        if link is None or self._revoked(session, link):  # None: refused when it came
            return
        request = json_object(message)
        answer: Row = {"id": request.get("id") if request else None}
        route, account, tells = None, "", link.tells_limits
        try:
            method, values = _read(request)
            route = self._methods.get(method)
            if route is None and method not in self._own:
                raise Refused(UNSUPPORTED)
            params = Params(values)
            wish = params.flag("returnRateLimits")
            tells = tells if wish is None else wish
            self._count(session, weigh(route, values) if route else 2)
            if route is None:
                result = self._own[method](session, link, params)
            else:
                account = self._who(session, route, link, values)
                result = route.serve(Ask(params, account, session.ip, link.unit))
                if route.free:
                    self._limits.give_back(
                        self._floor.mono_ns(), session.ip, weigh(route, values))
            answer |= {"status": 200, "result":
                       orjson.Fragment(result) if isinstance(result, bytes) else result}
        except Refused as refused:
            answer |= {"status": refused.status, "error": self._error(refused)}
        if tells:
            answer["rateLimits"] = self._told(route, account, session.ip)
        text = orjson.dumps(answer)
        (session.answer if route and route.entry else session.send)(text)
        if answer["status"] == 418:
            session.close(1008, "IP banned")

    # --- who, and how much ---------------------------------------------------------------------

    def _who(self, session: Session, route: Route, link: Link, values: Mapping[str, str]) -> str:
        """Return who asks, by the request's own key or by the connection's."""
        if route.security is Security.NONE:
            return ""
        if route.security is Security.KEY and values.get("apiKey"):
            return self._known(session, self._auth.key(values["apiKey"]))
        if link.key is None or "apiKey" in values:
            return self._known(session, self._auth.ws(values))
        if not values.get("timestamp"):
            raise Refused(MANDATORY, "timestamp")
        self._auth.in_time(values)
        return link.key.account

    @staticmethod
    def _known(session: Session, key: Credentials) -> str:
        """Note whose connection this is: faults strike the requests of clients that are known."""
        session.account = key.account
        return key.account

    def _revoked(self, session: Session, link: Link) -> bool:
        """End a session whose key is good no more; return whether it was."""
        try:
            if link.key is not None:
                self._auth.key(link.key.key)
        except Refused as refused:
            link.key, link.logged_on_ms = None, 0
            session.send(orjson.dumps({"id": None, "status": 401, "error": refused.body()}))
            return True
        return False

    def _count(self, session: Session, weight: int) -> None:
        self._limits.request(self._floor.mono_ns(), self._now_ms(), session.ip, weight)

    def _told(self, route: Route | None, account: str, ip: str) -> list[dict[str, object]]:
        now_ns = self._floor.mono_ns()
        rows = self._limits.weight_rows(now_ns, ip)
        if route and route.counts and account:
            rows = self._limits.order_rows(now_ns, account) + rows
        return rows

    def _error(self, refused: Refused) -> Row:
        body = refused.body()
        wait_s = refused.headers.get("Retry-After")
        if wait_s is not None:
            now_ms = self._now_ms()
            body["data"] = {"serverTime": now_ms, "retryAfter": now_ms + int(wait_s) * 1000}
        return body

    def _now_ms(self) -> int:
        return self._floor.now_ns() // 1_000_000

    # --- session -------------------------------------------------------------------------------

    def _logon(self, session: Session, link: Link, params: Params) -> object:
        params.done()
        key = self._auth.ws(params.values)
        if key.kind != ED25519:
            raise Refused(ED25519_ONLY)
        link.key, link.logged_on_ms = key, self._now_ms()
        self._known(session, key)
        return self._standing(link)

    def _status(self, session: Session, link: Link, params: Params) -> object:
        params.done()
        return self._standing(link)

    def _logout(self, session: Session, link: Link, params: Params) -> object:
        params.done()
        if link.of_logon in link.subscriptions:
            self._end(session, link, link.of_logon)
        link.key, link.logged_on_ms = None, 0
        return self._standing(link)

    def _standing(self, link: Link) -> Row:
        scale = 1_000_000 // link.unit
        return {
            "apiKey": link.key.key if link.key else None,
            "authorizedSince": link.logged_on_ms * scale if link.key else None,
            "connectedSince": link.since_ms * scale, "returnRateLimits": link.tells_limits,
            "serverTime": self._floor.now_ns() // link.unit,
            "userDataStream": bool(link.subscriptions),
        }

    # --- user streams --------------------------------------------------------------------------

    def _subscriptions(self, session: Session, link: Link, params: Params) -> object:
        params.done()
        return [{"subscriptionId": number} for number in link.subscriptions]

    def _subscribe(self, session: Session, link: Link, params: Params) -> object:
        params.done()
        if link.key is None:
            raise Refused(BAD_KEY)
        begun = self._begin(session, link, link.key.account)
        link.of_logon = link.next_id - 1
        return begun

    def _subscribe_signed(self, session: Session, link: Link, params: Params) -> object:
        params.done()
        return self._begin(session, link, self._auth.ws(params.values).account)

    def _begin(self, session: Session, link: Link, account: str) -> Row:
        if account in link.subscriptions.values():
            raise Refused(ACTIVE)
        if (link.next_id >= SUBSCRIPTIONS_EVER_MAX
                or len(link.subscriptions) >= SUBSCRIPTIONS_MAX):
            raise Refused(TOO_MANY)
        number = link.next_id
        link.next_id += 1
        link.subscriptions[number] = account
        session.subscribe((CHANNELS[link.unit], account), str(number))
        return {"subscriptionId": number}

    def _unsubscribe(self, session: Session, link: Link, params: Params) -> object:
        number = params.whole("subscriptionId")
        params.done()
        numbers = list(link.subscriptions) if number is None else [number]
        if not numbers or numbers[0] not in link.subscriptions:
            raise Refused(INACTIVE)
        for each in numbers:
            self._end(session, link, each)
        return {}

    def _end(self, session: Session, link: Link, number: int) -> None:
        event = {"e": "eventStreamTerminated", "E": self._floor.now_ns() // link.unit}
        topic = CHANNELS[link.unit], link.subscriptions[number]
        session.send(self.wrap(session, topic, orjson.dumps(event)))
        session.unsubscribe(topic)
        del link.subscriptions[number]


def _read(request: dict[str, Any] | None) -> tuple[str, dict[str, str]]:
    """Return method and parameters as text, booleans as true and false."""
    if request is None:
        raise Refused(BAD_JSON)
    if request.keys() - FIELDS:
        raise Refused(UNKNOWN_PARAMETER)
    method, params = request.get("method"), request.get("params")
    named = isinstance(request.get("id"), str | int | None)
    if not isinstance(method, str) or not isinstance(params, dict | None) or not named:
        raise Refused(BAD_JSON)
    return method.removeprefix("v3/"), {name: _text(value)
                                        for name, value in (params or {}).items()}


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else orjson.dumps(value).decode()
