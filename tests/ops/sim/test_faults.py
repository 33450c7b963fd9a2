"""Faults do what they say: each against a client that looks at what arrives."""

import asyncio
import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from engine.config import Config, Sim, load
from engine.model.errors import ConfigInvalid
from engine.model.fault import FRAME, Fault, Kind, parse
from ops.sim.faults import Faults, wrong_checksum
from tests.ops.sim.test_command import LIMITS
from tests.ops.sim.wire import Client, Venue, a_venue, run

SUBSCRIBE = {"method": "SUBSCRIBE", "params": ["btcusdt@depth@100ms"], "id": 1}


def fault(kind: str, **fields: Any) -> dict[str, Any]:
    return {"venue": "binance", "kind": kind, "count": 1} | fields


async def struck(venue: Venue, body: dict[str, Any]) -> Client:
    """Subscribe, arm one fault by a control call, let the market run for a second."""
    client = await venue.connect()
    client.ask(SUBSCRIBE)
    await client.settle()
    client.frames.clear()
    assert (await venue.call("POST", "/fault", body))[0] == 200
    venue.step(1.0)
    return client


def unlinked(frames: Sequence[bytes]) -> int:
    """Count where a diff does not follow the one before it."""
    diffs = [json.loads(frame)["data"] for frame in frames]
    return sum(after["U"] != before["u"] + 1
               for before, after in pairwise(diffs))


@pytest.mark.parametrize(("kind", "breaks"), [("drop", 1), ("duplicate", 1), ("reorder", 3)])
def test_lost_doubled_and_overtaken_frames_break_the_chain_as_expected(
    kind: str, breaks: int
) -> None:
    async def body() -> None:
        async with a_venue("binance", "BTC/USDT") as venue:
            client = await venue.connect()
            client.ask(SUBSCRIBE)
            await client.settle()
            client.frames.clear()
            venue.step(0.5)
            await venue.call("POST", "/fault", fault(kind))
            venue.step(1.0)
            await client.settle()
            assert unlinked(client.frames) == breaks
            assert (await venue.call("GET", "/faults"))[1]["struck"] == {f"binance:{kind}": 1}

    run(body)


def test_a_truncated_frame_ends_in_its_middle_and_a_corrupt_one_is_no_utf8() -> None:
    async def body() -> None:
        for kind in ("truncate", "corrupt"):
            async with a_venue("binance", "BTC/USDT") as venue:
                client = await struck(venue, fault(kind))
                await client.settle()
                bad, *good = client.frames
                with pytest.raises(ValueError):  # noqa: PT011  JSON and UTF-8 errors alike
                    json.loads(bad.decode())
                for frame in good:
                    json.loads(frame)

    run(body)


def test_a_wrong_checksum_strikes_only_frames_that_have_one() -> None:
    assert wrong_checksum(b'{"checksum":12,"a":1}') == b'{"checksum":13,"a":1}'
    assert wrong_checksum(b'{"checksum":-12}') == b'{"checksum":-11}'
    faults = Faults([parse("kraken:checksum:1.0")], seed=1, start_mono_ns=0)
    assert faults.strike("kraken", "BTC/USD", FRAME, 0, b'{"channel":"trade"}') is None
    assert faults.strike("kraken", "BTC/USD", FRAME, 0, b'{"checksum":1}') is not None


def test_a_delay_holds_everything_behind_it_and_keeps_the_order() -> None:
    async def body() -> None:
        async with a_venue("binance", "BTC/USDT") as venue:
            client = await struck(venue, fault("delay", ms=30))
            await client.settle()
            assert not client.frames
            while not client.frames:
                await asyncio.sleep(0.01)
            await client.settle()
            assert len(client.frames) > 5
            assert unlinked(client.frames) == 0

    run(body)


def test_a_stall_is_silent_for_its_time_and_loses_what_was_said() -> None:
    async def body() -> None:
        async with a_venue("binance", "BTC/USDT") as venue:
            client = await struck(venue, fault("stall", ms=50))
            await client.settle()
            assert not client.frames
            await asyncio.sleep(0.06)
            venue.step(1.0)
            await client.settle()
            assert client.frames

    run(body)


def test_a_half_open_connection_neither_speaks_nor_listens_nor_closes() -> None:
    async def body() -> None:
        async with a_venue("binance", "BTC/USDT") as venue:
            client = await struck(venue, fault("half_open"))
            client.ask({"method": "LIST_SUBSCRIPTIONS", "id": 2})
            client.transport.send_ping(b"there?")
            venue.step(1.0)
            await asyncio.sleep(0.05)
            assert not client.frames
            assert not client.closed.is_set()

    run(body)


@pytest.mark.parametrize("kind", ["reset", "disconnect"])
def test_a_torn_connection_ends_and_another_one_works(kind: str) -> None:
    async def body() -> None:
        async with a_venue("binance", "BTC/USDT") as venue:
            client = await struck(venue, fault(kind))
            await client.closed.wait()
            assert not client.frames  # half a frame is no frame
            again = await venue.connect()
            again.ask(SUBSCRIBE)
            await again.settle()
            venue.step(1.0)
            await again.settle()
            assert len(again.frames) > 5

    run(body)


def test_a_reset_is_a_tcp_reset_in_the_middle_of_a_frame() -> None:
    async def body() -> None:
        async with a_venue("binance", "BTC/USDT") as venue:
            host, _, port = urlsplit(venue.world.endpoints()["binance"]["ws"]).netloc.partition(":")
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(b"GET /ws/btcusdt@depth@100ms HTTP/1.1\r\nHost: x\r\n"
                         b"Upgrade: websocket\r\nConnection: Upgrade\r\n"
                         b"Sec-WebSocket-Version: 13\r\n"
                         b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
            await reader.readuntil(b"\r\n\r\n")
            await venue.call("POST", "/fault", fault("reset"))
            venue.step(1.0)
            got = await reader.read(1 << 20)
            with pytest.raises(ConnectionResetError):
                await reader.read(1 << 20)
            assert b'"e":"depthUpdate"' in got
            assert not got.endswith(b"]}")
            writer.close()

    run(body)


def test_a_stale_snapshot_is_older_than_the_diffs_and_the_next_one_is_not() -> None:
    async def body() -> None:
        async with a_venue("binance", "BTC/USDT") as venue:
            client = await struck(venue, fault("stale_snapshot"))
            await client.settle()
            first = json.loads(client.frames[0])["data"]["U"]
            path = "/api/v3/depth?symbol=BTCUSDT&limit=1000"
            _, stale = await venue.get(path)
            assert stale["lastUpdateId"] < first
            _, fresh = await venue.get(path)
            assert fresh["lastUpdateId"] > first
            truth = venue.world.truth("binance", "BTC/USDT")
            assert truth is not None
            assert fresh["lastUpdateId"] == truth.last_id

    run(body)


def test_a_snapshot_that_never_comes_does_not_hold_up_the_others() -> None:
    async def body() -> None:
        async with a_venue("binance", "BTC/USDT") as venue:
            await venue.call("POST", "/fault", fault("no_snapshot"))
            path = "/api/v3/depth?symbol=BTCUSDT"
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(venue.get(path), 0.1)
            assert (await venue.get(path))[0] == 200

    run(body)


def test_rest_can_be_limited_and_broken() -> None:
    async def body() -> None:
        async with a_venue("binance", "BTC/USDT") as venue:
            for kind, status in (("http_429", 429), ("http_500", 500)):
                await venue.call("POST", "/fault", fault(kind))
                assert (await venue.get("/api/v3/time"))[0] == status
                assert (await venue.get("/api/v3/time"))[0] == 200

    run(body)


def test_faults_of_the_config_strike_at_their_rate_and_are_lifted_by_a_call() -> None:
    async def body() -> None:
        sim = Sim(faults=["binance:drop:0.2", "*:checksum:1"])
        async with a_venue("binance", "BTC/USDT", sim=sim) as venue:
            client = await venue.connect()
            client.ask(SUBSCRIBE)
            await client.settle()
            venue.step(20.0)
            await client.settle()
            lost = venue.world.faults.struck["binance:drop"]
            assert 0.1 < lost / (lost + len(client.frames)) < 0.3
            await venue.call("DELETE", "/fault/binance")
            venue.step(5.0)
            assert venue.world.faults.struck == {"binance:drop": lost}

    run(body)


def test_the_same_seed_strikes_the_same_frames() -> None:
    def strikes(seed: int) -> list[bool]:
        faults = Faults([parse("okx:drop:0.3")], seed=seed, start_mono_ns=0)
        return [faults.strike("okx", "X", FRAME, 0) is not None for _ in range(200)]

    assert strikes(1) == strikes(1) != strikes(2)


def test_a_schedule_and_a_symbol_bound_a_fault() -> None:
    faults = Faults([parse("*:drop:1@10-20")], seed=1, start_mono_ns=5 * 10**9)
    at = [bool(faults.strike("okx", "X", FRAME, s * 10**9)) for s in (14, 15, 24, 25)]
    assert at == [False, True, True, False]
    only = Faults([Fault("okx", Kind.DROP, symbol="A")], seed=1, start_mono_ns=0)
    assert only.strike("okx", "B", FRAME, 0) is None
    assert only.strike("okx", "A", FRAME, 0) is not None


@pytest.mark.parametrize(("spec", "fault"), [
    ("kraken:drop", Fault("kraken", Kind.DROP, rate=0.01)),
    ("*:drop:0.5@10-20", Fault("*", Kind.DROP, rate=0.5, start_s=10, end_s=20)),
    ("okx:delay:0.1:250ms:3x", Fault("okx", Kind.DELAY, rate=0.1, ms=250, count=3)),
    ("okx:delay:3x:250ms", Fault("okx", Kind.DELAY, rate=1.0, ms=250, count=3)),
    ("binance:halt#BTCUSDT@30-", Fault("binance", Kind.HALT, symbol="BTCUSDT", start_s=30)),
    ("binance-usdm:halt#BTC/USDT:USDT",
     Fault("binance-usdm", Kind.HALT, symbol="BTC/USDT:USDT")),
    ("kraken:clock_skew:-1500.5ms", Fault("kraken", Kind.CLOCK_SKEW, ms=-1500.5)),
    ("kraken:id_reuse@5-6", Fault("kraken", Kind.ID_REUSE, count=1, start_s=5, end_s=6)),
    ("kraken:drop:1e-4", Fault("kraken", Kind.DROP, rate=1e-4)),
])
def test_a_line_of_the_config_says_rate_time_count_and_symbol(spec: str, fault: Fault) -> None:
    assert parse(spec) == fault


def test_the_config_takes_faults_of_every_venue_and_refuses_those_of_none(tmp_path: Path) -> None:
    def config(fault: str) -> Config:
        text = LIMITS.replace("[detector]", f"""name = "x"
[venues.kraken]
symbols = ["BTC/USDT"]
[sim]
faults = ["{fault}"]
[detector]""")
        (tmp_path / "c.toml").write_text(text)
        return load(tmp_path / "c.toml")

    sim = config("*:drop").sim
    assert sim is not None
    assert sim.faults == ["*:drop"]
    with pytest.raises(ConfigInvalid, match=r"c\.toml:6: .*names no venue"):
        config("okx:drop")


@pytest.mark.parametrize("spec", [
    "", "kraken", "kraken:nonsense", "kraken:drop:2", "kraken:drop:0", "kraken:drop:0.1@5-5",
    "kraken:drop:1e", "KRAKEN:drop", "kraken:drop:0.1:0.2", "kraken:drop:5", "kraken:drop:0x",
    "kraken:halt:0.5", "kraken:halt:3x", "kraken:delay:-5ms", "kraken:http_500#BTC/USD",
    "kraken:drop@1-2-3", "kraken:drop@1.2.3-4", "kraken:delay:99999999999ms", "kraken:drop:",
])
def test_a_fault_that_cannot_be_is_refused_with_what_would_be_right(spec: str) -> None:
    with pytest.raises(ConfigInvalid, match="fault"):
        parse(spec)


def test_a_control_call_that_cannot_be_is_refused() -> None:
    async def body() -> None:
        async with a_venue("binance", "BTC/USDT") as venue:
            refused: tuple[object, ...] = (
                {"venue": "binance", "kind": "nope"}, {"venue": "binance"}, [],
                fault("drop") | {"colour": "red"})
            for bad in refused:
                assert (await venue.call("POST", "/fault", bad))[0] == 400

    run(body)
