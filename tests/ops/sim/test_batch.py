"""Frames that leave together arrive one by one, in order, before a close, and from no dead line."""

import asyncio

import pytest

from engine.config import Sim
from ops.sim import connection
from ops.sim.batch import framed, head
from tests.ops.sim.wire import a_venue, run

DEPTH = {"method": "SUBSCRIBE", "params": ["btcusdt@depth"], "id": 1}


@pytest.mark.parametrize(("size", "expected"), [
    (0, "8100"), (125, "817d"), (126, "817e007e"), (65_535, "817effff"),
    (65_536, "817f0000000000010000"),
])
def test_a_head_is_that_of_the_standard(size: int, expected: str) -> None:
    assert head(size).hex() == expected


def test_a_batch_is_heads_and_texts_in_order() -> None:
    assert framed([b"one", b"", b"three"]) == b"\x81\x03one\x81\x00\x81\x05three"


def test_what_a_turn_sends_arrives_whole_and_in_order() -> None:
    async def body() -> None:
        async with a_venue("binance", "BTC/USDT") as venue:
            client = await venue.connect()
            client.ask(DEPTH)
            await client.settle()
            client.take()
            server = venue.world.servers["binance"]
            (only,) = server.connections
            texts = [b'{"n":%d,"pad":"%s"}' % (n, b"x" * (40_000 * (n % 3))) for n in range(9)]
            server.hold()
            for text in texts[:-1]:
                only.send(text)
            assert len(server.waiting) == 1
            server.release()
            only.send(texts[-1])
            await client.settle()
            assert client.frames == texts

    run(body)


def test_frames_held_back_leave_before_a_ping_and_a_close() -> None:
    async def body() -> None:
        async with a_venue("binance", "BTC/USDT") as venue:
            client = await venue.connect()
            await client.settle()
            server = venue.world.servers["binance"]
            (only,) = server.connections
            server.hold()
            only.send(b"first")
            only.ping()
            only.send(b"second")
            only.close(1001, "")
            only.send(b"too late")
            server.release()
            await client.closed.wait()
            assert client.frames == [b"first", b"second"]
            assert client.pings == 1

    run(body)


def test_a_client_that_does_not_read_is_cut_off_by_batches_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection, "QUEUE_SIZE_MAX", 1 << 16)

    async def body() -> None:
        async with a_venue("binance", "BTC/USDT", sim=Sim(messages_per_s=2000)) as venue:
            client = await venue.connect()
            await client.settle()
            client.transport.underlying_transport.pause_reading()
            server = venue.world.servers["binance"]
            (only,) = server.connections
            while server.connections:
                server.hold()
                for _ in range(10):
                    only.send(b"x" * 100_000)
                server.release()
                await asyncio.sleep(0)

    run(body)
