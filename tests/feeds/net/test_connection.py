"""Sockets and lines against a server on loopback that can send, cut and withhold any byte."""

import asyncio
import gc
import shutil
import ssl
import subprocess
import weakref
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from random import Random

import numpy as np
import pytest
import structlog
from msgspec.structs import replace

from engine.model.clock import SystemClock
from engine.runtime.served import tls_context
from feeds.net.connection import OUTBOX_MAX, Route, Socket, Wiring, connect
from feeds.net.line import Line
from feeds.venue import KeepAlive, Limits, Venue
from feeds.venues import binance
from shm.counters import CounterBlock, FeedCounter
from tests.feeds.ws_server import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    Peer,
    frame,
    serving,
)

DEADLOCK_S = 20.0  # no test waits so long unless it has failed
VENUE = replace(
    binance.VENUE,
    limits=Limits(
        symbols_per_connection=10, connects_per_minute=60_000, sends_per_second=1_000,
        snapshots_per_second=1_000.0),
    keep_alive=KeepAlive(silence_max_s=30.0),
)


class Told:
    """A sink that remembers, and lets a test wait for what it shall remember."""

    def __init__(self) -> None:
        self.log: list[tuple[str, int]] = []
        self.frames: list[bytes] = []
        self.times: list[tuple[int, int]] = []
        self.fail = False
        self._news = asyncio.Event()

    def _tell(self, what: str, connection: int) -> None:
        self.log.append((what, connection))
        self._news.set()

    def opened(self, connection: int, natives: Iterable[str]) -> None:
        """Note an opening."""
        assert list(natives) == ["BTCUSDT"]
        self._tell("opened", connection)

    def frame(self, connection: int, frame: bytes, recv_unix_ns: int, recv_mono_ns: int) -> None:
        """Note a frame, or fail as a bug of ours would."""
        if self.fail:
            raise ZeroDivisionError
        self.frames.append(frame)
        self.times.append((recv_unix_ns, recv_mono_ns))
        self._tell("frame", connection)

    def alive(self, connection: int, recv_mono_ns: int) -> None:
        """Note a sign of life."""
        assert recv_mono_ns > 0
        self._tell("alive", connection)

    def closed(self, connection: int) -> None:
        """Note a closing."""
        self._tell("closed", connection)

    async def until(self, what: str, connection: int = 1, times: int = 1) -> None:
        """Wait until something was told so often."""
        while self.log.count((what, connection)) < times:
            self._news.clear()
            await self._news.wait()


def wiring(told: Told, venue: Venue = VENUE, ca_file: str = "") -> Wiring:
    log = structlog.wrap_logger(
        structlog.testing.ReturnLogger(), processors=[],
        wrapper_class=structlog.make_filtering_bound_logger(0))
    return Wiring(
        venue=venue, sink=told, clock=SystemClock(), random=Random(1),
        tls=tls_context(ca_file), log=log,
        counters=CounterBlock(np.zeros(CounterBlock.size(1) // 8, np.int64), 0))


def route(url: str) -> Route:
    return Route(url, ["BTCUSDT"], lambda: iter([b"one", b"two"]))


Client = Callable[[Told, str], Awaitable[None]]


def play(script: Callable[[Peer], Awaitable[None]], client: Client) -> Told:
    """Run ``client`` against a server that runs ``script`` on every connection."""

    async def both() -> Told:
        told = Told()
        async with asyncio.timeout(DEADLOCK_S), serving(script) as url:
            await client(told, url)
        return told

    return asyncio.run(both())


async def opened(told: Told, url: str, venue: Venue = VENUE) -> Socket:
    socket = await connect(wiring(told, venue), route(url))
    assert isinstance(socket, Socket)
    return socket


async def keep_up(told: Told, url: str, until: Awaitable[None]) -> None:
    """Keep a line up until something happened."""
    line = asyncio.ensure_future(
        Line(wiring(told), route(url), backoff_min_ns=1, backoff_max_ns=1, overlap_s=0).run())
    waiting = asyncio.ensure_future(until)
    done, pending = await asyncio.wait([line, waiting], return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    for task in done:
        task.result()


def test_a_line_subscribes_and_hands_frames_on_with_both_times() -> None:
    async def script(peer: Peer) -> None:
        assert [await peer.read_until(TEXT), await peer.read_until(TEXT)] == [b"one", b"two"]
        peer.text(b"first")
        peer.text(b"second" * 30_000)
        await peer.gone()

    async def client(told: Told, url: str) -> None:
        socket = await opened(told, url)
        await told.until("frame", times=2)
        assert socket.bytes == 5 + 6 * 30_000
        socket.close()

    told = play(script, client)
    assert told.log[0] == ("opened", 1)
    assert told.frames == [b"first", b"second" * 30_000]
    clock = SystemClock()
    for unix_ns, mono_ns in told.times:
        assert 0 <= clock.unix_ns() - unix_ns < DEADLOCK_S * 1e9
        assert 0 <= clock.mono_ns() - mono_ns < DEADLOCK_S * 1e9


def test_pings_are_answered_with_their_payload_and_count_as_life() -> None:
    async def script(peer: Peer) -> None:
        peer.send(frame(PING, b"1754021"))
        assert await peer.read_until(PONG) == b"1754021"
        peer.text(b"answered")
        await peer.gone()

    async def client(told: Told, url: str) -> None:
        await opened(told, url)
        await told.until("frame")

    assert play(script, client).log[:3] == [("opened", 1), ("alive", 1), ("frame", 1)]


@pytest.mark.parametrize(("ping", "opcode"), [(None, PING), (b"ping", TEXT)])
def test_a_quiet_socket_asks_for_life_in_the_venues_words(ping: bytes | None, opcode: int) -> None:
    async def script(peer: Peer) -> None:
        for _ in range(3):
            while (await peer.read()) != (opcode, ping or b""):
                pass
            peer.send(frame(PONG, b""))
        await peer.gone()

    async def client(told: Told, url: str) -> None:
        keep = KeepAlive(silence_max_s=0.03, ping=ping, ping_every_s=0.01 if ping else 0.0)
        await opened(told, url, replace(VENUE, keep_alive=keep))
        await told.until("alive", times=3)

    play(script, client)


def test_fragments_are_joined_and_control_frames_may_stand_between() -> None:
    async def script(peer: Peer) -> None:
        peer.send(frame(TEXT, b"a", fin=False) + frame(CONTINUATION, b"b", fin=False))
        peer.send(frame(PING, b"") + frame(CONTINUATION, b"c") + frame(TEXT, b"next"))
        await peer.gone()

    async def client(told: Told, url: str) -> None:
        await opened(told, url)
        await told.until("frame", times=2)

    assert play(script, client).frames == [b"abc", b"next"]


@pytest.mark.parametrize(("poison", "code"), [
    (frame(BINARY, b"x"), 1003),
    (frame(CONTINUATION, b"x"), 1002),
    (frame(TEXT, b"x", fin=False) + frame(TEXT, b"y"), 1002),
    (frame(11, b"x"), 1002),
    (bytes([0x81, 127]) + (1 << 40).to_bytes(8, "big"), 1009),
])
def test_a_poisonous_frame_ends_the_socket_and_nothing_after_it_is_believed(
    poison: bytes, code: int
) -> None:
    codes = []

    async def script(peer: Peer) -> None:
        peer.send(poison + frame(TEXT, b"after"))
        codes.append(int.from_bytes((await peer.read_until(CLOSE))[:2], "big"))
        await peer.gone()

    async def client(told: Told, url: str) -> None:
        socket = await opened(told, url)
        await socket.ended
        assert "broken frame" in await socket.gone()

    told = play(script, client)
    assert codes == [code]
    assert told.frames == []
    assert told.log[-1] == ("closed", 1)


def test_the_rest_of_a_fragmented_message_is_not_believed_after_a_broken_frame() -> None:
    async def script(peer: Peer) -> None:
        peer.send(frame(TEXT, b"a", fin=False) + frame(BINARY, b"") + frame(CONTINUATION, b"b"))
        await peer.read_until(CLOSE)
        await peer.gone()

    async def client(told: Told, url: str) -> None:
        socket = await opened(told, url)
        assert "broken frame" in await socket.gone()

    assert play(script, client).frames == []


def test_a_reset_in_mid_frame_loses_that_frame_and_brings_a_new_socket() -> None:
    whole = frame(TEXT, b"x" * 300)
    cuts = iter([*range(0, len(whole), 37), None])

    async def script(peer: Peer) -> None:
        cut = next(cuts)
        peer.send(whole[:cut])
        if cut is not None:
            await peer.read_until(TEXT)  # the first bytes are on their way
            peer.reset()
        await peer.gone()

    async def client(told: Told, url: str) -> None:
        await keep_up(told, url, told.until("frame", connection=10))

    told = play(script, client)
    assert told.frames == [b"x" * 300]
    for connection in range(1, 10):
        events = [what for what, number in told.log if number == connection]
        assert events == ["opened", "closed"]


def test_a_socket_closed_by_the_venue_is_replaced_and_its_reason_known() -> None:
    async def script(peer: Peer) -> None:
        peer.send(frame(CLOSE, (1001).to_bytes(2, "big") + b"see you"))
        await peer.gone()

    async def client(told: Told, url: str) -> None:
        socket = await opened(told, url)
        await socket.ended
        assert await socket.gone() == f"closed by the venue: {1001} see you"
        await keep_up(told, url, told.until("closed", connection=2))

    play(script, client)


def test_a_worn_socket_is_closed_only_when_its_successor_is_open() -> None:
    async def script(peer: Peer) -> None:
        peer.text(b"hello")
        await peer.gone()

    async def client(told: Told, url: str) -> None:
        shared = wiring(told)
        line = asyncio.ensure_future(Line(shared, route(url), overlap_s=0).run())
        await told.until("frame", connection=1)
        shared.sockets[1].wear_out("the venue said so")
        await told.until("closed", connection=1)
        assert list(shared.sockets) == [2]
        line.cancel()

    log = play(script, client).log
    assert log.index(("opened", 2)) < log.index(("closed", 1))


def test_a_socket_wears_out_before_the_venue_cuts_it() -> None:
    async def script(peer: Peer) -> None:
        await peer.gone()

    async def client(told: Told, url: str) -> None:
        venue = replace(VENUE, limits=replace(VENUE.limits, lifetime_s=0.05))
        line = asyncio.ensure_future(Line(wiring(told, venue), route(url), overlap_s=0).run())
        await told.until("opened", connection=3)
        line.cancel()

    log = play(script, client).log
    assert log.index(("opened", 2)) < log.index(("closed", 1))


def test_a_lost_socket_is_not_kept_until_its_lifetime_would_have_ended() -> None:
    async def script(peer: Peer) -> None:
        await peer.read_until(TEXT)
        peer.reset()
        await peer.gone()

    async def client(told: Told, url: str) -> None:
        venue = replace(VENUE, limits=replace(VENUE.limits, lifetime_s=86_400.0))
        shared, sockets = wiring(told, venue), list[weakref.ref[Socket]]()
        line = asyncio.ensure_future(
            Line(shared, route(url), backoff_min_ns=1, backoff_max_ns=1).run())
        for number in range(1, 4):
            await told.until("opened", connection=number)
            sockets += map(weakref.ref, shared.sockets.values())
        await told.until("closed", connection=3)
        await told.until("closed", connection=4)  # the line has left the third
        gc.collect()
        assert [socket() for socket in sockets] == [None] * 3
        line.cancel()

    play(script, client)


def test_an_error_of_our_own_comes_out_of_the_line_and_no_further_frame_gets_in() -> None:
    async def script(peer: Peer) -> None:
        peer.send(frame(TEXT, b"one") + frame(TEXT, b"two"))
        await peer.gone()

    async def client(told: Told, url: str) -> None:
        told.fail = True
        with pytest.raises(ZeroDivisionError):
            await keep_up(told, url, asyncio.Event().wait())  # type: ignore[arg-type]

    assert play(script, client).frames == []


def test_a_dropped_socket_is_cut_without_a_word_and_replaced() -> None:
    async def script(peer: Peer) -> None:
        await peer.gone()  # never says anything: half-open

    async def client(told: Told, url: str) -> None:
        shared = wiring(told)
        line = asyncio.ensure_future(Line(shared, route(url), backoff_min_ns=1).run())
        await told.until("opened", connection=1)
        shared.sockets[1].abort("silent for 30 s")
        await told.until("opened", connection=2)
        line.cancel()

    assert play(script, client).log[:3] == [("opened", 1), ("closed", 1), ("opened", 2)]


def test_requests_wait_for_the_venues_rate_and_too_many_of_them_end_the_socket() -> None:
    async def script(peer: Peer) -> None:
        await peer.gone()

    async def client(told: Told, url: str) -> None:
        slow = replace(VENUE, limits=replace(VENUE.limits, sends_per_second=1))
        socket = await opened(told, url, slow)
        for _ in range(OUTBOX_MAX + 1):
            socket.send(b"more")
        await told.until("closed")

    play(script, client)


def test_a_server_that_refuses_or_redirects_is_no_connection() -> None:
    answers = [
        b"HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n",
        b"garbage\r\n\r\n",
        b"",
    ]

    async def client() -> list[object]:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(next(left))
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        told, left = Told(), iter(answers)
        async with asyncio.timeout(DEADLOCK_S), server:
            found = [await connect(wiring(told), route(url)) for _ in answers]
        found.append(await connect(wiring(told), route(url)))  # nobody listens any more
        assert told.log == []
        return list(found)

    assert all(isinstance(why, str) and why for why in asyncio.run(client()))


def test_a_line_whose_venue_is_away_tries_until_it_is_back() -> None:
    async def client() -> int:
        attempts = 0

        async def refuse(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal attempts
            attempts += 1
            writer.transport.abort()
            if attempts == 5:
                line.cancel()

        server = await asyncio.start_server(refuse, "127.0.0.1", 0)
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        shared = wiring(Told())
        line = asyncio.ensure_future(
            Line(shared, route(url), backoff_min_ns=1, backoff_max_ns=1).run())
        async with asyncio.timeout(DEADLOCK_S), server:
            await asyncio.wait([line])
        assert shared.counters.value(FeedCounter.CONNECTS) == 0
        return attempts

    assert asyncio.run(client()) == 5


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
def test_a_certificate_is_verified_against_the_known_authorities(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "ca.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext",
         "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key)

    async def script(peer: Peer) -> None:
        peer.text(b"secret")
        await peer.gone()

    async def client() -> None:
        async with asyncio.timeout(DEADLOCK_S), serving(script, server) as url:
            stranger = await connect(wiring(Told()), route(url))
            assert isinstance(stranger, str)
            assert "CERTIFICATE_VERIFY_FAILED" in stranger
            other_name = route(url.replace("127.0.0.1", "localhost"))
            elsewhere = await connect(wiring(Told(), ca_file=str(certificate)), other_name)
            assert isinstance(elsewhere, str)
            assert "ostname mismatch" in elsewhere
            told = Told()
            friend = await connect(wiring(told, ca_file=str(certificate)), route(url))
            assert isinstance(friend, Socket)
            await told.until("frame")
            friend.close()

    asyncio.run(client())
