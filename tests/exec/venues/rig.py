"""A codec at a simulated venue's face: no sockets, and a clock that moves only when told to.

    Fold ◀─ reports ─ Codec ◀─ texts ─ Rig ─ texts ─▶ Face ─▶ Exchange

The way between the two may lose, double and delay texts, by a seed.
"""

from collections.abc import Callable
from random import Random
from typing import Any, Final
from urllib.parse import parse_qsl

from engine.model.clock import ManualClock
from engine.model.fault import Fault
from exec import records as r
from exec.core import ports as p
from exec.core.sender import client_id
from exec.gateways.codec import ORDERS, REST, USER, Answer, Codec, Listing, Outcome, Request
from exec.state.entries import Order
from exec.state.orders import State as OrderState
from ops.sim.book import ASK, BID
from ops.sim.credentials import Credentials
from ops.sim.exchange.orders import Order as SimOrder
from ops.sim.exchange.orders import Request as SimRequest
from ops.sim.exchange.orders import Tif
from ops.sim.face import Face, HttpRequest, Topic
from ops.sim.faults import Faults
from ops.sim.floor import Clients, Floor
from ops.sim.listing import Line, invented_line
from ops.sim.truth import AccountTruth, account_truth_of
from tests.exec.venues.fold import Fold

SECOND: Final = 1_000_000_000
BEGIN: Final = 1_790_000_000 * SECOND
BIRTH: Final = 1_790_000_000
LEVELS: Final = 20
MakeCodec = Callable[[Credentials, tuple[Listing, ...]], Codec]


class Session:
    """One WebSocket connection."""

    def __init__(self, rig: "Rig", number: int, path: str) -> None:
        self.path, self.query, self.connection_id, self.ip = path, "", number, "127.0.0.1"
        self.topics: dict[Topic, str] = {}
        self.messages, self.combined, self.account = 0, False, ""
        self.state: dict[str, Any] = {}
        self.frames: list[bytes] = []
        self.closed: int | None = None
        self._rig = rig

    def send(self, text: bytes) -> None:
        """Keep a frame."""
        self.frames.append(text)

    answer = send

    def push(self, topic: Topic, text: bytes) -> None:
        """Keep a push; the way may lose, double or delay a private one, which has no number yet."""
        face = self._rig.face
        if not topic[0].startswith("@"):
            self.frames.append(text)
            return
        for each in self._rig.way(text):
            self.frames.append(face.stamp(self, each))

    def close(self, code: int, reason: str) -> None:
        """Note the end."""
        self.closed = code

    def subscribe(self, topic: Topic, word: str) -> None:
        """Hear what is published under a topic."""
        self.topics[topic] = word

    def unsubscribe(self, topic: Topic) -> None:
        """Hear it no more."""
        self.topics.pop(topic, None)


class Rig:
    """One venue with one line, and one account's codec in front of it."""

    def __init__(
        self, name: str, face: type[Face], make: MakeCodec, *faults: Fault,
        pair: str = "BTC/USDT", code: str = "", kind: str = "", seed: int = 1, loss: float = 0.0,
    ) -> None:
        """``loss``: how likely each text between codec and venue suffers."""
        self.clock = ManualClock(mono_ns=SECOND, unix_ns=BEGIN)
        self.line: Line = invented_line(name, pair)
        tick, size = 10 ** self.line.price_decimals, 10 ** self.line.size_decimals
        self.mid = 64_000 * tick
        for step in range(1, LEVELS + 1):
            self.line.outside.set(BID, self.mid - step, size // 50)
            self.line.outside.set(ASK, self.mid + step, size // 50)
        self.floor = Floor(name, [self.line], self.clock,
                           Faults(faults, seed=seed, start_mono_ns=0),
                           Clients(1, ["main", "other"], {}))
        self.sessions: dict[str, Session] = {}
        self.face = face([self.line], self, self.clock, self.floor)
        self.floor.face = self.face
        base, quote = pair.split("/")
        self.listing = Listing(
            pair, self.line.native, base, quote, "", self.line.price_decimals,
            self.line.size_decimals, code)
        self.key = next(each for each in self.floor.credentials.values()
                        if each.account == "main" and kind in ("", each.kind))
        self.codec = make(self.key, (self.listing,))
        self.fold = Fold(name, (self.listing,))
        self.begin = self.truth()
        self.random, self.loss = Random(seed), loss
        self.live: set[str] = set()
        self.rest: list[Request] = []
        self.frames: list[tuple[str, bytes]] = []  # by channel
        self.answers: list[tuple[Request, Answer]] = []
        self.slow = False  # answers come after all frames that were there when they were asked for
        self._waiting: list[tuple[Request, Answer, int]] = []
        self._late: list[bytes] = []
        self._orders = 0

    # --- the venue's side ----------------------------------------------------------------------

    def wanted(self, topic: Topic) -> bool:
        """Return whether anyone listens."""
        return any(topic in each.topics for each in self.sessions.values())

    def publish(self, topic: Topic, body: bytes) -> None:
        """Send to all who listen."""
        for each in self.sessions.values():
            if topic in each.topics:
                each.push(topic, self.face.wrap(each, topic, body))

    def hold(self) -> None:
        """Nothing is ever kept back here."""

    def release(self) -> None:
        """Nothing was kept back."""

    def truth(self) -> AccountTruth:
        """Return what the account holds and did."""
        return account_truth_of(self.floor.exchange, "main")

    def other(
        self, side: int, price: int, size: int, tif: Tif = Tif.IOC
    ) -> SimOrder:
        """Let somebody else trade."""
        placed = self.floor.place(SimRequest(
            account="other", symbol=self.line.native, side=side, price=price, size=size, tif=tif))
        assert isinstance(placed, SimOrder)
        return placed

    def way(self, text: bytes) -> list[bytes]:
        """Return what comes through for a private push, late ones included."""
        late, self._late = self._late, []
        luck = self.random.random()
        if luck >= self.loss:
            return [text, *late]
        if luck < self.loss / 3:
            return late
        if luck < self.loss * 2 / 3:
            return [text, text, *late]
        self._late = [text]
        return late

    # --- the client's side ---------------------------------------------------------------------

    def connect(self) -> None:
        """Open what the codec wants open."""
        for channel, path in ((ORDERS, self.codec.orders_path), (USER, self.codec.user_path)):
            if not path:
                continue
            self.clock.advance(SECOND)
            session = Session(self, len(self.sessions) + 1, path)
            self.sessions[channel] = session
            self.face.opened(session)
            for request in self.codec.opening(channel, self.clock.unix_ns()):
                self.send(request)
        self.pump()

    def send(self, request: Request) -> None:
        """Carry a request over, and its answer back if it is one of REST."""
        if request.channel != REST:
            assert request.text
            self.face.text(self.sessions[request.channel], request.text)
            return
        self.rest.append(request)
        asked_ns = self.clock.unix_ns()
        answer = self.ask(request)
        self.answers.append((request, answer))
        if request.purpose in ("place", "cancel") and self.random.random() < self.loss:
            self.fold.hear(p.Lost(self.codec.venue, request.client_id, request.purpose, "lost"))
            return
        self.act(self.codec.answer(request, answer, asked_ns))

    def ask(self, request: Request) -> Answer:
        """Return the venue's answer to a REST request."""
        path, _, query = request.path.partition("?")
        headers = {name.lower(): value for name, value in request.headers.items()}
        parsed: dict[str, str] = {}
        for name, value in parse_qsl(query):
            parsed[name] = f"{parsed[name]},{value}" if name in parsed else value
        found = self.face.request(HttpRequest(
            request.method, path, query, parsed, headers, request.text, "127.0.0.1"))
        headers = {name.lower(): value for name, value in found.headers.items()}
        return Answer(found.status, headers, found.body)

    def act(self, outcome: Outcome) -> None:
        """Take reports in, carry requests on."""
        self.fold.now_ns = self.clock.unix_ns()
        self.live |= set(outcome.live)
        for report in outcome.reports:
            self.fold.hear(report)
        for request in outcome.requests:
            self.clock.advance(SECOND // 50)
            if self.slow:
                self.rest.append(request)
                self._waiting.append((request, self.ask(request), self.clock.unix_ns()))
            else:
                self.send(request)

    def deliver(self) -> None:
        """Let the answers come that waited; what they lead to waits in turn."""
        waiting, self._waiting = self._waiting, []
        for request, answer, asked_ns in waiting:
            self.act(self.codec.answer(request, answer, asked_ns))

    def pump(self) -> None:
        """Let the codec read all that came; answers to orders may be lost on the way."""
        while any(each.frames for each in self.sessions.values()):
            for channel, session in self.sessions.items():
                frames, session.frames = session.frames, []
                self.frames += ((channel, text) for text in frames)
                for text in frames:
                    outcome = self.codec.frame(channel, text, self.clock.unix_ns())
                    if outcome.answers and outcome.reports and self.random.random() < self.loss:
                        self._lose(outcome)
                    else:
                        self.act(outcome)

    def _lose(self, outcome: Outcome) -> None:
        """Let the gateway's patience with a request end before its answer comes."""
        for report in outcome.reports:
            if isinstance(report, p.Accepted | p.Denied):
                self.fold.hear(p.Lost(self.codec.venue, report.client_id, "place", "lost"))
            elif isinstance(report, p.CancelDenied):
                self.fold.hear(p.Lost(self.codec.venue, report.client_id, "cancel", "lost"))

    def intend(
        self, side: int, price: int, size: int, tif: r.Tif = r.Tif.GTC, *,
        post_only: bool = False, life_ns: int = 5 * SECOND,
    ) -> r.Intended:
        """Write an order down."""
        self._orders += 1
        intent = r.Intended(
            self._orders, 0, 0, self.codec.venue, self.listing.symbol, side, price, size, tif,
            post_only, False, client_id(BIRTH, self._orders), 1,
            self.clock.unix_ns() + life_ns, "enter")
        self.fold.now_ns = self.clock.unix_ns()
        self.fold.intend(intent)
        return intent

    def place(
        self, side: int, price: int, size: int, tif: r.Tif = r.Tif.GTC, *,
        post_only: bool = False, rest: bool = False,
    ) -> Order:
        """Place an order; return what became of it so far."""
        intent = self.intend(side, price, size, tif, post_only=post_only)
        self.send(self.codec.place(intent, self.clock.unix_ns(), rest=rest))
        self.pump()
        return self.fold.state.orders[intent.order]

    def cancel(self, order: Order, *, rest: bool = False) -> None:
        """Ask for a cancel."""
        self.fold.apply(r.CancelAsked(order.intent.order, "asked"))
        self.send(self.codec.cancel(
            order.intent, order.venue_order, self.clock.unix_ns(), rest=rest))
        self.pump()

    def query(self, order: Order) -> None:
        """Ask what became of an order."""
        for request in self.codec.query(
                order.intent, order.venue_order, self.clock.unix_ns()):
            self.send(request)
        self.pump()

    def survey(self, since_unix_ns: int = BEGIN) -> None:
        """Ask for everything."""
        self.fold.balances.clear()
        for request in self.codec.survey(since_unix_ns, self.clock.unix_ns()):
            self.send(request)
        self.pump()

    def wait(self, seconds: float) -> None:
        """Let time pass, with the server's ticks and beats, and the codec's own."""
        for tick in range(1, round(seconds * 10) + 1):
            self.clock.advance(SECOND // 10)
            self.floor.tick()
            self.face.tick()
            if tick % 10 == 0:
                for each in self.sessions.values():
                    self.face.beat(each, self.clock.mono_ns() // SECOND)
                self.act(Outcome(requests=self.codec.keep(self.clock.unix_ns())))
            self.pump()

    def gamble(self, acts: int) -> None:
        """Place, cancel and be hit at random, around the middle of the book."""
        luck, lot = Random(self.random.random()), 10 ** self.listing.size_decimals // 10**4
        for _ in range(acts):
            act, orders = luck.random(), [*self.fold.state.orders.values()]
            side, price = luck.choice((1, -1)), self.mid + luck.randint(-12, 12)
            rest = luck.random() < 0.3
            if act < 0.45:
                tif = luck.choice((r.Tif.GTC, r.Tif.GTC, r.Tif.IOC, r.Tif.FOK))
                self.place(side, price, luck.choice((1, 3, 7, 400)) * lot, tif, rest=rest,
                           post_only=tif is r.Tif.GTC and luck.random() < 0.3)
            elif act < 0.6 and orders:
                self.cancel(luck.choice(orders), rest=rest)
            elif act < 0.8:
                self.other(side, price, luck.choice((1, 2, 5)) * lot)
            elif act < 0.83:
                self.survey()
            self.pump()
            self.wait(0.1)

    def settle(self) -> None:
        """Ask, as the core would, until every order's story is complete; then survey."""
        self.loss = 0.0
        for late in [*self._late]:
            self._late.clear()
            self.sessions[USER].frames.append(self.face.stamp(self.sessions[USER], late))
        self.pump()
        self.wait(6)
        for order in [*self.fold.state.live.values()]:
            waits = order.state in (OrderState.SENT, OrderState.CANCELLING)
            if waits or (order.state is OrderState.OPEN and order.intent.tif != r.Tif.GTC):
                self.fold.apply(r.Doubted(order.intent.order, "no answer"))
            self.query(order)
            self.clock.advance(SECOND // 10)
        self.survey()
