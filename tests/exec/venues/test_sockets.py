"""The codecs over real sockets: what they write is what the venues' servers take."""

from itertools import count
from random import Random
from typing import Any

import aiohttp
import pytest
from yarl import URL

from engine.config import Sim
from exec import records as r
from exec.core.sender import client_id
from exec.gateways.codec import REST, Answer, Codec, Listing, Outcome, Request
from exec.signing.coinbase import CoinbaseSigner
from exec.signing.okx import OkxSigner
from exec.state.orders import State as OrderState
from exec.venues.coinbase.codec import CoinbaseCodec
from exec.venues.okx.codec import OkxCodec
from ops.sim.faces.coinbase.names import uuid_of
from ops.sim.faces.okx.catalogue import FIRST_CODE
from ops.sim.truth import AccountTruth, account_truth_of
from tests.exec.venues.fold import Fold
from tests.ops.sim.wire import Client, Venue, a_venue, run

PAIRS = {"okx": "BTC/USDT", "coinbase": "BTC/USD"}


class Wires:
    """One codec, its connections, and what its reports make."""

    def __init__(self, venue: Venue) -> None:
        face = venue.world.servers[venue.name].face
        self.venue, self.floor = venue, face.floor
        (self.line,) = face.lines.values()
        code = str(FIRST_CODE) if venue.name == "okx" else ""
        base, quote = PAIRS[venue.name].split("/")
        self.listing = Listing(
            PAIRS[venue.name], self.line.native, base, quote, "", self.line.price_decimals,
            self.line.size_decimals, code)
        self.codec: Codec = self._codec()
        self.fold = Fold(venue.name, (self.listing,))
        self.clients: dict[str, Client] = {}
        self.sent = 0

    def _codec(self) -> Codec:
        key = next(each for each in self.floor.credentials.values() if each.account == "main")
        if self.venue.name == "okx":
            return OkxCodec(OkxSigner(key.key, key.secret, key.passphrase), (self.listing,))
        numbers = count(1)
        return CoinbaseCodec(
            CoinbaseSigner(key.key, key.secret), (self.listing,), lambda: f"{next(numbers):x}")

    def truth(self) -> AccountTruth:
        return account_truth_of(self.floor.exchange, "main")

    async def connect(self, session: aiohttp.ClientSession) -> None:
        self.session = session
        for channel, path in (("orders", self.codec.orders_path), ("user", self.codec.user_path)):
            if path:
                self.clients[channel] = await self.venue.connect(path)
                for request in self.codec.opening(channel, self.floor.now_ns()):
                    await self.send(request)
        await self.pump()

    async def send(self, request: Request) -> None:
        if request.channel != REST:
            self.clients[request.channel].ask(request.text)
            return
        root = self.venue.world.endpoints()[self.venue.name]["rest"]
        asked_ns = self.floor.now_ns()
        async with self.session.request(
            request.method, URL(root + request.path, encoded=True), data=request.text or None,
            headers=dict(request.headers),
        ) as answer:
            headers = {name.lower(): value for name, value in answer.headers.items()}
            found = Answer(answer.status, headers, await answer.read())
        await self.act(self.codec.answer(request, found, asked_ns))

    async def act(self, outcome: Outcome) -> None:
        self.fold.now_ns = self.floor.now_ns()
        for report in outcome.reports:
            self.fold.hear(report)
        for request in outcome.requests:
            await self.send(request)

    async def pump(self) -> None:
        """Read all that came."""
        while True:
            for client in self.clients.values():
                await client.settle()
            if not any(client.frames for client in self.clients.values()):
                return
            for channel, client in self.clients.items():
                frames, client.frames = client.frames, []
                for text in frames:
                    await self.act(self.codec.frame(channel, text, self.floor.now_ns()))

    async def place(self, luck: Random) -> None:
        self.sent += 1
        side, touch = luck.choice((1, -1)), self.line.book.touch()
        price = luck.choice((touch.bid, touch.ask))
        size = luck.choice((1, 3)) * 10 ** (self.listing.size_decimals - 4)
        tif = luck.choice((r.Tif.GTC, r.Tif.IOC))
        intent = r.Intended(
            self.sent, 0, 0, self.codec.venue, self.listing.symbol, side, price, size, tif, False,
            False, client_id(1_790_000_000, self.sent), 1, self.floor.now_ns() + 5 * 10**9,
            "enter")
        self.fold.intend(intent)
        await self.send(self.codec.place(intent, self.floor.now_ns(), rest=luck.random() < 0.5))


async def traded(venue: Venue) -> None:
    async with aiohttp.ClientSession() as session:
        wires, luck = Wires(venue), Random(5)
        begin = wires.truth()
        await wires.connect(session)
        for _ in range(10):
            await wires.place(luck)
            await wires.pump()
            venue.step(0.2)
            live = [each for each in wires.fold.state.live.values()
                    if each.state is OrderState.OPEN]
            if live and luck.random() < 0.5:
                order = luck.choice(live)
                wires.fold.apply(r.CancelAsked(order.intent.order, "asked"))
                await wires.send(wires.codec.cancel(
                    order.intent, order.venue_order, wires.floor.now_ns(), rest=False))
            await wires.pump()
        for order in [*wires.fold.state.live.values()]:
            for request in wires.codec.query(
                    order.intent, order.venue_order, wires.floor.now_ns()):
                await wires.send(request)
        wires.fold.balances.clear()
        for request in wires.codec.survey(wires.floor.now_ns() - 60 * 10**9, wires.floor.now_ns()):
            await wires.send(request)
        await wires.pump()
        name: Any = uuid_of if venue.name == "coinbase" else str
        wires.fold.compare(begin, wires.truth(), name)
        assert wires.truth().fills
        assert len(wires.truth().orders) == 10


@pytest.mark.parametrize("name", PAIRS)
def test_what_is_traded_over_sockets_is_what_the_venue_knows(name: str) -> None:
    async def body() -> None:
        async with a_venue(name, PAIRS[name], sim=Sim(seed=3)) as venue:
            await traded(venue)

    run(body)
