"""The WebSocket door: login, subscriptions, order entry, and the errors of each.

Source: shared/venues/okx.md, Keepalive, Private and Rate limits, 2026-11-21.  Each of the paths
/public, /private and /business serves its own channels.
"""

import re
from typing import Any, Final

import orjson

from ops.sim.face import Session, Topic, json_object
from ops.sim.faces.okx.auth import Gate
from ops.sim.faces.okx.catalogue import Catalogue
from ops.sim.faces.okx.channels import Channels, wrong_channel
from ops.sim.faces.okx.desk import BATCH_MAX, Desk, Operation, Row, outcome
from ops.sim.faces.okx.errors import Failure, empty, failure
from ops.sim.faces.okx.limits import Limits
from ops.sim.faces.okx.private import expired
from ops.sim.faces.okx.requests import Body
from ops.sim.floor import Floor

Request = dict[str, Any]
REQUEST_ID: Final = re.compile(r"[A-Za-z0-9]{1,32}")
CONTROLS: Final = ("login", "subscribe", "unsubscribe")
ENTRIES: Final = {
    "order": "place", "batch-orders": "place", "cancel-order": "cancel",
    "batch-cancel-orders": "cancel", "amend-order": "amend", "batch-amend-orders": "amend",
}
BATCHES: Final = frozenset({"batch-orders", "batch-cancel-orders", "batch-amend-orders"})
ARGS_SIZE_MAX: Final = 64 << 10  # of all channels of a connection
TOO_BIG: Final = 1009
LOGIN_FAILED: Final = 4001
WHOLE: Final = {"50011": "60014", "50061": "50061"}  # what refuses a single order's request


class Stream:
    """Serves text frames."""

    def __init__(
        self, floor: Floor, limits: Limits, desk: Desk, channels: Channels, catalogue: Catalogue,
    ) -> None:
        self._floor, self._limits, self._channels = floor, limits, channels
        self._gate, self._catalogue = Gate(floor), catalogue
        self._operations: dict[str, Operation] = {
            "place": desk.place, "amend": desk.amend, "cancel": desk.cancel}

    def text(self, session: Session, message: bytes) -> None:
        """Serve the text ping, and the requests."""
        if message == b"ping":
            session.messages += 1
            session.send(b"pong")
            return
        request = json_object(message)
        op = request.get("op") if request else None
        args = request.get("args") if request else None
        if request is None or op not in (*CONTROLS, *ENTRIES) or not isinstance(args, list) \
                or (not args and op not in ENTRIES):
            text = message[:200].decode("utf-8", "replace")
            self._error(session, request, Failure("60012", f"Invalid request: {text}"))
        elif op in ENTRIES:
            self._enter(session, request, op, args)
        elif (request_id := request.get("id")) is not None and not _names(request_id):
            self._error(session, None, Failure("60033", "Parameter id error"))
        elif not self._limits.control(session.connection_id):
            self._error(session, request, failure("60014"))
        elif op == "login":
            self._login(session, request, args)
        else:
            self._follow(session, request, op, args)

    # --- login, subscriptions ------------------------------------------------------------------

    def _login(self, session: Session, request: Request, args: list[Any]) -> None:
        if len(args) > 1 or session.account:
            self._error(session, request, failure("60031"))
            return
        account: str | Failure = failure("60009")
        if isinstance(args[0], dict):
            account = self._gate.login(args[0])
        if isinstance(account, Failure):
            self._error(session, request, account)
            session.close(LOGIN_FAILED, "Login failed")
            return
        session.account, session.state["key"] = account, str(args[0]["apiKey"])
        self._reply(session, request, {"event": "login", "code": "0", "msg": ""})

    def _follow(self, session: Session, request: Request, op: str, args: list[Any]) -> None:
        """Subscribe or unsubscribe; one answer per argument."""
        for arg in args:
            if not isinstance(arg, dict):
                self._error(session, request, Failure("60012", f"Invalid request: {arg!r}"))
            elif op == "subscribe":
                self._subscribe(session, request, arg)
            else:
                topic = self._channels.topic(session, arg)
                if not isinstance(topic, Failure):
                    session.unsubscribe(topic)
                self._reply(session, request, {"event": "unsubscribe", "arg": arg})

    def _subscribe(self, session: Session, request: Request, arg: dict[str, Any]) -> None:
        topic = self._channels.topic(session, arg)
        if isinstance(topic, Failure):
            self._error(session, request, topic)
            return
        if topic not in session.topics:
            size = session.state["args_size"] = (
                session.state.get("args_size", 0) + len(orjson.dumps(arg)))
            if size > ARGS_SIZE_MAX:
                session.close(TOO_BIG, "The subscribed channels are too long")
                return
        self._reply(session, request, {"event": "subscribe", "arg": arg})
        self._begin(session, arg, topic)

    def _begin(self, session: Session, arg: dict[str, Any], topic: Topic) -> None:
        """Subscribe, tell how many connections a counted channel has, push what comes first."""
        counted = self._channels.join(session, arg, topic)
        if counted is not None:
            session.send(orjson.dumps(counted | {"connId": conn_id(session)}))
            if topic not in session.topics:
                return
        if (body := self._channels.first(session, arg)) is not None:
            session.push(topic, self._channels.wrap(session, topic, body))

    # --- order entry ---------------------------------------------------------------------------

    def _enter(self, session: Session, request: Request, op: str, args: list[Any]) -> None:
        """Place, amend or cancel; the answer repeats the request's id."""
        begun_us = self._now_us()
        if session.path.rsplit("/", 1)[-1] != "private":
            self._error(session, request, wrong_channel({"op": op}))
            return
        if not session.account:
            self._error(session, request, failure("60011"))
            return
        name, rows, why = ENTRIES[op], list[Row](), self._unfit(request, op, args)
        if why is None:
            rows = [self._operations[name](
                        session.account, each, self._native(each), batch=len(args) > 1)
                    for each in args]
            if len(rows) == 1 and rows[0]["sCode"] in WHOLE:
                code = WHOLE[rows[0]["sCode"]]
                why, rows = failure(code), []
        code = why.code if why else outcome(rows)
        request_id = request.get("id")
        session.messages += 1
        session.answer(orjson.dumps({
            "id": request_id if _names(request_id) else "", "op": op, "data": rows,
            "code": code, "msg": why.text if why else "", "inTime": str(begun_us),
            "outTime": str(self._now_us()),
        }))

    def _unfit(self, request: Request, op: str, args: list[Any]) -> Failure | None:
        """Return what refuses a request as a whole."""
        most = BATCH_MAX if op in BATCHES else 1
        if not _names(request.get("id")) or not 1 <= len(args) <= most \
                or not all(isinstance(each, dict) for each in args):
            return failure("60013")
        deadline = request.get("expTime")
        if ENTRIES[op] == "cancel" or deadline is None:
            return None
        return expired(str(deadline), self._floor.now_ns())

    def _native(self, body: Body) -> str | Failure:
        """Return the instrument that is meant: by its code alone, names are not taken."""
        code = body.get("instIdCode")
        if code in (None, ""):
            return empty("instIdCode")
        known = isinstance(code, int) and not isinstance(code, bool)
        return self._catalogue.by_code.get(code if known else -1) or failure("51001")

    # --- answers -------------------------------------------------------------------------------

    def _now_us(self) -> int:
        return self._floor.now_ns() // 1000

    def _reply(self, session: Session, request: Request | None, body: dict[str, Any]) -> None:
        request_id = request.get("id") if request else None
        head = {"id": request_id} if _names(request_id) else {}
        session.messages += 1
        session.send(orjson.dumps(head | body | {"connId": conn_id(session)}))

    def _error(self, session: Session, request: Request | None, why: Failure) -> None:
        body = {"event": "error", "code": why.code, "msg": why.text}
        self._reply(session, request, body)


def _names(request_id: object) -> bool:
    return isinstance(request_id, str) and REQUEST_ID.fullmatch(request_id) is not None


def conn_id(session: Session) -> str:
    """Return the venue's name of a connection."""
    return f"a{session.connection_id:07x}"
