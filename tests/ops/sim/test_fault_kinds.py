"""Every kind of fault over real sockets, by control call and by a scheduled line of the config."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from itertools import pairwise
from typing import Any
from zlib import crc32

import aiohttp
import pytest

from engine.config import Sim
from engine.model.fault import ANSWER, CHANGE, ONCE, STANDING, Kind, parse
from ops.sim import told
from ops.sim import world as worlds
from ops.sim.exchange.audit import audit
from ops.sim.faces import FACES
from tests.ops.sim.plain_face import PlainFace
from tests.ops.sim.wire import Client, Venue, a_world, run

SYMBOL = "BTC/USD"
Story = Callable[["Scene"], Awaitable[None]]
STORIES: dict[Kind, Story] = {}
OPTIONS = {  # what a kind needs to be seen soon
    Kind.DELAY: ":40ms", Kind.STALL: ":40ms", Kind.HTTP_418: ":120ms", Kind.ANSWER_LATE: ":60ms",
    Kind.REQUEST_LATE: ":60ms", Kind.FILL_LATE: ":60ms", Kind.QUERY_LAG: ":150ms",
    Kind.CLOCK_SKEW: ":-90000ms", Kind.SNAPSHOT_LAG: ":100ms"}


SCHEDULED_S = 3600  # when faults of the config strike: not before the story is there


def story(*kinds: Kind) -> Callable[[Story], Story]:
    """Register what shows a kind."""
    def register(told: Story) -> Story:
        STORIES.update(dict.fromkeys(kinds, told))
        return told

    return register


class Scene:
    """A plain venue with one line and the fault that is tried."""

    def __init__(self, venue: Venue, kind: Kind, spec: str, *, by_call: bool) -> None:
        self.venue, self.kind, self._spec, self._by_call = venue, kind, spec, by_call
        self.floor = venue.world.servers["kraken"].face.floor
        self.key = next(iter(self.floor.credentials))
        self.line = venue.world.servers["kraken"].face.lines[SYMBOL]
        self.lot = 10**self.line.size_decimals // 10  # a tenth of a coin

    async def arm(self) -> None:
        """Put the fault in force, or wait until its time comes."""
        if self._by_call:
            fault = parse(self._spec)
            body = {"venue": fault.venue, "kind": fault.kind, "count": fault.count, "ms": fault.ms,
                    "symbol": fault.symbol}
            assert (await self.venue.call("POST", "/fault", body)) == (200, {})
        else:
            self.venue.world.faults.advance(SCHEDULED_S)
        await self.ticks()

    async def ticks(self) -> None:
        """Let faults that stand begin or end."""
        await asyncio.sleep(0.03)

    async def lift(self) -> None:
        """Take it back."""
        await self.venue.call("DELETE", f"/fault/*?kind={self.kind}")
        await self.ticks()

    @property
    def struck(self) -> int:
        """Return how often it struck."""
        return self.venue.world.faults.struck.get(f"kraken:{self.kind}", 0)

    async def rest(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Make a signed call; status 0 for a connection that ended without an answer."""
        url = self.venue.world.endpoints()["kraken"]["rest"] + path
        try:
            async with (
                aiohttp.ClientSession() as session,
                session.request(method, url, json=body, headers={"x-key": self.key},
                                timeout=aiohttp.ClientTimeout(0.3)) as answer,
            ):
                return answer.status, await answer.json()
        except aiohttp.ClientError:
            return 0, None

    def offer(self, *, away: int = 10, **more: object) -> object:
        """Return a bid that rests ``away`` ticks behind the best."""
        price = self.line.book.touch().bid - away
        return {"side": "buy", "price": price, "size": 4 * self.lot, **more}

    def taking(self, tif: str = "gtc") -> object:
        """Return an order that fills at once."""
        touch = self.line.book.touch()
        return {"side": "buy", "price": touch.ask, "size": touch.ask_size // 8 * 2, "tif": tif}

    def orders(self) -> int:
        """Return how many orders the venue knows, open or not."""
        return len(list(self.floor.exchange.registry.orders("main")))

    async def client(self, *, login: bool = False, book: bool = False) -> Client:
        """Connect; log in or follow the book."""
        client = await self.venue.connect("/")
        if login:
            client.ask({"login": self.key})
        if book:
            client.ask({"book": SYMBOL})
        await client.settle()
        client.frames.clear()
        return client

    async def events(self, client: Client) -> list[str]:
        """Return what a private stream told, without balances."""
        await client.settle()
        return [each["event"] for each in client.take()
                if each.get("event") not in (None, "BalanceChanged")]


@pytest.mark.parametrize("by_call", [True, False], ids=["call", "config"])
@pytest.mark.parametrize("kind", Kind)
def test_every_fault_does_what_it_says(
    kind: Kind, by_call: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(FACES, "kraken", PlainFace)
    monkeypatch.setattr(worlds, "TICK_S", 0.01)
    count = "" if kind in STANDING | ONCE else ":1x"
    spec = f"*:{kind}{OPTIONS.get(kind, '')}{count}"

    async def body() -> None:
        sim = Sim(messages_per_s=200) if by_call else Sim(
            messages_per_s=200, faults=[f"{spec}@{SCHEDULED_S}-"])
        async with a_world({"kraken": [SYMBOL]}, sim) as world:
            scene = Scene(Venue(world, "kraken"), kind, spec, by_call=by_call)
            await STORIES[kind](scene)
            assert scene.struck >= 1

    run(body)


# --- market data -------------------------------------------------------------------------------

@story(Kind.DROP, Kind.DUPLICATE, Kind.REORDER)
async def _numbers_break(it: Scene) -> None:
    client = await it.client(book=True)
    await it.arm()
    it.venue.step(0.5)
    await client.settle()
    numbers = [each["n"] for each in client.take()]
    breaks = [after - before for before, after in pairwise([0, *numbers]) if after != before + 1]
    assert breaks == {Kind.DROP: [2], Kind.DUPLICATE: [0], Kind.REORDER: [2, -1, 2]}[it.kind]


@story(Kind.TRUNCATE, Kind.CORRUPT)
async def _text_breaks(it: Scene) -> None:
    client = await it.client(book=True)
    await it.arm()
    it.venue.step(0.5)
    await client.settle()
    bad, *good = client.frames
    with pytest.raises(ValueError):  # noqa: PT011  JSON and UTF-8 errors alike
        json.loads(bad.decode())
    assert [json.loads(each)["n"] for each in good] == list(range(2, len(good) + 2))


@story(Kind.BLOAT)
async def _more_than_a_client_should_take(it: Scene) -> None:
    client = await it.client(book=True)
    await it.arm()
    it.venue.step(0.5)
    await client.closed.wait()  # ours takes 10 MiB at most
    assert client.frames == []
    other = await it.client(book=True)
    it.venue.step(0.5)
    await other.settle()
    assert other.frames


@story(Kind.CHECKSUM)
async def _sum_breaks(it: Scene) -> None:
    client = await it.client(book=True)
    await it.arm()
    it.venue.step(0.5)
    await client.settle()
    wrong = [crc32(each[each.index(b'"of":') + 5 : -1]) != json.loads(each)["checksum"]
             for each in client.frames]
    assert wrong == [True] + [False] * (len(wrong) - 1)


@story(Kind.DELAY, Kind.STALL)
async def _silence_for_a_while(it: Scene) -> None:
    client = await it.client(book=True)
    await it.arm()
    it.venue.step(0.5)
    await client.settle()
    assert client.frames == []
    await asyncio.sleep(0.06)
    it.venue.step(0.5)
    await client.settle()
    numbers = [each["n"] for each in client.take()]
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    assert (numbers[0] == 1) == (it.kind is Kind.DELAY)  # a stall loses what was said


@story(Kind.HALF_OPEN)
async def _neither_speaks_nor_listens(it: Scene) -> None:
    client = await it.client(book=True)
    await it.arm()
    it.venue.step(0.5)
    client.ask({"book": SYMBOL})
    client.transport.send_ping(b"there?")
    await asyncio.sleep(0.05)
    assert client.frames == []
    assert not client.closed.is_set()
    other = await it.client(book=True)
    it.venue.step(0.5)
    await other.settle()
    assert other.frames


@story(Kind.RESET, Kind.DISCONNECT)
async def _the_connection_ends(it: Scene) -> None:
    client = await it.client(book=True)
    await it.arm()
    it.venue.step(0.5)
    await client.closed.wait()
    assert client.frames == []
    other = await it.client(book=True)
    it.venue.step(0.5)
    await other.settle()
    assert other.frames


@story(Kind.GLITCH)
async def _a_print_far_off(it: Scene) -> None:
    client = await it.client(book=True)
    await it.arm()
    it.venue.step(0.5)
    await client.settle()
    best = it.line.book.touch().ask
    prices = [each[1] for frame in client.take() for each in frame["of"]["prints"]]
    assert [price > 5 * best for price in prices].count(True) == 1
    assert it.line.book.touch().bid < it.line.book.touch().ask


@story(Kind.CROSSED)
async def _a_bid_above_the_ask_until_the_next_change(it: Scene) -> None:
    client = await it.client(book=True)
    sides: tuple[dict[int, int], dict[int, int]] = ({}, {})
    for side in (0, 1):
        sides[side].update(it.line.book.sizes[side])
    await it.arm()
    it.venue.step(0.5)
    await client.settle()
    crossed = 0
    for frame in client.take():
        for side, price, size in frame["of"]["changes"]:
            sides[side][price] = size
        bids, asks = ({price for price, size in each.items() if size} for each in sides)
        crossed += max(bids) >= min(asks)
    assert crossed == 1
    assert {p: s for p, s in sides[0].items() if s} == it.line.book.sizes[0]


# --- REST --------------------------------------------------------------------------------------

@story(Kind.STALE_SNAPSHOT)
async def _the_first_book(it: Scene) -> None:
    first = [it.line.book.top(side, 1000) for side in (0, 1)]
    it.venue.step(1.0)
    await it.arm()
    stale = (await it.rest("GET", f"/depth?symbol={SYMBOL}"))[1]
    assert [[tuple(level) for level in side] for side in stale] == first
    fresh = (await it.rest("GET", f"/depth?symbol={SYMBOL}"))[1]
    assert [[tuple(level) for level in side] for side in fresh] == [
        it.line.book.top(side, 1000) for side in (0, 1)]


@story(Kind.SNAPSHOT_LAG)
async def _a_book_of_some_time_ago(it: Scene) -> None:
    await it.arm()
    it.venue.step(1.0)
    then = [it.line.book.top(side, 1000) for side in (0, 1)]
    await asyncio.sleep(0.12)
    it.venue.step(1.0)
    late = (await it.rest("GET", f"/depth?symbol={SYMBOL}"))[1]
    assert [[tuple(level) for level in side] for side in late] == then
    assert then != [it.line.book.top(side, 1000) for side in (0, 1)]


@story(Kind.NO_SNAPSHOT)
async def _no_book_at_all(it: Scene) -> None:
    await it.arm()
    with pytest.raises(TimeoutError):
        await it.rest("GET", f"/depth?symbol={SYMBOL}")
    assert (await it.rest("GET", f"/depth?symbol={SYMBOL}"))[0] == 200


@story(Kind.HTTP_429, Kind.HTTP_500)
async def _refused_once(it: Scene) -> None:
    status = 429 if it.kind is Kind.HTTP_429 else 500
    await it.arm()
    assert (await it.rest("POST", "/orders", it.offer()))[0] == status
    assert it.orders() == 0
    assert (await it.rest("GET", "/time"))[0] == 200


@story(Kind.HTTP_418)
async def _banned_for_a_while(it: Scene) -> None:
    await it.arm()
    assert await it.rest("GET", "/time") == (418, {"error": 418, "retry": 1})
    assert (await it.rest("GET", "/time"))[0] == 418
    await asyncio.sleep(0.13)
    assert (await it.rest("GET", "/time"))[0] == 200


@story(Kind.REQUEST_LOST)
async def _it_never_arrives(it: Scene) -> None:
    await it.arm()
    assert (await it.rest("POST", "/orders", it.offer()))[0] == 0
    assert it.orders() == 0
    assert (await it.rest("POST", "/orders", it.offer()))[1]["status"] == "open"


@story(Kind.REQUEST_LATE)
async def _it_arrives_after_its_sender_gave_up(it: Scene) -> None:
    await it.arm()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(it.rest("POST", "/orders", it.offer()), 0.02)
    assert it.orders() == 0
    await asyncio.sleep(0.08)
    assert it.orders() == 1


# --- order entry -------------------------------------------------------------------------------

@story(Kind.ANSWER_5XX, Kind.ANSWER_LOST, Kind.ANSWER_NEVER)
async def _done_and_not_told(it: Scene) -> None:
    await it.arm()
    if it.kind is Kind.ANSWER_NEVER:
        with pytest.raises(TimeoutError):
            await it.rest("POST", "/orders", it.offer())
    else:
        status = (await it.rest("POST", "/orders", it.offer()))[0]
        assert status == (503 if it.kind is Kind.ANSWER_5XX else 0)
    assert it.orders() == 1
    assert [each["status"] for each in (await it.rest("GET", "/orders"))[1]] == ["open"]


@story(Kind.ANSWER_LATE)
async def _done_and_told_late(it: Scene) -> None:
    await it.arm()
    call = asyncio.ensure_future(it.rest("POST", "/orders", it.offer()))
    while not it.orders():
        await asyncio.sleep(0.002)
    await asyncio.sleep(0.03)
    assert not call.done()
    assert (await call)[1]["status"] == "open"


# --- private streams ---------------------------------------------------------------------------

@story(Kind.FILL_LATE, Kind.FILL_LOST, Kind.FILL_DUPLICATE)
async def _a_fill_is_told_otherwise(it: Scene) -> None:
    both = [await it.client(login=True), await it.client(login=True)]
    await it.arm()
    await it.rest("POST", "/orders", it.taking())
    told = {Kind.FILL_LATE: ["Accepted"], Kind.FILL_LOST: ["Accepted"],
            Kind.FILL_DUPLICATE: ["Accepted", "Fill", "Fill"]}[it.kind]
    for client in both:  # one event, one fate
        assert await it.events(client) == told
    await asyncio.sleep(0.08)
    late = ["Fill"] if it.kind is Kind.FILL_LATE else []
    for client in both:
        assert await it.events(client) == late
    await it.rest("POST", "/orders", it.taking())
    assert await it.events(both[0]) == ["Accepted", "Fill"]
    assert it.struck == 1


@story(Kind.FILL_BEFORE_ACK)
async def _a_fill_overtakes_its_order(it: Scene) -> None:
    both = [await it.client(login=True), await it.client(login=True)]
    await it.arm()
    await it.rest("POST", "/orders", it.taking())
    for client in both:
        assert await it.events(client) == ["Fill", "Accepted"]
    await it.rest("POST", "/orders", it.taking())
    assert await it.events(both[0]) == ["Accepted", "Fill"]


@story(Kind.USER_SILENT)
async def _only_the_market_speaks(it: Scene) -> None:
    client = await it.client(login=True, book=True)
    await it.arm()
    await it.rest("POST", "/orders", it.taking())
    it.venue.step(0.2)
    await client.settle()
    assert {"event" in each for each in client.take()} == {False}
    await it.lift()
    await it.rest("POST", "/orders", it.taking())
    assert await it.events(client) == ["Accepted", "Fill"]


# --- orders ------------------------------------------------------------------------------------

@story(Kind.CANCEL_FILL_RACE)
async def _the_fill_wins(it: Scene) -> None:
    client = await it.client(login=True)
    await it.arm()
    behind = (await it.rest("POST", "/orders", it.offer(away=10)))[1]["id"]
    better = (await it.rest("POST", "/orders", it.offer(away=5)))[1]["id"]
    said = (await it.rest("DELETE", f"/orders/{behind}"))[1]
    assert said == [{"refused": "order already ended"}]
    assert (await it.rest("GET", f"/orders/{behind}"))[1]["status"] == "filled"
    assert (await it.rest("GET", f"/orders/{better}"))[1]["filled"] == 0
    assert await it.events(client) == ["Accepted", "Accepted", "Fill"]
    assert (await it.rest("DELETE", f"/orders/{better}"))[1][0]["status"] == "cancelled"


@story(Kind.PARTIAL_THEN_END)
async def _half_fills(it: Scene) -> None:
    client = await it.client(login=True)
    depth = it.floor.exchange.listed[SYMBOL].book
    await it.arm()
    said = (await it.rest("POST", "/orders", it.taking(tif="ioc")))[1]
    assert (said["status"], said["filled"] * 2) == ("expired", said["size"])
    assert await it.events(client) == ["Accepted", "Fill", "Ended"]
    assert len(depth.asks.outside) > 10  # nothing but the order was cut short


@story(Kind.OVERFILL)
async def _more_fills_than_was_asked_for(it: Scene) -> None:
    client = await it.client(login=True)
    await it.arm()
    resting = (await it.rest("POST", "/orders", it.offer()))[1]
    assert resting["filled"] == 0  # only what fills whole
    said = (await it.rest("POST", "/orders", it.taking(tif="ioc")))[1]
    lot = it.floor.filters(SYMBOL).lot
    assert (said["status"], said["filled"]) == ("filled", said["size"] + lot)
    events = await it.events(client)
    assert events[:2] == ["Accepted", "Accepted"]
    assert set(events[2:]) == {"Fill"}
    fills = it.floor.exchange.fills_since("main")
    assert sum(each.size for each in fills) == said["filled"]
    audit(it.floor.exchange)


@story(Kind.BUST)
async def _the_newest_trade_is_taken_back(it: Scene) -> None:
    before = it.floor.exchange.balances("main")
    client = await it.client(login=True)
    said = (await it.rest("POST", "/orders", it.taking(tif="ioc")))[1]
    fills = it.floor.exchange.fills_since("main")
    assert await it.events(client) == ["Accepted"] + ["Fill"] * len(fills)
    await it.arm()
    while not it.struck:
        await it.ticks()
    left = it.floor.exchange.fills_since("main")
    assert left == fills[:-1]
    assert sum(each.size for each in left) == (
        await it.rest("GET", f"/orders/{said['id']}"))[1]["filled"]
    if not left:
        assert it.floor.exchange.balances("main") == before
    audit(it.floor.exchange)


# --- the venue as a whole ----------------------------------------------------------------------

@story(Kind.MAINTENANCE)
async def _nobody_home(it: Scene) -> None:
    client = await it.client(book=True)
    await it.arm()
    await client.closed.wait()
    assert (await it.rest("GET", "/time"))[0] == 503
    with pytest.raises(Exception, match="503"):
        await it.venue.connect("/")
    await it.lift()
    assert (await it.rest("GET", "/time"))[0] == 200
    await (await it.client(book=True)).settle()


@story(Kind.HALT)
async def _everything_stands_still(it: Scene) -> None:
    placed = (await it.rest("POST", "/orders", it.offer(away=1)))[1]["id"]
    client = await it.client(book=True)
    await it.arm()
    assert (await it.rest("POST", "/orders", it.offer()))[1].keys() == {"refused"}
    assert (await it.rest("DELETE", f"/orders/{placed}"))[1][0].keys() == {"refused"}
    still = it.venue.truth(SYMBOL)
    it.venue.step(5.0)  # the market goes on elsewhere
    await client.settle()
    assert client.frames == []
    assert it.venue.truth(SYMBOL) == still
    await it.lift()
    await client.settle()
    assert client.frames
    assert it.venue.truth(SYMBOL) != still
    assert (await it.rest("POST", "/orders", it.offer()))[1]["status"] == "open"
    it.venue.step(0.5)


@story(Kind.CANCEL_ONLY, Kind.POST_ONLY)
async def _a_mode_of_its_own(it: Scene) -> None:
    placed = (await it.rest("POST", "/orders", it.offer()))[1]["id"]
    await it.arm()
    assert (await it.rest("POST", "/orders", it.offer()))[1].keys() == {"refused"}
    post_only = (await it.rest("POST", "/orders", it.offer(post_only=True)))[1]
    assert ("id" in post_only) == (it.kind is Kind.POST_ONLY)
    assert (await it.rest("DELETE", f"/orders/{placed}"))[1][0]["status"] == "cancelled"
    await it.lift()
    assert (await it.rest("POST", "/orders", it.offer()))[1]["status"] == "open"


@story(Kind.FILTERS)
async def _coarser(it: Scene) -> None:
    before = it.floor.filters(SYMBOL)
    await it.arm()
    now = it.floor.filters(SYMBOL)
    assert (now.tick, now.lot) == (10 * before.tick, 10 * before.lot)
    odd = it.line.book.touch().bid // now.tick * now.tick - 1
    body = {"side": "buy", "price": odd, "size": it.lot * 10}
    assert (await it.rest("POST", "/orders", body))[1] == {"refused": "price not on a tick"}
    await it.lift()
    assert it.floor.filters(SYMBOL) == before
    assert (await it.rest("POST", "/orders", body))[1]["status"] == "open"


@story(Kind.CLOCK_SKEW)
async def _another_time(it: Scene) -> None:
    await it.arm()
    ahead = (await it.rest("GET", "/time"))[1]["ns"] - it.venue.world.clock.unix_ns()
    assert -91e9 < ahead < -89e9
    await it.lift()
    assert abs((await it.rest("GET", "/time"))[1]["ns"] - it.venue.world.clock.unix_ns()) < 1e9


@story(Kind.KEYS_REVOKED)
async def _nobody_is_known(it: Scene) -> None:
    await it.arm()
    assert (await it.rest("GET", "/orders"))[0] == 401
    client = await it.client()
    client.ask({"login": it.key})
    await client.settle()
    assert client.take() == [{"login": False}]
    await it.lift()
    assert (await it.rest("GET", "/orders"))[0] == 200


@story(Kind.QUERY_LAG)
async def _queries_lag_behind(it: Scene) -> None:
    await it.arm()
    placed = (await it.rest("POST", "/orders", it.offer()))[1]["id"]
    await it.rest("POST", "/orders", it.taking())
    assert (await it.rest("GET", "/orders"))[1] == []
    assert (await it.rest("GET", f"/orders/{placed}"))[1] == {"error": "unknown order"}
    assert (await it.rest("GET", "/fills"))[1] == []
    await asyncio.sleep(0.16)
    assert [each["id"] for each in (await it.rest("GET", "/orders"))[1]] == [placed]
    assert len((await it.rest("GET", "/fills"))[1]) == 1


@story(Kind.ID_REUSE)
async def _it_forgot_and_counts_again(it: Scene) -> None:
    client = await it.client(login=True)
    first = (await it.rest("POST", "/orders", it.offer()))[1]["id"]
    await it.arm()
    await client.closed.wait()
    told = [each["event"] for each in client.take()]
    assert "Ended" not in told
    assert it.orders() == 0
    assert (await it.rest("POST", "/orders", it.offer()))[1]["id"] == first
    assert it.struck == 1


@story(Kind.ORDERS_LOST, Kind.ORDERS_CANCELLED)
async def _every_order_is_gone(it: Scene) -> None:
    client = await it.client(login=True)
    for _ in range(3):
        await it.rest("POST", "/orders", it.offer())
    await it.arm()
    assert (await it.rest("GET", "/orders"))[1] == []
    ended = ["Ended"] * 3 if it.kind is Kind.ORDERS_CANCELLED else []
    assert await it.events(client) == ["Accepted"] * 3 + ended
    assert it.floor.exchange.balance("main", "USD")[1] == 0


# --- the same over WebSocket, and side by side -------------------------------------------------

def tried(kind: Kind, body: Story, monkeypatch: pytest.MonkeyPatch, **sim: Any) -> None:
    """Open a plain venue whose fault is armed by call, for a story of its own."""
    monkeypatch.setitem(FACES, "kraken", PlainFace)
    monkeypatch.setattr(worlds, "TICK_S", 0.01)
    count = "" if kind in STANDING | ONCE else ":1x"
    spec = f"kraken:{kind}{OPTIONS.get(kind, '')}{count}"

    async def opened() -> None:
        async with a_world({"kraken": [SYMBOL, "ETH/USD"]}, Sim(**sim)) as world:
            await body(Scene(Venue(world, "kraken"), kind, spec, by_call=True))

    run(opened)


@pytest.mark.parametrize("kind", sorted(ANSWER | CHANGE))
def test_order_entry_over_websocket_goes_wrong_in_the_same_ways(
    kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def body(it: Scene) -> None:
        client = await it.client(login=True)
        await it.arm()
        client.ask({"place": it.offer()})
        closes = kind in (Kind.ANSWER_LOST, Kind.REQUEST_LOST)
        if closes:
            await client.closed.wait()
        else:
            await client.settle()
            assert not [each for each in client.take() if "answer" in each]
        await asyncio.sleep(0.08)
        assert it.orders() == (kind is not Kind.REQUEST_LOST)
        late = kind in (Kind.ANSWER_LATE, Kind.REQUEST_LATE)
        assert [each["answer"]["status"] for each in client.take() if "answer" in each] == (
            ["open"] if late else [])
        if not closes:
            client.ask({"place": it.offer()})
            await client.settle()
            assert [each for each in client.take() if "answer" in each]

    tried(kind, body, monkeypatch)


@pytest.mark.parametrize(("tif", "status", "filled"), [
    ("gtc", "cancelled", 0.5), ("ioc", "expired", 0.5), ("fok", "filled", 1.0)])
def test_half_of_an_order_fills_whatever_its_time_in_force_but_fok(
    tif: str, status: str, filled: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def body(it: Scene) -> None:
        await it.arm()
        said = (await it.rest("POST", "/orders", it.taking(tif)))[1]
        assert (said["status"], said["filled"]) == (status, said["size"] * filled)
        audit(it.floor.exchange)
        it.venue.step(0.2)

    tried(Kind.PARTIAL_THEN_END, body, monkeypatch)


def test_half_of_an_order_fills_where_nobody_was_there_to_trade(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def body(it: Scene) -> None:
        await it.arm()
        said = (await it.rest("POST", "/orders", it.offer()))[1]
        assert (said["status"], said["filled"] * 2) == ("cancelled", said["size"])
        audit(it.floor.exchange)

    tried(Kind.PARTIAL_THEN_END, body, monkeypatch)


def test_cancelling_everything_can_lose_the_race_too(monkeypatch: pytest.MonkeyPatch) -> None:
    async def body(it: Scene) -> None:
        await it.arm()
        for _ in range(3):
            await it.rest("POST", "/orders", it.offer())
        cancelled = (await it.rest("DELETE", "/orders"))[1]
        assert len(cancelled) == 2
        orders = it.floor.exchange.orders("main")
        assert sorted(each.status.value for each in orders) == ["cancelled", "cancelled", "filled"]

    tried(Kind.CANCEL_FILL_RACE, body, monkeypatch)


def test_two_halts_overlap_and_each_symbol_ends_with_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def body(it: Scene) -> None:
        def modes() -> list[str]:
            return [it.floor.filters(each).mode.value for each in (SYMBOL, "ETH/USD")]

        for symbol in (SYMBOL, "ETH/USD"):
            await it.venue.call(
                "POST", "/fault", {"venue": "kraken", "kind": "halt", "symbol": symbol})
        await it.ticks()
        assert modes() == ["halted", "halted"]
        it.venue.world.faults.clear("kraken")
        await it.venue.call("POST", "/fault", {
            "venue": "kraken", "kind": "halt", "symbol": "ETH/USD"})
        await it.venue.call("POST", "/fault", {"venue": "*", "kind": "filters"})
        await it.ticks()
        assert modes() == ["open", "halted"]
        it.venue.world.faults.clear("*")
        await it.ticks()
        assert modes() == ["open", "open"]
        it.venue.step(1.0)
        audit(it.floor.exchange)

    tried(Kind.HALT, body, monkeypatch)


def test_a_halted_market_that_moved_on_fills_what_it_crosses_when_it_opens(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def body(it: Scene) -> None:
        orders = []
        for side in ("buy", "sell"):
            touch = it.line.book.touch()
            price = touch.bid if side == "buy" else touch.ask
            said = await it.rest("POST", "/orders", {"side": side, "price": price, "size": it.lot})
            orders.append(said[1]["id"])
        await it.arm()
        it.venue.step(60.0)
        assert it.floor.exchange.fills_since("main") == []
        it.venue.world.faults.clear("*")
        await it.ticks()
        audit(it.floor.exchange)
        moved = it.line.outside.touch()
        states = [it.floor.exchange.order("main", order_id=each) for each in orders]
        for order in states:
            assert order is not None
            crossed = (order.price >= moved.ask if order.side > 0 else order.price <= moved.bid)
            assert not crossed or not order.remaining
        assert any(order and order.filled for order in states)

    tried(Kind.HALT, body, monkeypatch, messages_per_s=200)


def test_a_fault_of_one_symbol_leaves_the_others_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    async def body(it: Scene) -> None:
        client = await it.client()
        for symbol in (SYMBOL, "ETH/USD"):
            client.ask({"book": symbol})
        await it.venue.call("POST", "/fault", {
            "venue": "*", "kind": "drop", "symbol": "ETH/USD"})
        it.venue.step(1.0)
        await client.settle()
        assert {each["of"]["symbol"] for each in client.take() if "of" in each} == {SYMBOL}

    tried(Kind.DROP, body, monkeypatch)


@pytest.mark.parametrize(("fault", "why"), [
    ({"venue": "nowhere", "kind": "drop"}, "no venue"),
    ({"venue": "kraken", "kind": "drop", "symbol": "DOGE/USD"}, "lists no"),
    ({"venue": "kraken", "kind": "drop", "rate": 0}, "rate"),
    ({"venue": "kraken", "kind": "drop", "count": 0}, "count"),
    ({"venue": "kraken", "kind": "halt", "rate": 0.5}, "no rate"),
    ({"venue": "kraken", "kind": "halt", "count": 3}, "no count"),
    ({"venue": "kraken", "kind": "delay", "ms": -1}, "ms"),
    ({"venue": "kraken", "kind": "delay", "ms": 1e12}, "ms"),
    ({"venue": "kraken", "kind": "http_500", "symbol": SYMBOL}, "symbol"),
    ({"venue": "kraken", "kind": "drop", "start_s": 5, "end_s": 5}, "FROM"),
])
def test_a_fault_that_cannot_be_is_refused_and_said_why(
    fault: dict[str, object], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def body(it: Scene) -> None:
        status, said = await it.venue.call("POST", "/fault", fault)
        assert status == 400
        assert why in said["error"]
        assert (await it.venue.call("GET", "/faults"))[1]["standing"] == []

    tried(Kind.DROP, body, monkeypatch)


def test_what_stands_is_told_until_it_is_over_and_a_ban_is_lifted_with_its_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def body(it: Scene) -> None:
        await it.venue.call("POST", "/fault", {
            "venue": "kraken", "kind": "http_418", "count": 1, "ms": 60_000})
        now_s = (await it.venue.call("GET", "/faults"))[1]["now_s"]
        await it.venue.call("POST", "/fault", {
            "venue": "*", "kind": "drop", "start_s": now_s, "end_s": now_s + 0.1})
        said = (await it.venue.call("GET", "/faults"))[1]
        assert [each["kind"] for each in said["standing"]] == ["http_418", "drop"]
        assert (await it.rest("GET", "/time"))[0] == 418
        await asyncio.sleep(0.12)
        said = (await it.venue.call("GET", "/faults"))[1]
        assert (said["standing"], said["struck"]) == ([], {"kraken:http_418": 1})
        assert (await it.rest("GET", "/time"))[0] == 418
        assert await it.venue.call("DELETE", "/fault/kraken") == (200, {"lifted": 0})
        assert (await it.rest("GET", "/time"))[0] == 200
        assert (await it.venue.call("DELETE", "/fault/kraken?kind=nope"))[0] == 400
        assert (await it.venue.call("DELETE", "/fault/nobody"))[0] == 400

    tried(Kind.HTTP_418, body, monkeypatch)


def test_money_comes_and_goes_from_outside_by_a_control_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def body(it: Scene) -> None:
        client = await it.client(login=True)
        free, _ = it.floor.exchange.balance("main", "USD")
        asked = {"venue": "kraken", "account": "main", "asset": "USD"}
        for amount in ("1.5", "-0.25"):
            assert await it.venue.call("POST", "/transfer", asked | {"amount": amount}) == (200, {})
        assert it.floor.exchange.balance("main", "USD")[0] - free == 125 * 10**16
        await client.settle()
        assert [each["asset"] for each in client.take()] == ["USD", "USD"]
        for wrong in ({"amount": "-1e99"}, {"amount": "x"}, {"amount": "0"}, {"account": "no"},
                      {"venue": "no"}, {"asset": "NO"}, {"amount": "-99999999"}):
            status, said = await it.venue.call("POST", "/transfer", asked | {"amount": "1"} | wrong)
            assert (status, bool(said["error"])) == (400, True), wrong
        audit(it.floor.exchange)

    tried(Kind.DROP, body, monkeypatch)


def test_whoever_leaves_while_something_waits_for_them_is_forgotten(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(told, "ACK_S", 0.1)

    async def body(it: Scene) -> None:
        for spec in ("fill_before_ack", "fill_late:60ms:9x", "answer_late:60ms:9x",
                     "request_late:60ms:9x", "delay:60ms:9x"):
            await it.lift()
            it.venue.world.faults.clear("*")
            it.venue.world.add_fault(parse(f"kraken:{spec}"))
            client = await it.client(login=True, book=True)
            client.ask({"place": it.offer()}, {"place": it.taking()})
            await client.settle()
            it.venue.step(0.2)
            client.transport.disconnect()
            await client.closed.wait()
        await asyncio.sleep(0.15)
        server = it.venue.world.servers["kraken"]
        assert not server.connections
        assert not server.told._held  # noqa: SLF001
        assert it.orders() == 10  # late requests arrive without their sender

    tried(Kind.FILL_BEFORE_ACK, body, monkeypatch)
    assert not [each for each in caplog.records if each.levelno >= logging.ERROR]
