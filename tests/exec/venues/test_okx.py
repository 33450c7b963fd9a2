"""OKX's codec at the simulated OKX: what it reports is what the venue did."""

import json
from typing import Any

import pytest

from engine.model.errors import DecodeError
from exec import records as r
from exec.core import ports as p
from exec.gateways.codec import ORDERS, REST, USER, Answer, Listing, Request
from exec.signing.okx import OkxSigner
from exec.state.orders import State as OrderState
from exec.venues.okx.codec import OkxCodec
from ops.sim.credentials import Credentials
from ops.sim.exchange.orders import BUY, SELL
from ops.sim.faces.okx import Okx
from ops.sim.faces.okx.catalogue import FIRST_CODE
from tests.exec.venues.rig import SECOND, Rig

LOT = 10**4  # 0.0001 BTC


def codec(key: Credentials, listings: tuple[Listing, ...]) -> OkxCodec:
    return OkxCodec(OkxSigner(key.key, key.secret, key.passphrase), listings)


def a_rig(*, seed: int = 1, loss: float = 0.0, code: str = str(FIRST_CODE)) -> Rig:
    rig = Rig("okx", Okx, codec, seed=seed, loss=loss, code=code)
    rig.connect()
    return rig


def kinds(reports: list[p.Report]) -> list[type]:
    return [type(each) for each in reports]


def test_both_connections_are_usable_once_logged_in_and_subscribed() -> None:
    rig = Rig("okx", Okx, codec, code=str(FIRST_CODE))
    assert rig.live == set()
    rig.connect()
    assert rig.live == {ORDERS, USER}
    assert any(isinstance(each, p.Balance) for each in rig.fold.take())


@pytest.mark.parametrize("rest", [False, True])
def test_an_order_is_accepted_fills_and_is_cancelled(*, rest: bool) -> None:
    rig = a_rig()
    rig.fold.take()
    order = rig.place(BUY, rig.mid, 10 * LOT, rest=rest)
    assert order.state.name == "OPEN"
    assert order.venue_order
    rig.other(SELL, rig.mid, 4 * LOT)
    rig.pump()
    assert order.booked == 4 * LOT
    (fill,) = (each for each in rig.fold.take() if isinstance(each, p.Traded))
    assert (fill.side, fill.price, fill.size, fill.taker) == (BUY, rig.mid, 4 * LOT, False)
    assert fill.fee_asset == "BTC"
    assert not fill.fee.startswith("-")
    rig.cancel(order, rest=rest)
    assert order.state is OrderState.CANCELLED
    assert order.settled


def test_an_order_that_would_cross_the_deadline_is_refused_by_the_venue() -> None:
    for rest in (False, True):
        rig = a_rig()
        intent = rig.intend(BUY, rig.mid, LOT, life_ns=SECOND)
        request = rig.codec.place(intent, rig.clock.unix_ns(), rest=rest)
        rig.clock.advance(2 * SECOND)
        rig.send(request)
        rig.pump()
        (denied,) = (each for each in rig.fold.take() if isinstance(each, p.Denied))
        assert (denied.client_id, denied.code) == (intent.client_id, "50036")
        assert rig.truth().orders == []


def test_an_instrument_without_a_code_is_traded_by_rest() -> None:
    rig = a_rig(code="")
    order = rig.place(SELL, rig.mid, LOT)
    assert [each.purpose for each in rig.rest] == ["place"]
    rig.cancel(order)
    assert order.state is OrderState.CANCELLED


def test_refusals_name_the_venues_code() -> None:
    rig = a_rig()
    for size, code in ((1, "51020"), (30 * 10**8, "51008")):
        for rest in (False, True):
            order = rig.place(BUY, rig.mid - 10, size, rest=rest)
            denied = next(each for each in rig.fold.take() if isinstance(each, p.Denied))
            assert denied.code == code
            assert order.state is OrderState.REJECTED


def test_a_cancel_of_what_has_ended_is_denied_and_a_question_tells_the_end() -> None:
    rig = a_rig()
    order = rig.place(BUY, rig.mid + 5, LOT, r.Tif.IOC)
    assert order.state is OrderState.FILLED
    rig.fold.take()
    for rest in (False, True):
        rig.cancel(order, rest=rest)
        assert p.CancelDenied in kinds(rig.fold.take())
    rig.query(order)
    heard = rig.fold.take()
    assert kinds(heard) == [p.Traded, p.Seen]
    assert isinstance(heard[1], p.Seen)
    assert (heard[1].found, heard[1].how, heard[1].filled) == (r.Found.ENDED, "filled", LOT)


def test_an_order_that_never_arrived_is_absent() -> None:
    rig = a_rig()
    intent = rig.intend(BUY, rig.mid, LOT)
    rig.query(rig.fold.state.orders[intent.order])
    (seen,) = (each for each in rig.fold.take() if isinstance(each, p.Seen))
    assert (seen.found, seen.client_id) == (r.Found.ABSENT, intent.client_id)
    assert seen.asked_unix_ns == rig.clock.unix_ns()


def test_the_venues_clock_is_read() -> None:
    rig = a_rig()
    answer = rig.ask(Request(channel=REST, purpose="clock", method="GET",
                             path=rig.codec.time_path))
    assert rig.codec.clock(answer.body) == (rig.clock.unix_ns() // 10**6 * 10**6, 10**6)
    for body in (b"", b"{}", b'{"code":"0","data":[]}', b'{"code":"50011","data":[]}',
                 b'{"code":"0","data":[{"ts":"now"}]}'):
        with pytest.raises(DecodeError):
            rig.codec.clock(body)


def test_a_refused_login_or_subscription_tells_why_and_makes_nothing_usable() -> None:
    rig = Rig("okx", Okx, codec, code=str(FIRST_CODE))
    rig.codec = OkxCodec(OkxSigner(rig.key.key, rig.key.secret, "wrong"), (rig.listing,))
    rig.connect()
    unready = {each.unready for each in rig.fold.take() if isinstance(each, p.Ready)}
    assert {each.split(" ")[2] for each in unready} == {"60024"}
    assert rig.live == set()
    text = b'{"event":"error","code":"60018","msg":"no such channel","id":"subscribe"}'
    (ready,) = rig.codec.frame(USER, text, 1).reports
    assert isinstance(ready, p.Ready)
    assert "60018" in ready.unready


@pytest.mark.parametrize(("code", "kind"), [
    ("60011", p.Denied), ("60014", p.Denied), ("63999", p.Lost), ("64007", p.Lost)])
def test_an_error_that_repeats_an_orders_id_is_that_orders_answer(
    code: str, kind: type[p.Report]
) -> None:
    rig = a_rig()
    for event in ('"event":"error"', '"op":"order","data":[]'):
        text = f'{{"id":"pt1x1",{event},"code":"{code}","msg":"no"}}'.encode()
        outcome = rig.codec.frame(ORDERS, text, 1)
        assert outcome.answers == "pt1x1"
        assert type(outcome.reports[0]) is kind


def test_what_happens_on_an_instrument_that_we_do_not_list_is_a_strangers_order() -> None:
    rig = a_rig()
    row = {"instId": "FOO-USDT", "ordId": "7", "clOrdId": "web1", "side": "buy", "state": "filled",
           "tradeId": "9", "fillSz": "1", "fillPx": "2", "accFillSz": "1"}
    text = json.dumps({"arg": {"channel": "orders"}, "data": [row]}).encode()
    assert [*rig.codec.frame(USER, text, 1).reports] == [p.Accepted("okx", "web1", "7")]
    fill = row | {"billId": "3", "execType": "T", "fee": "-1", "feeCcy": "FOO", "ts": "5"}
    (_, fills) = rig.codec.survey(1, 2)
    answer = Answer(200, {}, json.dumps({"code": "0", "data": [fill]}).encode())
    outcome = rig.codec.answer(fills, answer, 2)
    assert [*outcome.reports] == [p.Accepted("okx", "web1", "7")]
    answer = Answer(200, {}, json.dumps({"code": "0", "data": [row | {"state": "live"}]}).encode())
    (listing,) = rig.codec.answer(outcome.requests[0], answer, 2).reports
    assert listing == p.Listing("okx", (("web1", "7", "FOO-USDT", 0),))


def test_the_dead_man_switch_cancels_everything_unless_renewed() -> None:
    rig = a_rig()
    order = rig.place(BUY, rig.mid - 100, LOT)
    for request in rig.codec.arm(3_000, rig.clock.unix_ns()):
        rig.send(request)  # the venue takes ten seconds at least
    rig.wait(9)
    assert order.state.name == "OPEN"
    rig.wait(2)
    assert order.state is OrderState.CANCELLED
    assert p.Lost not in kinds(rig.fold.take())


def test_cancel_all_cancels_hundreds_page_by_page() -> None:
    rig = a_rig()
    for _ in range(130):
        rig.place(BUY, rig.mid - 100, LOT)
        rig.clock.advance(SECOND // 10)
    for request in rig.codec.cancel_all(rig.clock.unix_ns()):
        rig.send(request)
    rig.pump()
    assert {order.status for order in rig.truth().orders} == {"cancelled"}
    assert {order.state for order in rig.fold.state.orders.values()} == {OrderState.CANCELLED}


def test_a_survey_brings_every_page_of_fills_and_orders() -> None:
    rig = a_rig()
    rig.place(BUY, rig.mid, 400 * LOT)
    for _ in range(230):
        rig.other(SELL, rig.mid, LOT)
    for _ in range(120):
        rig.place(SELL, rig.mid + 100, LOT)
        rig.clock.advance(SECOND // 10)
    rig.fold.take()
    rig.survey()
    heard = rig.fold.take()
    fills = {each.trade for each in heard if isinstance(each, p.Traded)}
    assert len(fills) == 230
    rig.fold.compare(rig.begin, rig.truth(), str)


def test_an_order_of_somebody_else_is_told_as_a_stranger() -> None:
    rig = a_rig()
    key = rig.key
    other = codec(key, (rig.listing,))
    intent = rig.intend(BUY, rig.mid, LOT)
    del rig.fold.state.by_client["okx", intent.client_id]
    rig.send(other.place(intent, rig.clock.unix_ns(), rest=True))
    rig.pump()
    assert len(rig.fold.strangers) == 2  # by the answer, which is ours here, and by the stream


@pytest.mark.parametrize(("status", "code"), [
    (200, "50011"), (429, "50011"), (200, "51001"), (200, "50004"), (401, "50113"), (500, "51603"),
    (200, "0"),
])
def test_a_question_that_fails_proves_nothing(status: int, code: str) -> None:
    rig = a_rig()
    order = rig.place(BUY, rig.mid, LOT)
    body = json.dumps({"code": code, "msg": "", "data": []}).encode()
    for venue_order in ("", order.venue_order):
        (request,) = rig.codec.query(order.intent, venue_order, 1)
        first = rig.codec.answer(request, Answer(status, {}, body), 1).reports[0]
        assert isinstance(first, p.Lost)
        assert first.request == "query"


def test_an_order_that_the_venue_forgot_is_known_by_its_fills() -> None:
    rig = a_rig()
    order = rig.place(BUY, rig.mid + 5, LOT, r.Tif.IOC)
    (request,) = rig.codec.query(order.intent, order.venue_order, 1)
    body = json.dumps({"code": "51603", "msg": "Order does not exist", "data": []}).encode()
    rig.fold.take()
    rig.act(rig.codec.answer(request, Answer(200, {}, body), rig.clock.unix_ns()))
    fill, seen = rig.fold.take()
    assert isinstance(fill, p.Traded)
    assert isinstance(seen, p.Seen)
    assert (seen.found, seen.filled) == (r.Found.ENDED, fill.size)


@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_lost_doubled_or_late_the_account_is_the_venues_own(seed: int) -> None:
    rig = a_rig(seed=seed, loss=0.0 if seed == 0 else 0.2)
    rig.gamble(150)
    rig.settle()
    rig.fold.compare(rig.begin, rig.truth(), str)
    assert len(rig.truth().fills) > 20


# --- texts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "body", "kind", "barred"), [
    (200, {"code": "1", "data": [{"sCode": "51008", "sMsg": "poor", "clOrdId": "t1x1"}]},
     p.Denied, False),
    (200, {"code": "1", "data": [{"sCode": "51149", "sMsg": "timeout"}]}, p.Lost, False),
    (200, {"code": "1", "data": [{"sCode": "51054"}]}, p.Lost, False),
    (200, {"code": "1", "data": [{"sCode": "51016"}]}, p.Lost, False),
    (200, {"code": "50004", "msg": "timeout", "data": []}, p.Lost, False),
    (200, {"code": "50013", "msg": "busy", "data": []}, p.Lost, True),
    (429, {"code": "50011", "msg": "too many", "data": []}, p.Denied, True),
    (200, {"code": "50061", "msg": "too many", "data": []}, p.Denied, True),
    (401, {"code": "50113", "msg": "sign", "data": []}, p.Denied, False),
    (200, {"code": "51603", "msg": "none", "data": []}, p.Denied, False),
    (200, {"code": "59999", "msg": "news to us", "data": []}, p.Lost, False),
    (500, {"code": "51008", "msg": "", "data": []}, p.Lost, False),
    (503, b"<html>", p.Lost, False), (429, b"", p.Lost, True), (200, b"{", p.Lost, False),
    (200, {"code": "0", "data": []}, p.Lost, False),
    (200, {"code": "0", "data": [{"sCode": "0", "ordId": ""}]}, p.Lost, False),
    (200, {"code": "0", "data": [{"sCode": "0", "ordId": "7", "clOrdId": "t1x2"}]}, p.Lost, False),
])
def test_only_proof_denies_an_order(
    status: int, body: Any, kind: type, *, barred: bool
) -> None:
    made = codec(Credentials("m", "hmac", "k", "s", "p"), (LISTING,))
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    for purpose in ("place", "cancel"):
        request = Request(channel=REST, purpose=purpose, client_id="t1x1")
        reports = [*made.answer(request, Answer(status, {}, text), 1).reports]
        wanted = p.CancelDenied if (purpose, kind) == ("cancel", p.Denied) else kind
        if purpose == "cancel" and b'"ordId": ""' in text:
            assert reports == []  # a cancel that was taken
            continue
        assert kinds(reports) == [wanted, *([p.Budget] if barred else [])]


LISTING = Listing("BTC/USDT", "BTC-USDT", "BTC", "USDT", "", 1, 8, "101")
