"""What a protocol face is: requests in, answers out; market changes in, frames out.  No socket.

Public streams carry topics of a channel and a symbol; private ones a channel that begins with
"@" and an account's name: a session that proved who it is subscribes to them like to any other.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

import orjson

from engine.model.clock import Clock
from ops.sim.book import Change
from ops.sim.exchange.events import Event
from ops.sim.listing import Line

if TYPE_CHECKING:
    from ops.sim.floor import Floor

Topic = tuple[str, str]  # (channel, native symbol); the symbol is empty where a channel has none
Query = Mapping[str, str]

DIGITS_MAX: Final = 18  # of a number in a query
BUY: Final = 1
SELL: Final = -1


class Print(NamedTuple):
    """One public trade; ``side`` is the taker's.  The floor numbers it."""

    side: int
    price: int
    size: int
    trade_id: int = 0


class Update(NamedTuple):
    """What happened to one line at one instant; the line's book has it already."""

    changes: Sequence[Change]
    prints: Sequence[Print]
    send: bool  # False: only the quote goes out now, the levels ride on the next update


class HttpRequest(NamedTuple):
    """One REST request, as it came: signatures cover the exact text."""

    method: str
    path: str
    raw_query: str  # without the question mark, not decoded
    query: Query  # decoded; values of a repeated name joined by commas
    headers: Mapping[str, str]  # names in lower case
    body: bytes
    ip: str


class Answer(NamedTuple):
    """One REST answer; ``entry`` marks that of an order-entry request, which faults may hit."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = {}
    entry: bool = False


class Session(Protocol):
    """One WebSocket connection, as a face sees it."""

    path: str
    query: str
    topics: dict[Topic, str]  # what it asked for, and the word it used
    messages: int  # sent so far on this connection; counted by faces that number messages
    combined: bool
    connection_id: int
    ip: str
    account: str  # who it proved to be; empty: nobody yet
    state: dict[str, Any]  # what else a face remembers of it

    def send(self, text: bytes) -> None:
        """Answer the client; answers are never hit by frame faults."""

    def answer(self, text: bytes) -> None:
        """Answer an order-entry request, unless a fault delays or loses the answer."""

    def push(self, topic: Topic, text: bytes) -> None:
        """Send market data, which faults may hit."""

    def close(self, code: int, reason: str) -> None:
        """Close as the venue would."""

    def subscribe(self, topic: Topic, word: str) -> None:
        """Add a topic; what is published under it reaches this client from now on."""

    def unsubscribe(self, topic: Topic) -> None:
        """Drop a topic."""


class Outlet(Protocol):
    """Where a face's market data goes."""

    def wanted(self, topic: Topic) -> bool:
        """Return whether anyone listens."""

    def publish(self, topic: Topic, body: bytes) -> None:
        """Send to everyone who subscribed the topic."""


class Face(ABC):
    """One venue's protocol over its lines."""

    path: str = "/"  # of the public stream, as in the venue's own url
    subscribe_within_s: float = 0.0  # a silent newcomer is dropped after this; 0 = never
    ping_every_s: float = 0.0  # control-frame pings from the server; 0 = none
    pong_within_s: float = 0.0  # who answers no ping for so long is dropped; 0 = never
    requests_per_s: int = 0  # more incoming messages than this: disconnected; 0 = no limit
    any_depth: bool = False  # subscribers of one book may see different depths of it
    clocked: bool = False  # diffs leave on a clock, whatever caused them; else each at once

    def __init__(
        self, lines: Sequence[Line], outlet: Outlet, clock: Clock, floor: "Floor"
    ) -> None:
        self.lines = {line.native: line for line in lines}
        self.outlet, self.clock, self.floor = outlet, clock, floor

    def request_limit(self, session: Session) -> int:
        """Return how many messages a second this connection may send; 0 = no limit."""
        return self.requests_per_s

    def opened(self, session: Session) -> None:  # noqa: B027  most venues say nothing first
        """Greet a new connection."""

    @abstractmethod
    def text(self, session: Session, message: bytes) -> None:
        """Act on one text frame from a client."""

    @abstractmethod
    def update(self, line: Line, update: Update) -> None:
        """Publish what happened to ``line``."""

    def flush(self, line: Line) -> None:  # noqa: B027  only venues that batch have something to flush
        """Publish what waits for the next batch, so that clients stand where the book stands."""

    def restart(self, line: Line) -> None:  # noqa: B027  only where a recording is re-encoded
        """Send the whole book anew to all who follow it."""

    def beat(self, session: Session, second: int) -> None:  # noqa: B027  not every venue has heartbeats
        """Do what the venue does every second."""

    def wrap(self, session: Session, topic: Topic, body: bytes) -> bytes:
        """Return the frame that carries ``body`` on this connection."""
        return body

    def stamp(self, session: Session, text: bytes) -> bytes:
        """Return a private frame with its number, now that the faults of fills let it go."""
        return text

    def recorded(self, session: Session, topic: Topic, frame: bytes) -> bytes:
        """Return a recorded frame as this connection would have got it."""
        return frame

    def heard(self, event: Event) -> None:  # noqa: B027  venues without private streams ignore it
        """Tell clients of what happened to their orders and money; in the middle of an operation.

        Order, account and private events only: book changes and prints come by ``update``.
        """

    def relisted(self, line: Line) -> None:  # noqa: B027  most venues tell in the catalogue alone
        """Tell of a line's new filters or trading status, where the venue has a stream for that."""

    def closing(self) -> None:  # noqa: B027  most venues just hang up
        """Say goodbye: the venue is about to close every connection."""

    def tick(self) -> None:  # noqa: B027  not every venue has timers
        """Ten times a second: let dead-man switches, tokens and sessions expire."""

    # --- REST ----------------------------------------------------------------------------------

    def request(self, request: HttpRequest) -> Answer:
        """Answer any REST request; a face with private calls sorts them out here."""
        return self.rest(request.path, request.query)

    @abstractmethod
    def rest(self, path: str, query: Query) -> Answer:
        """Answer a public REST request."""

    def refused(self, status: int, retry_s: int) -> Answer:
        """Return the venue's own answer to what faults refuse: 418, 429, 500, 503."""
        return Answer(b"", status, {"Retry-After": str(retry_s)} if retry_s else {})

    def maintenance(self) -> Answer:
        """Return the venue's own answer while it is being maintained."""
        return self.refused(503, 0)

    # --- clock ---------------------------------------------------------------------------------

    def now_ms(self) -> int:
        """Return the venue's clock in ms."""
        return self.floor.now_ns() // 1_000_000

    def now_iso(self) -> str:
        """Return the venue's clock as 2026-08-02T03:35:51.302928Z."""
        return iso(self.floor.now_ns())


def iso(unix_ns: int) -> str:
    """Write a time with microseconds, as 2026-08-02T03:35:51.302928Z."""
    return f"{_second(unix_ns // 1_000_000_000)}.{unix_ns // 1000 % 1_000_000:06d}Z"


@lru_cache(maxsize=16)  # messages of one second share all but their microseconds
def _second(unix_s: int) -> str:
    return f"{datetime.fromtimestamp(unix_s, UTC):%Y-%m-%dT%H:%M:%S}"


def json_object(message: bytes) -> dict[str, Any] | None:
    """Parse a request; None if it is not one JSON object."""
    try:
        parsed = orjson.loads(message)
    except orjson.JSONDecodeError:
        return None
    return parsed if isinstance(parsed, dict) else None


def strings(value: object) -> list[str] | None:
    """Return a list of strings, None if ``value`` is anything else."""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return value
    return None


def to_json(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """Make a JSON answer."""
    return Answer(orjson.dumps(value), status, headers or {})


def count(text: str | None, *, default: int, most: int) -> int | None:
    """Read a limit such as ``limit=100``; None if it is not a number within 1..most."""
    if text is None:
        return default
    return int(text) if digits(text) and 1 <= int(text) <= most else None


def digits(text: str) -> bool:
    """Return whether a query's text is a whole number, and no longer than any should be."""
    return text.isascii() and text.isdigit() and len(text) <= DIGITS_MAX
