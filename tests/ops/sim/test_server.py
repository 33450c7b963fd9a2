"""The servers: ports, limits, slow clients, bad input, pings, TLS."""

import asyncio
import ssl
import time
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest
from picows import WSFrame, WSMsgType, WSTransport, ws_connect

from engine.config import Sim
from engine.runtime.served import CA_FILE
from ops.sim import connection
from tests.ops.sim.wire import Client, Venue, a_venue, a_world, run

DEPTH = {"method": "SUBSCRIBE", "params": ["btcusdt@depth@100ms"], "id": 1}


def price_of(level: tuple[str, str]) -> float:
    return float(level[0])


def test_ports_are_the_same_after_a_restart(tmp_path: Path) -> None:
    async def body() -> None:
        venues = {"binance": ["BTC/USDT"], "kraken": ["BTC/USD"]}
        async with a_world(venues, folder=tmp_path) as world:
            before = world.endpoints()
        async with a_world(venues, folder=tmp_path) as world:
            assert world.endpoints() == before
            async with a_world(venues, folder=tmp_path) as second:  # taken: it finds others
                assert not set(map(str, second.endpoints().values())) & set(
                    map(str, before.values()))

    run(body)


def test_unreadable_endpoints_are_as_good_as_none(tmp_path: Path) -> None:
    async def body() -> None:
        wrong = '{"binance": {"ws": "ws://x:99999999", "rest": ""}}'
        for text in ("", "[]", '{"binance": 7}', '{"binance": {}}', wrong):
            (tmp_path / "endpoints.json").write_text(text)
            async with a_world({"binance": ["BTC/USDT"]}, folder=tmp_path) as world:
                assert (await Venue(world, "binance").get("/api/v3/ping"))[0] == 200

    run(body)


def test_a_client_that_does_not_read_is_cut_off_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection, "QUEUE_SIZE_MAX", 1 << 16)

    async def body() -> None:
        async with a_venue("binance", "BTC/USDT", sim=Sim(messages_per_s=2000)) as venue:
            slow, good = await venue.connect(), await venue.connect()
            for client in (slow, good):
                client.ask(DEPTH)
                await client.settle()
            slow.transport.underlying_transport.pause_reading()
            server = venue.world.servers["binance"]
            while len(server.connections) == 2:
                venue.step(0.5)
                await good.settle()
            assert len(good.frames) > 100
            assert not good.closed.is_set()

    run(body)


def test_binary_and_fragmented_frames_are_refused_and_the_server_lives() -> None:
    async def body() -> None:
        async with a_venue("binance", "BTC/USDT") as venue:
            for kind, fin in ((WSMsgType.BINARY, True), (WSMsgType.TEXT, False)):
                client = await venue.connect()
                client.transport.send(kind, b"{}", fin=fin)
                await client.closed.wait()
            client = await venue.connect()
            client.ask(DEPTH)
            await client.settle()
            assert client.take() == [{"result": None, "id": 1}]

    run(body)


def test_an_oversized_frame_costs_only_its_sender_the_connection() -> None:
    async def body() -> None:
        async with a_venue("kraken", "BTC/USD") as venue:
            client = await venue.connect()
            client.transport.send(WSMsgType.TEXT, b"x" * (2 << 20))
            await client.closed.wait()
            await (await venue.connect()).settle()

    run(body)


def test_a_request_that_is_no_websocket_is_answered_and_harms_nothing() -> None:
    async def body() -> None:
        async with a_venue("okx", "BTC/USDT") as venue:
            netloc = urlsplit(venue.world.endpoints()["okx"]["ws"]).netloc
            url = f"http://{netloc}/ws/v5/public"
            async with aiohttp.ClientSession() as session, session.get(url) as answer:
                assert answer.status >= 400
            await (await venue.connect()).settle()

    run(body)


def test_the_venue_pings_as_often_as_it_says() -> None:
    async def body() -> None:
        async with a_venue("binance", "BTC/USDT") as venue:
            client = await venue.connect()
            client.ask(DEPTH)
            for second in range(1, 61):
                venue.world.servers["binance"].beat(second)
            await client.settle()
            assert client.pings == 3

    run(body)


def test_truth_is_served_and_the_flow_stops_and_goes_on_by_control_calls() -> None:
    async def body() -> None:
        async with a_venue("kraken", "BTC/USD") as venue:
            status, truth = await venue.call("GET", "/truth/kraken/BTC/USD")
            assert (status, truth["native"]) == (200, "BTC/USD")
            bids, _ = venue.truth("BTC/USD")
            assert tuple(truth["bids"][0]) == max(bids.items(), key=price_of)
            assert (await venue.call("GET", "/truth/kraken/NO/PE"))[0] == 404
            assert (await venue.call("GET", "/truth/nowhere/BTC/USD"))[0] == 404
            await venue.call("POST", "/resume")
            while (await venue.call("GET", "/truth/kraken/BTC/USD"))[1] == truth:
                await asyncio.sleep(0.01)
            await venue.call("POST", "/pause")
            still = (await venue.call("GET", "/truth/kraken/BTC/USD"))[1]
            await asyncio.sleep(0.1)
            assert (await venue.call("GET", "/truth/kraken/BTC/USD"))[1] == still

    run(body)


def test_over_tls_a_client_that_trusts_our_authority_connects(tmp_path: Path) -> None:
    async def body() -> None:
        async with a_world({"binance": ["BTC/USDT"]}, Sim(tls=True), tmp_path) as world:
            urls = world.endpoints()["binance"]
            trust = ssl.create_default_context(cafile=str(tmp_path / CA_FILE))
            (authority,) = trust.get_ca_certs()
            ends_s = ssl.cert_time_to_seconds(str(authority["notAfter"]))
            assert ends_s - time.time() > 365 * 86_400  # the folder is used again
            transport, client = await ws_connect(Client, urls["ws"], ssl_context=trust)
            assert isinstance(client, Client)
            client.transport = transport
            client.ask(DEPTH)
            await client.settle()
            assert client.take() == [{"result": None, "id": 1}]
            async with aiohttp.ClientSession() as session:
                async with session.get(urls["rest"] + "/api/v3/ping", ssl=trust) as answer:
                    assert answer.status == 200
                with pytest.raises(aiohttp.ClientConnectorCertificateError):
                    await session.get(urls["rest"] + "/api/v3/ping")

    run(body)


class Mute(Client):
    """Answers no ping."""

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type != WSMsgType.PING:
            super().on_ws_frame(transport, frame)


def test_who_answers_no_ping_is_dropped_and_who_does_is_not() -> None:
    async def body() -> None:
        async with a_venue("binance", "BTC/USDT") as venue:
            server = venue.world.servers["binance"]
            server.face.pong_within_s = 0.02
            good = await venue.connect("/ws")
            url = venue.world.endpoints()["binance"]["ws"]
            transport, mute = await ws_connect(Mute, url, enable_auto_pong=False)
            assert isinstance(mute, Mute)
            mute.transport = transport
            await mute.settle()
            server.beat(20)
            transport.send_pong(b"unasked")
            await good.settle()
            await asyncio.sleep(0.05)
            server.beat(21)
            await mute.closed.wait()
            await good.settle()
            assert not good.closed.is_set()

    run(body)
