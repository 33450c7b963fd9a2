"""The OKX face without sockets, and with a clock that moves only when told to."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from engine.model.clock import ManualClock
from engine.model.fault import Fault
from ops.sim.book import ASK, BID, Change
from ops.sim.face import HttpRequest, Topic, Update, iso
from ops.sim.faces.okx import Okx
from ops.sim.faults import Faults
from ops.sim.floor import Clients, Floor
from ops.sim.listing import Line, invented_line
from tests.ops.sim.faces.okx.client import Row, order, signature

SECOND = 1_000_000_000
BEGIN = 1_790_000_000 * SECOND


class Listener:
    """A session that keeps what it is sent."""

    def __init__(self, scene: "Scene", number: int, path: str) -> None:
        self.path, self.query, self.connection_id, self.ip = path, "", number, "127.0.0.1"
        self.topics: dict[Topic, str] = {}
        self.messages, self.combined, self.account = 0, False, ""
        self.state: dict[str, Any] = {}
        self.frames: list[bytes] = []
        self.closed: int | None = None
        self._scene = scene

    def send(self, text: bytes) -> None:
        """Keep a frame."""
        self.frames.append(text)

    def answer(self, text: bytes) -> None:
        """Keep an answer to an order."""
        self.frames.append(text)

    def push(self, topic: Topic, text: bytes) -> None:
        """Keep a push."""
        self.frames.append(text)

    def close(self, code: int, reason: str) -> None:
        """Note the end."""
        self.closed = code

    def subscribe(self, topic: Topic, word: str) -> None:
        """Hear what is published under a topic."""
        self.topics[topic] = word

    def unsubscribe(self, topic: Topic) -> None:
        """Hear it no more."""
        self.topics.pop(topic, None)

    def ask(self, request: object) -> None:
        """Send a request: bytes as they are, all else as JSON."""
        text = request if isinstance(request, bytes) else json.dumps(request).encode()
        self._scene.face.text(self, text)

    def take(self) -> list[Any]:
        """Return the frames so far, parsed, and forget them."""
        frames, self.frames = self.frames, []
        return [frame if frame == b"pong" else json.loads(frame) for frame in frames]

    def follow(self, *args: Row) -> None:
        """Log in, subscribe, and forget what came of it."""
        self.ask(self._scene.login())
        self.ask({"op": "subscribe", "args": list(args)})
        self.take()


class Scene:
    """One venue with one line, a bid at 64000 and an ask at 64001, and its listeners."""

    def __init__(self, *faults: Fault, name: str = "okx") -> None:
        self.clock = ManualClock(mono_ns=SECOND, unix_ns=BEGIN)
        self.line: Line = invented_line(name, "BTC/USDT")
        self.line.outside.set(BID, 640_000, 10**8)
        self.line.outside.set(ASK, 640_010, 10**8)
        self.faults = Faults(faults, seed=1, start_mono_ns=0)
        self.floor = Floor(
            name, [self.line], self.clock, self.faults, Clients(1, ["main", "other"], {}))
        self.keys = {each.account: each for each in self.floor.credentials.values()}
        self.listeners: list[Listener] = []
        self.face = Okx([self.line], self, self.clock, self.floor)
        self.floor.face = self.face

    def wanted(self, topic: Topic) -> bool:
        """Return whether anyone listens."""
        return any(topic in each.topics for each in self.listeners)

    def publish(self, topic: Topic, body: bytes) -> None:
        """Send to all who listen."""
        for each in self.listeners:
            if topic in each.topics:
                each.push(topic, self.face.wrap(each, topic, body))

    def hold(self) -> None:
        """Nothing is ever kept back here."""

    def release(self) -> None:
        """Nothing was kept back."""

    def listen(self, path: str = "private") -> Listener:
        """Open a connection."""
        listener = Listener(self, len(self.listeners) + 1, f"/ws/v5/{path}")
        self.listeners.append(listener)
        self.clock.advance(SECOND)  # three a second and address
        self.face.opened(listener)
        return listener

    def login(self, account: str = "main") -> Row:
        """Return a login request."""
        key = self.keys[account]
        at = str(self.floor.now_ns() // SECOND)
        return {"op": "login", "args": [{
            "apiKey": key.key, "passphrase": key.passphrase, "timestamp": at,
            "sign": signature(key.secret, f"{at}GET/users/self/verify")}]}

    def call(
        self, method: str, verb: str, body: object = None, *, account: str = "main",
        query: Mapping[str, str] | None = None,
    ) -> tuple[int, Any]:
        """Make a signed request."""
        key = self.keys[account]
        at = iso(self.floor.now_ns())[:-4] + "Z"
        raw = urlencode(query or {})
        target = f"/api/v5/{verb}" + ("?" if raw else "") + raw
        text = "" if body is None else json.dumps(body)
        headers = {
            "ok-access-key": key.key, "ok-access-passphrase": key.passphrase,
            "ok-access-timestamp": at, "content-type": "application/json",
            "ok-access-sign": signature(key.secret, at + method + target + text)}
        answer = self.face.request(HttpRequest(
            method, f"/api/v5/{verb}", raw, dict(query or {}), headers, text.encode(),
            "127.0.0.1"))
        return answer.status, json.loads(answer.body)

    def get(self, verb: str, **query: str) -> list[Row]:
        """Read; the answer must be a good one."""
        _, answer = self.call("GET", verb, query=query)
        assert answer["code"] == "0", answer
        rows: list[Row] = answer["data"]
        return rows

    def post(self, verb: str, body: object, account: str = "main") -> Any:
        """Write; return the whole answer."""
        return self.call("POST", verb, body, account=account)[1]

    def place(self, side: str = "buy", kind: str = "limit", account: str = "main",
              **fields: Any) -> Row:
        """Place an order; return the answer's row."""
        answer = self.post("trade/order", order(side, kind, **fields), account)
        assert answer["data"], answer
        row: Row = answer["data"][0]
        return row

    def move(self, *changes: tuple[int, int, int]) -> None:
        """Let the market set levels: (side, price in tenths, size in 1e-8)."""
        for change in changes:
            self.line.outside.set(*change)
        self.floor.flow(self.line, Update([Change(*each) for each in changes], [], send=True))

    def wait(self, seconds: float, step_s: float = 0.1) -> None:
        """Let time pass, with the server's ticks and beats."""
        for tick in range(1, round(seconds / step_s) + 1):
            self.clock.advance(int(step_s * SECOND))
            self.floor.tick()
            self.face.tick()
            if tick % round(1 / step_s) == 0:
                for each in self.listeners:
                    if each.closed is None:
                        self.face.beat(each, round(tick * step_s))
