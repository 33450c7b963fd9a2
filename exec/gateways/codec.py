"""What a venue's private protocol is, without sockets: pure, so that vectors and tapes prove it.

A codec turns orders into requests and what comes back into reports (``exec.core.ports``).  It is
told the time, keeps what it must remember (tokens, request ids, nonces), and raises
``DecodeError`` for what the venue's page does not allow.  It never decides and never retries.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from exec.core.ports import Report
from exec.records import Intended

ORDERS: Final = "orders"  # the channels a request may take: order entry over WebSocket,
USER: Final = "user"  # the private stream,
REST: Final = "rest"


class Listing(msgspec.Struct, frozen=True):
    """One instrument as a codec needs it: the venue's spelling, and the quanta of our integers."""

    symbol: str  # unified
    native: str
    base: str
    quote: str
    settle: str
    price_decimals: int
    size_decimals: int
    code: str = ""  # what else the venue calls it: OKX's instIdCode, Kraken's REST pair


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One request, ready to leave: its bytes are signed and final."""

    channel: str  # ORDERS, USER or REST
    purpose: str  # place, cancel, query, survey, login, subscribe, keep, arm, cancel_all
    client_id: str = ""  # of the order it is about
    id: str = ""  # by which a WebSocket answer names it
    text: bytes = b""  # a WebSocket frame, or the body of a REST request
    method: str = ""
    path: str = ""  # with its query, as signed
    headers: Mapping[str, str] = {}
    weight: int = 1


class Answer(msgspec.Struct, frozen=True):
    """What came back of a REST request."""

    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes


class Outcome(msgspec.Struct, frozen=True):
    """What one text of the venue means: reports for the core, requests that follow from it."""

    reports: Sequence[Report] = ()
    requests: Sequence[Request] = ()  # the next page, the order's fills, a renewed token
    answers: str = ""  # the ``Request.id`` that this text answers, if any
    live: Sequence[str] = ()  # channels that this text proves usable: ORDERS, USER


class Codec(ABC):
    """One account's protocol at one venue."""

    venue: str
    orders_path: str = ""  # of order entry over WebSocket; empty: REST alone
    user_path: str = ""  # of the private stream
    ping_every_s: float = 0.0  # a text ping of ours; 0: control frames do
    silence_s_max: float = 60.0  # a private stream that says nothing, not even a pong, is dead
    rest_in_order: bool = False  # requests must arrive as they were signed: Kraken's nonces
    rest_weight_per_s: float = 10.0  # of all REST requests: what is left for our questions
    rest_weight_burst: int = 100
    question_gap_s: float = 0.0  # between two askings of one question
    time_path: str = ""  # a public REST path that costs little: asked to keep connections warm

    @abstractmethod
    def opening(self, channel: str, now_unix_ns: int) -> Sequence[Request]:
        """Return what must be said first on a channel: login, token, listen key, subscription.

        REST requests among them are made before the socket is opened, in order; what they bring
        (``user_path`` with a listen key in it) is known afterwards; texts that follow from their
        answers wait until the socket is open.  A Ready report of a codec says why the venue takes
        no orders; it stands until another one says "", or until a channel is told to be live.
        """

    def clock(self, body: bytes) -> tuple[int, int]:
        """Return the venue's Unix time in an answer of ``time_path``, and its resolution, in ns.

        (0, 0) where it tells none: then the answer's Date header does, to the second.
        """
        return 0, 0

    def ping(self) -> bytes:
        """Return the text ping, where the venue wants one."""
        return b""

    def keep(self, now_unix_ns: int) -> Sequence[Request]:
        """Return what renews tokens and keys, when it is due; asked once a second."""
        return ()

    @abstractmethod
    def place(self, order: Intended, now_unix_ns: int, *, rest: bool) -> Request:
        """Return the request that places an order: over ORDERS, or by REST when told to."""

    @abstractmethod
    def cancel(
        self, order: Intended, venue_order: str, now_unix_ns: int, *, rest: bool
    ) -> Request:
        """Return the request that cancels it."""

    @abstractmethod
    def cancel_all(self, now_unix_ns: int) -> Sequence[Request]:
        """Return what cancels everything of the account, symbol by symbol where need be."""

    @abstractmethod
    def query(self, order: Intended, venue_order: str, now_unix_ns: int) -> Sequence[Request]:
        """Return the questions whose answers together make a Seen, and its fills Traded."""

    @abstractmethod
    def survey(self, since_unix_ns: int, now_unix_ns: int) -> Sequence[Request]:
        """Return what brings open orders, fills since, balances and positions, first pages."""

    def arm(self, timeout_ms: int, now_unix_ns: int) -> Sequence[Request]:
        """Return what sets or renews the dead-man switch; nothing where the venue has none."""
        return ()

    @abstractmethod
    def frame(self, channel: str, text: bytes, now_unix_ns: int) -> Outcome:
        """Return what a WebSocket text means."""

    @abstractmethod
    def answer(self, request: Request, answer: Answer, asked_unix_ns: int) -> Outcome:
        """Return what a REST answer means.

        For place and cancel: an error that proves that nothing happened is Denied or
        CancelDenied; anything that leaves it open (5xx, unreadable, timeouts of the venue) is
        Lost.  429 and 418 bring a Budget with the time to wait.
        """
