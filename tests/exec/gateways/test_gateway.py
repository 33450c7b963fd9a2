"""exec.gateways.gateway: what leaves once, what ends it, and when orders may go at all."""

import asyncio
from email.utils import formatdate

import msgspec
import pytest

from engine.model.clock import SystemClock
from exec.core import ports as p
from exec.gateways.codec import ORDERS, Answer, Outcome, Request
from tests.exec.gateways.plain import (
    PROPOSED,
    SETTINGS,
    PlainCodec,
    Reply,
    approved,
    login,
    obliging,
    order,
    run,
    staged,
)
from tests.feeds.ws_server import TEXT, Peer

replace = msgspec.structs.replace


def test_an_order_goes_out_over_the_socket_and_its_answer_comes_back() -> None:
    async def body() -> None:
        async with staged() as stage:
            await stage.ready()
            assert stage.place() == "ws"
            await stage.until(lambda: stage.of(p.Accepted))
        assert stage.of(p.Accepted, p.Lost) == [p.Accepted("plain", "t1x1", "v1")]

    run(body)


@pytest.mark.parametrize("wrong", [
    {"size": 11}, {"price": 10_001}, {"side": -1}, {"venue": "other"}, {"symbol": "ETH/USDT"},
    {"approval": 1}, {"purpose": "enter"},
])
def test_not_a_byte_leaves_of_an_order_that_the_gate_did_not_approve(
    wrong: dict[str, object]
) -> None:
    async def body() -> None:
        arrived: list[bytes] = []

        async def orders(peer: Peer) -> None:
            await login(peer, ORDERS)
            while True:
                arrived.append(await peer.read_until(TEXT))

        async with staged(orders) as stage:
            await stage.ready()
            gateway = stage.gateway
            right, _, approval = approved(1)
            assert gateway.place(replace(right, **wrong), PROPOSED, approval) == ""
            assert gateway.place(right, replace(PROPOSED, size=9), approval) == ""
            assert gateway.place(right, replace(PROPOSED, notional=1), approval) == ""
            assert gateway.place(right, PROPOSED, replace(approval)) == ""  # equal: not the same
            assert stage.place(4) == "ws"
            await stage.until(lambda: arrived)
        assert [msgspec.json.decode(each)["order"] for each in arrived] == ["t1x4"]

    run(body)


def test_an_approval_lets_one_order_leave_once_and_only_past_the_sender() -> None:
    async def body() -> None:
        async with staged() as stage:
            await stage.ready()
            placed = approved(1)
            assert stage.gateway.place(*placed) == "ws"
            assert stage.gateway.place(*placed) == ""
            assert stage.gateway.place(*approved(2, admitted=False)) == ""
            await stage.until(lambda: stage.of(p.Accepted))
        assert stage.of(p.Accepted, p.Lost) == [p.Accepted("plain", "t1x1", "v1")]

    run(body)


def test_the_kill_word_stops_orders_and_lets_cancels_pass() -> None:
    async def body() -> None:
        async with staged() as stage:
            await stage.ready()
            stage.flags.kill = True
            assert stage.place() == ""
            assert stage.gateway.cancel(order(), "v1") == "ws"
            stage.gateway.cancel_all()
            await stage.until(lambda: "DELETE /all" in stage.called)

    run(body)


def test_a_kill_word_set_while_a_rest_order_waits_for_its_connection_stops_it() -> None:
    async def body() -> None:
        async with staged(codec=PlainCodec(orders=False)) as stage:
            await stage.ready()
            assert stage.place() == "rest"  # its connection is made when the loop turns
            stage.flags.kill = True
            await stage.until(lambda: stage.of(p.Denied, p.Lost, p.Accepted))
        assert [(each.code, each.client_id) for each in stage.of(p.Denied)
                ] == [("unsent", "t1x1")]
        assert stage.called == []

    run(body)


def test_a_kill_word_set_between_the_head_and_the_body_of_a_rest_order_stops_both() -> None:
    async def body() -> None:
        async with staged(codec=PlainCodec(orders=False)) as stage:
            await stage.ready()
            asked: list[bool] = []

            def killed() -> bool:
                asked.append(stage.flags.kill)
                stage.flags.kill = len(asked) > 1  # by place, by the head; then the word is set
                return asked[-1]

            vars(stage.gateway._traffic)["_killed"] = killed  # noqa: SLF001
            assert stage.place() == "rest"
            await stage.until(lambda: stage.of(p.Denied, p.Lost, p.Accepted))
        assert asked == [False, False, True]
        assert [(each.code, each.client_id) for each in stage.of(p.Denied)
                ] == [("unsent", "t1x1")]
        assert not any(each.startswith("POST") for each in stage.called)

    run(body)


def test_what_a_lost_connection_leaves_unanswered_is_lost_once_each_and_never_sent_again() -> None:
    async def body() -> None:
        arrived: list[str] = []

        async def orders(peer: Peer) -> None:
            await login(peer, ORDERS)
            while True:
                arrived.append(msgspec.json.decode(await peer.read_until(TEXT))["order"])
                if len(arrived) == 3:
                    peer.send(b"\x81\x7e\x10\x00{")  # a frame that never ends
                    peer.reset()

        async with staged(orders) as stage:
            await stage.ready()
            assert [stage.place(number) for number in (1, 2)] == ["ws", "ws"]
            assert stage.gateway.cancel(order(3), "v") == "ws"
            await stage.until(lambda: len(stage.of(p.Lost)) == 3)
            await stage.until(lambda: stage.gateway.readiness.orders_live)  # and back again
            await asyncio.sleep(0.1)
        assert [(each.client_id, each.request) for each in stage.of(p.Lost)
                ] == [("t1x1", "place"), ("t1x2", "place"), ("t1x3", "cancel")]
        assert arrived == ["t1x1", "t1x2", "t1x3"]

    run(body)


def test_an_answer_after_its_time_is_still_told_and_the_order_was_lost_meanwhile() -> None:
    async def body() -> None:
        async def orders(peer: Peer) -> None:
            await login(peer, ORDERS)
            said = msgspec.json.decode(await peer.read_until(TEXT))
            await asyncio.sleep(0.5)
            peer.text(msgspec.json.encode({"id": said["id"], "say": [["accepted", "t1x1"]]}))
            await peer.gone()

        async with staged(orders) as stage:
            await stage.ready()
            stage.place()
            await stage.until(lambda: stage.of(p.Accepted))
        told = stage.of(p.Lost, p.Accepted)
        assert [type(each) for each in told] == [p.Lost, p.Accepted]

    run(body)


def test_a_half_open_orders_channel_is_found_by_its_silence() -> None:
    async def body() -> None:
        connections = 0

        async def orders(peer: Peer) -> None:
            nonlocal connections
            connections += 1
            await login(peer, ORDERS)
            if connections > 1:
                await taking_on(peer)
            await peer.gone()  # reads, and never says a word

        async def taking_on(peer: Peer) -> None:
            while True:
                kind, payload = await peer.read()
                if kind == 9:
                    peer.send(bytes([0x8A, len(payload)]) + payload)

        codec, settings = PlainCodec(), replace(SETTINGS, rest_fallback=False)
        codec.silence_s_max = 0.3
        async with staged(orders, codec=codec, settings=settings) as stage:
            await stage.ready()
            await stage.until(lambda: connections == 2 and stage.told[-1] == p.Ready("plain", ""))
        words = [each.unready for each in stage.of(p.Ready)]
        assert words[-4:] == ["", "no way for orders", "", "closing"]

    run(body)


def test_a_text_that_is_not_understood_ends_the_connection_and_loses_what_waits() -> None:
    async def body() -> None:
        async def orders(peer: Peer) -> None:
            await login(peer, ORDERS)
            await peer.read_until(TEXT)
            peer.text(b"\xff{")
            await peer.gone()

        async with staged(orders) as stage:
            await stage.ready()
            stage.place()
            await stage.until(lambda: stage.of(p.Lost))
        assert stage.of(p.Lost) == [
            p.Lost("plain", "t1x1", "place", "a text that was not understood")]

    run(body)


def test_without_a_user_stream_the_venue_is_not_ready() -> None:
    async def body() -> None:
        async def user(peer: Peer) -> None:
            await peer.gone()  # takes the login and never proves anything

        async with staged(user=user) as stage:
            await stage.until(lambda: stage.gateway.readiness.orders_live)
            await asyncio.sleep(0.4)  # past the time for a proof: it connects anew
        assert p.Ready("plain", "") not in stage.told
        assert stage.of(p.Ready)[0] == p.Ready("plain", "no user stream")

    run(body)


def test_a_lost_user_stream_is_told_at_once_and_again_when_it_is_back() -> None:
    async def body() -> None:
        peers: list[Peer] = []

        async def user(peer: Peer) -> None:
            peers.append(peer)
            await login(peer, "user")
            await peer.gone()

        async with staged(user=user) as stage:
            await stage.ready()
            peers[0].reset()
            await stage.until(lambda: len(stage.of(p.Ready)) >= 4)
        words = [each.unready for each in stage.of(p.Ready)]
        assert words[-3:] == ["no user stream", "", "closing"]

    run(body)


def test_orders_fall_back_to_rest_where_the_config_lets_them() -> None:
    async def body() -> None:
        async def orders(peer: Peer) -> None:
            peer.reset()

        async with staged(orders) as stage:
            await stage.ready()
            assert stage.place() == "rest"
            await stage.until(lambda: stage.of(p.Accepted))
        async with staged(orders, settings=replace(SETTINGS, rest_fallback=False)) as stage:
            await stage.until(lambda: stage.of(p.Ready))
            await asyncio.sleep(0.05)
            assert stage.place() == ""
            assert stage.gateway.cancel(order(), "v") == "rest"
        assert [each for each in stage.called if "place" in each] == []

    run(body)


async def after_executing(method: str, path: str) -> Reply:
    return 503, {}, b'{"say":[["accepted","t1x1"]]}'


async def cut(method: str, path: str) -> Reply:
    return None


async def never(method: str, path: str) -> Reply:
    await asyncio.sleep(3)
    return 200, {}, b"{}"


async def rubbish(method: str, path: str) -> Reply:
    return 200, {}, b"<html>"


@pytest.mark.parametrize("rest", [after_executing, cut, never, rubbish])
def test_a_rest_order_without_a_clear_answer_is_lost_and_made_once(rest: object) -> None:
    async def body() -> None:
        async with staged(rest=rest, codec=PlainCodec(orders=False)) as stage:  # type: ignore[arg-type]
            await stage.ready()
            assert stage.place() == "rest"
            await stage.until(lambda: stage.of(p.Lost, p.Denied, p.Accepted))
            await asyncio.sleep(0.1)
        assert [type(each) for each in stage.of(p.Lost, p.Denied, p.Accepted)] == [p.Lost]
        assert stage.called == ["POST /place/t1x1"]

    run(body)


def test_a_cancel_by_rest_on_a_stale_connection_is_not_made_twice() -> None:
    async def body() -> None:
        seen: list[str] = []

        async def once(method: str, path: str) -> Reply:
            seen.append(path)
            return await obliging(method, path) if len(seen) == 1 else None

        async with staged(rest=once, codec=PlainCodec(orders=False)) as stage:
            await stage.ready()
            stage.place()
            await stage.until(lambda: stage.of(p.Accepted))
            stage.gateway.cancel(order(), "v")  # DELETE: aiohttp would try again by itself
            await stage.until(lambda: stage.of(p.Lost))
            await asyncio.sleep(0.1)
        assert seen == ["/place/t1x1", "/cancel/t1x1"]

    run(body)


def test_an_order_that_finds_no_connection_never_left() -> None:
    async def body() -> None:
        async with staged(codec=PlainCodec(orders=False)) as stage:
            await stage.ready()
            gateway = stage.gateway
            gateway._rest._url = "http://127.0.0.1:1"  # noqa: SLF001  nobody listens there
            assert stage.place() == "rest"
            await stage.until(lambda: stage.of(p.Denied, p.Lost))
        assert [each.code for each in stage.of(p.Denied)] == ["unsent"]

    run(body)


@pytest.mark.parametrize(("status", "headers", "word"), [
    (429, {"Retry-After": "30"}, "barred by the venue"), (418, {}, "barred by the venue")])
def test_nothing_leaves_while_the_venue_bars_us(
    status: int, headers: dict[str, str], word: str
) -> None:
    async def body() -> None:
        async def barring(method: str, path: str) -> Reply:
            return status, headers, b"{}"

        async with staged(rest=barring) as stage:
            await stage.ready()
            stage.gateway.query(order(), "")
            await stage.until(lambda: p.Ready("plain", word) in stage.told)
            before = len(stage.called)
            assert stage.place() == ""
            assert stage.gateway.cancel(order(), "v") == ""
            stage.gateway.query(order(2), "")
            stage.gateway.cancel_all()
            await asyncio.sleep(0.1)
            assert len(stage.called) == before
        barred = max(each.barred_ns for each in stage.of(p.Budget))
        assert barred == (30 if status == 429 else 120) * 10**9

    run(body)


def test_a_survey_is_told_as_a_whole_fills_first_the_list_last() -> None:
    async def body() -> None:
        async with staged() as stage:
            await stage.ready()
            stage.gateway.survey(0)
            await stage.until(lambda: stage.of(p.Listing))
        kinds = [type(each) for each in stage.of(p.Traded, p.Balance, p.Listing)]
        assert kinds == [p.Traded, p.Balance, p.Listing]
        assert stage.of(p.Listing) == [p.Listing("plain", ())]

    run(body)


@pytest.mark.parametrize("reply", [
    (500, {}, b"{}"), (400, {}, b"{}"), None, (200, {}, b'{"next":["/missing"]}')])
def test_a_survey_with_a_missing_part_says_nothing_of_absence(reply: Reply) -> None:
    async def body() -> None:
        async def partial(method: str, path: str) -> Reply:
            if path == "/missing":
                return None
            return reply if path == "/fills" else await obliging(method, path)

        async with staged(rest=partial) as stage:
            await stage.ready()
            stage.gateway.survey(0)
            await stage.until(lambda: stage.of(p.Listing))
        (listing,) = stage.of(p.Listing)
        assert isinstance(listing, p.Listing)
        assert listing.failed

    run(body)


def test_a_survey_without_end_is_given_up() -> None:
    async def body() -> None:
        async def endless(method: str, path: str) -> Reply:
            return 200, {}, b'{"next":["/more"]}'

        async with staged(
            rest=endless, settings=replace(SETTINGS, question_ns_max=10**10)
        ) as stage:
            await stage.ready()
            stage.gateway.survey(0)
            await stage.until(lambda: stage.of(p.Listing))
        assert stage.of(p.Listing) == [p.Listing("plain", (), "a part could not be asked for")]

    run(body)


def test_a_query_tells_what_was_seen_and_that_a_part_is_missing() -> None:
    async def body() -> None:
        async def partial(method: str, path: str) -> Reply:
            return None if path.startswith("/fills") else await obliging(method, path)

        async with staged(rest=partial) as stage:
            await stage.ready()
            stage.gateway.query(order(), "v1")
            await stage.until(lambda: stage.of(p.Lost))
        assert [type(each) for each in stage.of(p.Seen, p.Lost)] == [p.Seen, p.Lost]

    run(body)


def test_the_dead_man_switch_is_renewed_until_it_is_disarmed() -> None:
    async def body() -> None:
        async with staged() as stage:
            await stage.ready()
            stage.gateway.arm(90)
            await stage.until(lambda: stage.called.count("POST /arm/90") >= 4)
            stage.gateway.arm(0)
            await stage.until(lambda: "POST /arm/0" in stage.called)
            count = len(stage.called)
            await asyncio.sleep(0.15)
            assert len(stage.called) == count

    run(body)


def test_a_cancel_all_that_fails_is_tried_again_a_few_times() -> None:
    async def body() -> None:
        async def failing(method: str, path: str) -> Reply:
            return 500, {}, b"{}"

        async with staged(rest=failing) as stage:
            await stage.ready()
            stage.gateway.cancel_all()
            await stage.until(lambda: stage.called.count("DELETE /all") == 5)
            await asyncio.sleep(0.7)
        assert stage.called.count("DELETE /all") == 5

    run(body)


@pytest.mark.parametrize(("ahead_s", "told"), [(0, ""), (90, "off"), (-90, "off")])
def test_a_clock_that_is_far_off_keeps_orders_back(ahead_s: int, told: str) -> None:
    async def body() -> None:
        async def clock(method: str, path: str) -> Reply:
            at_s = SystemClock().unix_ns() / 1e9 + ahead_s
            return 200, {"Date": formatdate(at_s, usegmt=True)}, b"{}"

        async with staged(rest=clock, codec=PlainCodec(time_path="/time")) as stage:
            await stage.until(lambda: any(
                told in each.unready and "clock is not" not in each.unready
                and "no " not in each.unready
                for each in stage.of(p.Ready)))
            assert stage.of(p.Ready)[-1].unready.endswith(told)

    run(body)


def test_a_report_never_comes_from_inside_a_call_of_the_core() -> None:
    async def body() -> None:
        async with staged() as stage:
            await stage.until(lambda: stage.of(p.Ready))
            inside = list(stage.told)
            stage.flags.kill = True
            stage.gateway.cancel_all()
            stage.gateway.query(order(), "")
            stage.gateway.survey(0)
            stage.place()
            assert stage.told == inside

    run(body)


def test_what_the_core_raises_ends_the_gateway_and_is_raised() -> None:
    async def body() -> None:
        def raising(report: p.Report) -> None:
            if isinstance(report, p.Accepted):
                raise MemoryError("the core")

        async with staged() as stage:
            await stage.ready()
            stage.gateway._outbox._report = raising  # noqa: SLF001
            stage.place()
            await stage.until(lambda: stage.gateway._over is None)  # noqa: SLF001

    with pytest.raises(MemoryError):
        run(body)


def test_a_close_waits_for_answers_takes_no_orders_and_loses_the_rest() -> None:
    async def body() -> None:
        async def slow(peer: Peer) -> None:
            await login(peer, ORDERS)
            said = msgspec.json.decode(await peer.read_until(TEXT))
            await peer.read_until(TEXT)  # the second is never answered
            await asyncio.sleep(0.05)
            peer.text(msgspec.json.encode({"id": said["id"], "say": [["accepted", "t1x1"]]}))
            await peer.gone()

        async with staged(slow, settings=replace(SETTINGS, answer_ns_max=10**10)) as stage:
            await stage.ready()
            stage.place(1)
            stage.place(2)
            closing = asyncio.create_task(stage.gateway.close())
            await asyncio.sleep(0)
            assert stage.place(3) == ""
            await closing
        assert stage.of(p.Accepted) == [p.Accepted("plain", "t1x1", "v1")]
        assert stage.of(p.Lost) == [p.Lost("plain", "t1x2", "place", "the gateway closes")]
        assert stage.place(4) == ""

    run(body)



def test_a_venue_without_order_sockets_is_ready_as_long_as_its_rest_answers() -> None:
    async def body() -> None:
        down = False

        async def sometimes(method: str, path: str) -> Reply:
            return None if down or path.startswith("/place") else await obliging(method, path)

        settings = replace(SETTINGS, clock_offset_ns_max=10**18)
        codec = PlainCodec(orders=False, time_path="/time")
        codec.clock = lambda body: (SystemClock().unix_ns(), 10**9)  # type: ignore[method-assign]
        async with staged(rest=sometimes, codec=codec, settings=settings) as stage:
            await stage.ready()
            stage.place()
            await stage.until(lambda: stage.of(p.Lost) and stage.called[-1] == "GET /time")
            assert stage.of(p.Ready)[-1].unready == ""  # one answer was lost, and that is all
            down = True
            stage.place(2)
            await stage.until(lambda: stage.of(p.Ready)[-1].unready == "no way for orders")
            down = False
            await stage.until(lambda: stage.of(p.Ready)[-1].unready == "")

    run(body)


def test_a_refusal_of_the_venue_stands_until_a_channel_is_live_again() -> None:
    async def body() -> None:
        connections = 0

        async def orders(peer: Peer) -> None:
            nonlocal connections
            connections += 1
            await login(peer, ORDERS)
            if connections == 1:
                peer.text(b'{"say":[["refused","the key is unknown"]]}')
            await peer.gone()

        async with staged(orders) as stage:
            await stage.until(lambda: p.Ready(
                "plain", "orders: the key is unknown") in stage.told)
            assert stage.of(p.Ready)[-1].unready
            await stage.until(lambda: connections >= 2)  # when that had lasted long enough
            await stage.ready()

    run(body)


def test_texts_that_follow_from_a_token_wait_for_their_socket() -> None:
    async def body() -> None:
        said: list[bytes] = []

        class Tokens(PlainCodec):
            def opening(self, channel: str, now_unix_ns: int) -> list[Request]:
                return [self.call("login", f"/token/{channel}", method="POST")]

            def answer(self, request: Request, answer: Answer, asked_unix_ns: int) -> Outcome:
                if request.purpose != "login":
                    return super().answer(request, answer, asked_unix_ns)
                channel = request.path.rsplit("/", 1)[-1]
                self.user_path = "/user/token"
                return Outcome(requests=[self.say(channel, "subscribe", "login", "token")])

        async def user(peer: Peer) -> None:
            text = await peer.read_until(TEXT)
            said.append(text)
            peer.text(b'{"id":"login","live":["user"]}')
            await peer.gone()

        async with staged(user=user, codec=Tokens()) as stage:
            await stage.ready()
            assert sorted(stage.called) == ["POST /token/orders", "POST /token/user"]
        assert b"token" in said[0]

    run(body)
