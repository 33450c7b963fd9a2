"""WebSocket v2: what a client's text asks for, and the frame every answer has.

Public channels answer once per symbol, private ones once.  Source: shared/venues/kraken.md,
2026-11-21, and error texts from recorded traffic.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson

from ops.sim.face import Session, strings
from ops.sim.faces.kraken import channels
from ops.sim.faces.kraken.answers import Declined
from ops.sim.faces.kraken.auth import Token, Tokens
from ops.sim.faces.kraken.channels import Channels
from ops.sim.faces.kraken.limits import messages
from ops.sim.faces.kraken.params import Params, exact_json
from ops.sim.faces.kraken.requests import Requests
from ops.sim.faces.kraken.stream import PUBLIC, Stream
from ops.sim.floor import Floor

EXCEEDED: Final = b'{"Error":"Exceeded msg rate"}'
MALFORMED: Final = b'{"error":"Malformed request","success":false}'
RATE: Final = "rate of messages"  # where a session keeps its limit
REQ_ID_MAX: Final = 2**63
SUBSCRIPTIONS: Final = ("subscribe", "unsubscribe")
Send = Callable[[bytes], None]


class Frames:
    """Answers of one request: method, what is said, success, times and the request's id."""

    def __init__(self, method: object, request: dict[str, Any], now: Callable[[], str]) -> None:
        self._head = {"method": method} if isinstance(method, str) else {}
        number = request.get("req_id")
        self.numbered = number is None or (type(number) is int and abs(number) < REQ_ID_MAX)
        self._tail = {} if number is None or not self.numbered else {"req_id": number}
        self._now, self._time_in = now, now()

    def __call__(self, said: dict[str, Any], *, success: bool | None = None) -> bytes:
        """Write one answer; refusals have an ``error``."""
        ok = {"success": "error" not in said if success is None else success}
        times = {"time_in": self._time_in, "time_out": self._now()}
        return orjson.dumps(self._head | said | ok | times | self._tail)

    def pong(self) -> bytes:
        """Write the answer to a ping, which has no success."""
        return orjson.dumps({"method": "pong", **self._tail, "time_in": self._time_in,
                             "time_out": self._now()})


class Socket:
    """Reads requests and sends them where they belong."""

    def __init__(
        self, floor: Floor, stream: Stream, private: Channels, requests: Requests,
        tokens: Tokens, now: Callable[[], str],
    ) -> None:
        self._floor, self._stream, self._channels = floor, stream, private
        self._requests, self._tokens, self._now = requests, tokens, now

    def text(self, session: Session, message: bytes) -> None:
        """Serve one text frame."""
        limit = session.state.setdefault(RATE, messages())
        if not limit.take(self._floor.mono_ns()):
            session.send(EXCEEDED)
            return
        request = exact_json(message)
        if request is None:
            session.send(MALFORMED)
            return
        method = request.get("method")
        frames = Frames(method, request, self._now)
        fields = request.get("params")
        if not frames.numbered:
            session.send(frames({"error": "Req_id field must be a number_integer"}))
        elif method == "ping":
            problem = "Unsupported field: 'params' for the given msg type: ping"
            session.send(frames.pong() if fields is None else frames({"error": problem}))
        elif isinstance(method, str) and method in self._requests.methods:
            self._order(session, method, fields, frames)
        elif isinstance(fields, dict) and fields.get("channel") in channels.CHANNELS and (
                method in SUBSCRIPTIONS):
            self._private(session, str(method), fields, frames)
        else:
            self._public(session, method, fields, frames)

    # --- private -------------------------------------------------------------------------------

    def _order(self, session: Session, method: str, fields: object, frames: Frames) -> None:
        """Carry an order request out; each reply goes as soon as it is known."""
        try:
            params = Params(fields if isinstance(fields, dict) else {}, strict=True)
            token = self._token(params.fields)
            for reply in self._requests.methods[method](token.account, params):
                session.answer(frames(reply))
        except Declined as refusal:
            session.answer(frames({"error": str(refusal)}))

    def _token(self, fields: Mapping[str, Any]) -> Token:
        floor = self._floor
        return self._tokens.find(floor.credentials, fields.get("token"), floor.mono_ns())

    def _private(
        self, session: Session, method: str, fields: dict[str, Any], frames: Frames
    ) -> None:
        try:
            params = Params(fields, strict=True)
            token = self._token(fields)
            session.account = token.account
            if method == "unsubscribe":
                if not self._channels.unsubscribe(session, fields["channel"]):
                    raise Declined("Subscription Not Found")
                session.send(frames({"result": {"channel": fields["channel"]}}))
                return
            result = self._channels.subscribe(session, token.account, params)
            token.use(session)
        except Declined as refusal:
            session.send(frames({"error": str(refusal)}))
            return
        session.send(frames({"result": result}))
        self._channels.snapshot(session, token.account, result)

    # --- public --------------------------------------------------------------------------------

    def _public(self, session: Session, method: object, fields: object, frames: Frames) -> None:
        fields = fields if isinstance(fields, dict) else {}
        channel, natives = fields.get("channel"), strings(fields.get("symbol")) or []
        problem = None
        if method not in SUBSCRIPTIONS:
            problem = "Unsupported method"
        elif channel == "level3":  # served by ws-l3 alone, to keys that may
            problem = "EGeneral:Permission denied" if "token" in fields else "Token(s) not found"
        elif channel == "instrument":
            self._instrument(session, method == "subscribe", fields, frames)
            return
        elif channel not in PUBLIC:
            problem = "Unsupported channel"
        elif not natives:
            problem = "Symbol(s) not found"
        else:
            problem = self._stream.problem(fields)
        if problem is not None:
            session.send(frames({"error": problem}))
            return
        for native in natives:
            self._symbol(session, method == "subscribe", fields, native, frames)

    def _symbol(
        self, session: Session, wanted: bool, fields: dict[str, Any], native: str,
        frames: Frames,
    ) -> None:
        """Answer for one symbol of a request, then send its snapshot."""
        line = self._stream.lines.get(native)
        if line is None:
            session.send(frames({
                "error": f"Currency pair not supported {native}", "symbol": native}))
            return
        topic = self._stream.topic(fields, native)
        if not wanted and topic not in session.topics:
            session.send(frames({"error": "Subscription Not Found", "symbol": native}))
            return
        if wanted:
            session.subscribe(topic, fields["channel"])
        else:
            session.unsubscribe(topic)
        result = self._stream.acknowledged(fields, subscribed=wanted)
        session.send(frames({"result": result | {"symbol": native}}))
        if result.get("snapshot") and line.started:
            self._stream.send_first(session, topic, line)

    def _instrument(
        self, session: Session, wanted: bool, fields: dict[str, Any], frames: Frames
    ) -> None:
        topic = ("instrument", "")
        snapshot = fields.get("snapshot", True) is True
        result = {"channel": "instrument"} | ({"snapshot": snapshot} if wanted else {})
        if not wanted:
            if topic not in session.topics:
                session.send(frames({"error": "Subscription Not Found"}))
                return
            session.unsubscribe(topic)
        else:
            session.subscribe(topic, "instrument")
        session.send(frames({"result": result}))
        if wanted and snapshot:
            session.push(topic, self._stream.instruments("snapshot"))
