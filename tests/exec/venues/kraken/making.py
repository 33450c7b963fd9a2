"""A codec as tests want one: two instruments, fixed keys, nonces from a list or a counter."""

from collections.abc import Iterable, Iterator

from exec.core.ports import Report
from exec.gateways.codec import ORDERS, USER, Answer, Listing, Outcome, Request
from exec.records import Intended, Tif
from exec.signing.kraken import KrakenSigner
from exec.venues.kraken import KrakenCodec
from exec.venues.kraken.counter import Tier

# of the documentation's own example
EXAMPLE = (
    "kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg==")
BTC = Listing("BTC/USD", "BTC/USD", "BTC", "USD", "", 1, 8, "XXBTZUSD")
ETH = Listing("ETH/BTC", "ETH/BTC", "ETH", "BTC", "", 5, 8, "XETHXXBT")
DOGE = Listing("DOGE/USD", "DOGE/USD", "DOGE", "USD", "", 7, 8)
NOW_NS = 1_777_975_200_000_000_000  # 2026-05-05T10:00:00Z


PLENTY = Tier(10**9, 1.0)


def codec(
    nonces: Iterable[int] = (), *, key: str = "key", secret: str = EXAMPLE, tier: Tier = PLENTY
) -> KrakenCodec:
    """Return a codec that uses the nonces given, then a counter."""
    def numbers() -> Iterator[int]:
        yield from nonces
        yield from range(1, 10**9)

    source = numbers()
    return KrakenCodec(
        "kraken", [BTC, ETH, DOGE], KrakenSigner(key, secret), lambda _now: next(source),
        tier)


def opened(tier: Tier = PLENTY) -> KrakenCodec:
    """Return a codec with tokens on both connections, every subscription acknowledged."""
    made = codec(tier=tier)
    for channel in (USER, ORDERS):
        (ask,) = made.opening(channel, NOW_NS)
        said = made.answer(
            ask, ok(f'{{"token":"T-{channel}","expires":900}}'), NOW_NS)
        for request in said.requests:
            name = "executions" if b"executions" in request.text else "balances"
            made.frame(channel, ack(request, f'{{"channel":"{name}","maxratecount":125}}'), NOW_NS)
    return made


def ok(result: str, *, error: str = "[]") -> Answer:
    """Return a REST answer."""
    return Answer(200, {}, f'{{"error":{error},"result":{result}}}'.encode())


def refused(text: str) -> Answer:
    """Return a REST refusal."""
    return Answer(200, {}, f'{{"error":["{text}"]}}'.encode())


def ack(request: Request, result: str) -> bytes:
    """Return the WebSocket answer to a request that succeeded."""
    return f'{{"method":"x","result":{result},"success":true,"req_id":{request.id}}}'.encode()


def nack(request: Request, error: str) -> bytes:
    """Return the WebSocket answer to a request that failed."""
    return f'{{"method":"x","error":"{error}","success":false,"req_id":{request.id}}}'.encode()


def order(
    *, client_id: str = "tskq8mox1", symbol: str = "BTC/USD", side: int = 1, price: int = 612_345,
    size: int = 1_250_000, tif: Tif = Tif.GTC, post_only: bool = False,
    deadline_ns: int = NOW_NS + 5_000_000_000,
) -> Intended:
    """Return an order that is about to leave; it may live five seconds."""
    return Intended(1, 0, 0, "kraken", symbol, side, price, size, tif, post_only, False, client_id,
                    1, deadline_ns, "enter")


def only(outcome: Outcome) -> Report:
    """Return the one report of an outcome."""
    (report,) = outcome.reports
    return report
