"""Real gateways, codecs and signers of five venues before a peer that only tells the time.

What a venue would say of an order is made up here when the peer's answer comes: accepted, filled
in full, over.  Left out: logins, tokens and listen keys, for which the peer has no ear.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from random import Random
from typing import Final

import structlog

from bench.account import PRICE_DECIMALS, SIZE_DECIMALS, SYMBOLS, VENUES, place_of
from bench.order_peer import Addresses
from engine.model.clock import SystemClock
from exec.core import ports as p
from exec.gate.approval import Approval
from exec.gate.checks import Proposed
from exec.gateways.codec import ORDERS, REST, USER, Answer, Codec, Listing, Outcome, Request
from exec.gateways.endpoints import Endpoints
from exec.gateways.gateway import Gateway
from exec.gateways.settings import Settings
from exec.records import Intended
from exec.signing.binance import BinanceSigner
from exec.signing.coinbase import CoinbaseSigner
from exec.signing.kraken import KrakenSigner
from exec.signing.okx import OkxSigner
from exec.venues.binance.spot import BinanceSpot
from exec.venues.binance.usdm import BinanceUsdm
from exec.venues.coinbase.codec import CoinbaseCodec
from exec.venues.kraken.codec import KrakenCodec
from exec.venues.kraken.nonces import Nonces
from exec.venues.okx.codec import OkxCodec
from ops.sim.credentials import Credentials, credentials

KRAKEN_TOKEN: Final = b'{"error":[],"result":{"token":"%b","expires":900}}' % (b"t" * 43)
SETTINGS: Final = Settings(warm_every_ns=5_000_000_000)


def listings(venue: str) -> tuple[Listing, ...]:
    """Return the instruments as a codec has them."""
    return tuple(
        Listing(place_of(venue, symbol), symbol.replace("/", ""), symbol.partition("/")[0], "USDT",
                "USDT" if venue == "binance-usdm" else "", PRICE_DECIMALS, SIZE_DECIMALS,
                code=str(4_000 + at) if venue == "okx" else "")
        for at, symbol in enumerate(SYMBOLS))


def codec(venue: str, key: Credentials | None = None) -> Codec:
    """Return a venue's codec with a key that the simulator would issue, the first kind there is."""
    key, listed = key or credentials(venue, "main", 1)[0], listings(venue)
    if venue == "okx":
        return OkxCodec(OkxSigner(key.key, key.secret, key.passphrase), listed)
    if venue == "coinbase":
        numbers = count(1)
        return CoinbaseCodec(CoinbaseSigner(key.key, key.secret), listed,
                             lambda: f"{next(numbers):016x}")
    if venue == "kraken":
        reserved: list[int] = []
        made = KrakenCodec(
            venue, listed, KrakenSigner(key.key, key.secret), Nonces(0, reserved.append))
        now_ns = SystemClock().unix_ns()
        for request in made.opening(ORDERS, now_ns):
            made.answer(request, Answer(200, {}, KRAKEN_TOKEN), now_ns)
        return made
    signer = BinanceSigner(key.key, key.secret)
    return (BinanceUsdm if venue == "binance-usdm" else BinanceSpot)(venue, signer, listed)


class ToldTheTime(Codec):
    """A real codec's orders; what comes back is the peer's word for when they arrived."""

    def __init__(self, real: Codec, arrived: Callable[[str, int], None]) -> None:
        """``arrived`` is told what came and when: a client id, or the purpose of a request."""
        self.venue, self._real, self._arrived = real.venue, real, arrived
        self.orders_path, self.user_path = ("/", "/") if real.orders_path else ("", "/")
        self.rest_in_order = real.rest_in_order
        self._sent: dict[bytes, tuple[Request, Intended]] = {}
        self._by_rest: dict[str, Intended] = {}

    def opening(self, channel: str, now_unix_ns: int) -> Sequence[Request]:
        """Say nothing: the peer greets."""
        return ()

    def place(self, order: Intended, now_unix_ns: int, *, rest: bool) -> Request:
        """Return the venue's own request."""
        request = self._real.place(order, now_unix_ns, rest=rest)
        if request.channel == ORDERS:
            self._sent[request.text] = request, order
        else:
            self._by_rest[order.client_id] = order
        return request

    def cancel(
        self, order: Intended, venue_order: str, now_unix_ns: int, *, rest: bool
    ) -> Request:
        """Return the venue's own request."""
        return self._real.cancel(order, venue_order, now_unix_ns, rest=rest)

    def cancel_all(self, now_unix_ns: int) -> Sequence[Request]:
        """Return the venue's own requests."""
        return self._real.cancel_all(now_unix_ns)

    def query(self, order: Intended, venue_order: str, now_unix_ns: int) -> Sequence[Request]:
        """Ask nothing."""
        return ()

    def survey(self, since_unix_ns: int, now_unix_ns: int) -> Sequence[Request]:
        """Ask one thing, which stands for all."""
        return (Request(channel=REST, purpose="survey", method="GET", path="/"),)

    def frame(self, channel: str, text: bytes, now_unix_ns: int) -> Outcome:
        """Let an order that arrived be accepted, filled and over."""
        at, _, said = text.partition(b" ")
        if said == b"hello":
            return Outcome(live=(ORDERS, USER))
        found = self._sent.pop(said, None)
        if found is None:
            self._arrived("cancel_all", int(at))
            return Outcome()
        request, order = found
        self._arrived(order.client_id, int(at))
        return Outcome([*self._ends(order)], answers=request.id)

    def answer(self, request: Request, answer: Answer, asked_unix_ns: int) -> Outcome:
        """Take the time of an arrival; an order by REST is accepted, filled and over."""
        self._arrived(request.client_id or request.purpose, int(answer.body))
        if request.purpose == "survey":
            return Outcome([p.Listing(self.venue, ())])
        order = self._by_rest.pop(request.client_id, None)
        return Outcome([*self._ends(order)] if order else ())

    def _ends(self, order: Intended) -> Iterator[p.Report]:
        number = f"w{order.order}"
        yield p.Accepted(self.venue, order.client_id, number)
        yield p.Traded(
            self.venue, order.symbol, order.client_id, number, f"m{order.order}", order.side,
            order.price, order.size, "0.0006", "USDT", True, asked_at(order), "stream")
        yield p.Over(self.venue, order.client_id, number, "filled", order.size, "stream")


def asked_at(order: Intended) -> int:
    """Return a time for a fill that is made up: its order's deadline."""
    return order.deadline_unix_ns


class Timed(Gateway):
    """A gateway that notes when each order's bytes had been handed to a socket."""

    stamps: list[int]  # shared by all venues

    def place(self, order: Intended, proposed: Proposed, approval: Approval) -> str:
        """Place it, and note the time."""
        channel = super().place(order, proposed, approval)
        self.stamps.append(self._clock.mono_ns())
        return channel


def gateways(
    at: Addresses, ca_file: str, flags: p.Flags, arrived: Callable[[str, int], None],
    stamps: list[int],
) -> dict[str, Timed]:
    """Return a gateway for each venue, before one peer."""
    log = structlog.wrap_logger(
        logging.getLogger("bench"),
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    made = {}
    for venue in VENUES:
        made[venue] = Timed(
            ToldTheTime(codec(venue), arrived),
            Endpoints(at.websocket, at.websocket, at.rest, ca_file), SETTINGS, flags=flags,
            clock=SystemClock(), random=Random(1), log=log)  # noqa: S311
        made[venue].stamps = stamps
    return made
