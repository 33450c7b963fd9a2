"""Coinbase's codec at the simulated Coinbase: what it reports is what the venue did."""

import json
from itertools import count
from typing import Any

import pytest

from engine.model.errors import DecodeError
from exec import records as r
from exec.core import ports as p
from exec.gateways.codec import REST, USER, Answer, Listing, Request
from exec.signing.coinbase import CoinbaseSigner
from exec.state.orders import State as OrderState
from exec.venues.coinbase.codec import CoinbaseCodec
from exec.venues.coinbase.requests import NamesAsked
from ops.sim.credentials import ED25519, ES256, Credentials
from ops.sim.exchange.orders import BUY, SELL, Tif
from ops.sim.faces.coinbase.face import Coinbase
from ops.sim.faces.coinbase.names import number_of, uuid_of
from tests.exec.venues.rig import SECOND, Rig

LOT = 10**4  # 0.0001 BTC


def codec(key: Credentials, listings: tuple[Listing, ...]) -> CoinbaseCodec:
    numbers = count(1)
    return CoinbaseCodec(
        CoinbaseSigner(key.key, key.secret), listings, lambda: f"{next(numbers):032x}")


def a_rig(*, seed: int = 1, loss: float = 0.0, kind: str = ED25519) -> Rig:
    rig = Rig("coinbase", Coinbase, codec, pair="BTC/USD", kind=kind, seed=seed, loss=loss)
    rig.connect()
    return rig


def kinds(reports: list[p.Report]) -> list[type]:
    return [type(each) for each in reports if not isinstance(each, p.Budget)]


@pytest.mark.parametrize("kind", [ES256, ED25519])
def test_the_user_channel_is_usable_once_subscribed_with_either_kind_of_key(kind: str) -> None:
    rig = Rig("coinbase", Coinbase, codec, pair="BTC/USD", kind=kind)
    rig.connect()
    assert rig.live == {USER}
    assert rig.place(BUY, rig.mid, LOT).state is OrderState.OPEN


def test_an_order_is_accepted_fills_and_is_cancelled() -> None:
    rig = a_rig()
    order = rig.place(BUY, rig.mid, 10 * LOT)
    assert number_of(order.venue_order)
    assert order.state.name == "OPEN"
    rig.fold.take()
    rig.other(SELL, rig.mid, 4 * LOT)
    rig.pump()
    assert order.booked == 4 * LOT
    (fill,) = (each for each in rig.fold.take() if isinstance(each, p.Traded))
    assert (fill.client_id, fill.side, fill.price, fill.size, fill.taker, fill.fee_asset) == (
        order.intent.client_id, BUY, rig.mid, 4 * LOT, False, "USD")
    assert float(fill.fee) > 0
    rig.cancel(order)
    assert order.state is OrderState.CANCELLED
    assert order.settled


def test_a_taker_that_sweeps_levels_costs_few_questions() -> None:
    rig = a_rig()
    rig.wait(1)
    before = len(rig.rest)
    order = rig.place(BUY, rig.mid + 10, 10 ** 8 // 5, r.Tif.IOC)
    assert order.state is OrderState.FILLED
    assert order.settled
    assert len(rig.fold.traded) == 10
    assert len(rig.rest) - before <= 3  # the order, its fills, once more for the late ones


def test_the_end_of_an_order_is_told_after_its_fills() -> None:
    rig = a_rig()
    rig.fold.take()
    rig.place(BUY, rig.mid + 2, 10**8, r.Tif.IOC)
    heard = kinds(rig.fold.take())
    assert heard.index(p.Over) > max(
        index for index, kind in enumerate(heard) if kind is p.Traded)


def test_an_order_whose_deadline_has_passed_is_refused_by_the_venue() -> None:
    rig = a_rig()
    intent = rig.intend(BUY, rig.mid, LOT, life_ns=2 * SECOND)
    request = rig.codec.place(intent, rig.clock.unix_ns(), rest=False)
    rig.clock.advance(3 * SECOND)
    rig.send(request)
    (denied,) = (each for each in rig.fold.take() if isinstance(each, p.Denied))
    assert (denied.client_id, denied.text) == (intent.client_id, "request timestamp expired")
    assert rig.truth().orders == []


@pytest.mark.parametrize("ahead_ms", [-1_000, -700, 700, 1_000])
def test_a_venue_whose_clock_is_off_by_a_second_still_takes_orders(ahead_ms: int) -> None:
    rig = a_rig()
    rig.floor.skew_ns = ahead_ms * 10**6
    for _ in range(10):
        rig.clock.advance(SECOND // 10)
        assert rig.place(BUY, rig.mid - 10, LOT).state is OrderState.OPEN


def test_refusals_name_the_venues_reason() -> None:
    rig = a_rig()
    for size, code in ((1, "PREVIEW_INVALID_QUOTE_SIZE_TOO_SMALL"),
                       (30 * 10**8, "PREVIEW_INSUFFICIENT_FUND")):
        order = rig.place(BUY, rig.mid - 10, size)
        denied = next(each for each in rig.fold.take() if isinstance(each, p.Denied))
        assert denied.code == code
        assert order.state is OrderState.REJECTED


def test_an_order_without_an_id_is_found_by_ours_and_cancelled() -> None:
    rig = a_rig()
    for _ in range(3):
        rig.place(BUY, rig.mid - 100, LOT)
    order = rig.fold.state.orders[2]
    order.venue_order = ""
    rig.query(order)
    seen = next(each for each in rig.fold.take() if isinstance(each, p.Seen))
    assert (seen.found, seen.client_id) == (r.Found.OPEN, order.intent.client_id)
    order.venue_order = ""
    rig.cancel(order)
    assert [each.status for each in rig.truth().orders] == ["open", "cancelled", "open"]
    assert order.state is OrderState.CANCELLED


def test_an_order_that_never_arrived_is_absent() -> None:
    rig = a_rig()
    intent = rig.intend(BUY, rig.mid, LOT)
    order = rig.fold.state.orders[intent.order]
    for venue_order in ("", uuid_of(77)):
        order.venue_order = venue_order
        rig.query(order)
        (seen,) = (each for each in rig.fold.take() if isinstance(each, p.Seen))
        assert (seen.found, seen.client_id) == (r.Found.ABSENT, intent.client_id)
        rig.cancel(order)
        assert p.CancelDenied in kinds(rig.fold.take())


def test_cancel_all_cancels_hundreds_page_by_page() -> None:
    rig = a_rig()
    for _ in range(130):
        rig.place(BUY, rig.mid - 100, LOT)
        rig.clock.advance(SECOND // 10)
    rig.wait(1)
    for request in rig.codec.cancel_all(rig.clock.unix_ns()):
        rig.send(request)
    rig.pump()
    assert {order.status for order in rig.truth().orders} == {"cancelled"}
    assert {order.state for order in rig.fold.state.orders.values()} == {OrderState.CANCELLED}


def test_a_survey_brings_every_page_and_the_names_of_fills() -> None:
    rig = a_rig()
    rig.place(BUY, rig.mid, 400 * LOT)
    rig.floor.silent = True
    for _ in range(230):
        rig.other(SELL, rig.mid, LOT)
    for _ in range(260):
        rig.place(SELL, rig.mid + 100, LOT)
        rig.clock.advance(SECOND // 10)
    rig.wait(2)
    rig.codec = codec(rig.key, (rig.listing,))  # a new life knows no names
    rig.fold.take()
    rig.survey()
    heard = rig.fold.take()
    assert len({each.trade for each in heard if isinstance(each, p.Traded)}) == 230
    rig.fold.compare(rig.begin, rig.truth(), uuid_of)


def test_fills_that_the_venue_tells_late_are_asked_for_until_they_come() -> None:
    rig = a_rig()
    order = rig.place(BUY, rig.mid, 10 * LOT)
    real, refused = rig.ask, Answer(503, {}, b"")
    rig.ask = lambda request: refused  # type: ignore[method-assign]
    rig.other(SELL, rig.mid, 10 * LOT)
    rig.wait(3)
    assert (order.booked, order.state.name) == (0, "OPEN")
    rig.ask = real  # type: ignore[method-assign]
    rig.wait(2)
    assert (order.booked, order.state.name) == (10 * LOT, "FILLED")


def test_fills_that_come_while_others_are_asked_for_are_asked_for_at_once() -> None:
    rig = a_rig()
    order = rig.place(BUY, rig.mid, 10 * LOT)
    rig.slow, before = True, len(rig.rest)
    for size in (4, 2, 4):
        rig.other(SELL, rig.mid, size * LOT)
        rig.pump()
    assert len(rig.rest) - before == 1
    assert (order.booked, order.state.name) == (0, "OPEN")
    rig.fold.take()
    rig.deliver()
    assert (order.booked, order.state.name) == (4 * LOT, "OPEN")
    rig.deliver()
    assert (order.booked, order.state.name) == (10 * LOT, "FILLED")
    assert kinds(rig.fold.take())[-1] is p.Over
    assert len(rig.rest) - before == 2


def test_the_user_channel_names_an_order_whose_answer_was_lost() -> None:
    rig = a_rig()
    intent = rig.intend(BUY, rig.mid, 10 * LOT)
    rig.ask(rig.codec.place(intent, rig.clock.unix_ns(), rest=False))
    rig.pump()
    rig.other(SELL, rig.mid, 10 * LOT)
    rig.pump()
    assert rig.fold.state.orders[intent.order].state is OrderState.FILLED
    assert not any(isinstance(each, NamesAsked) for each in rig.rest)


def test_a_question_that_fails_proves_nothing() -> None:
    rig = a_rig()
    order = rig.place(BUY, rig.mid, LOT)
    (by_id,) = rig.codec.query(order.intent, order.venue_order, 1)
    (search,) = rig.codec.query(order.intent, "", 1)
    for request in (by_id, search):
        for status, body in ((401, b""), (429, b"{}"), (500, b"{}"), (200, b"{}"), (404, b"<")):
            outcome = rig.codec.answer(request, Answer(status, {}, body), 1)
            if status == 404 and request is by_id:
                assert [each.purpose for each in outcome.requests] == ["query"]
                continue
            assert isinstance(outcome.reports[0], p.Lost)
            assert outcome.reports[0].request == "query"


def test_an_order_of_somebody_else_is_told_as_a_stranger() -> None:
    rig = a_rig()
    rig.send(rig.codec.place(rig.intend(BUY, rig.mid, LOT), rig.clock.unix_ns(), rest=False))
    rig.fold.state.by_client.clear()
    rig.fold.state.by_venue.clear()
    rig.pump()
    assert len(rig.fold.strangers) == 1
    rig.other(SELL, rig.mid, LOT, Tif.GTC)
    rig.pump()
    assert [each.order for each in rig.fold.state.trades.values()] == [0]


def test_the_venues_clock_is_read() -> None:
    rig = a_rig()
    answer = rig.ask(Request(channel=REST, purpose="clock", method="GET",
                             path=rig.codec.time_path))
    assert rig.codec.clock(answer.body) == (rig.clock.unix_ns() // 10**6 * 10**6, 10**6)
    for body in (b"", b"{}", b'{"epochMillis":"-1"}', b'{"epochMillis":7}'):
        with pytest.raises(DecodeError):
            rig.codec.clock(body)


def test_a_refused_subscription_tells_why_and_makes_nothing_usable() -> None:
    rig = Rig("coinbase", Coinbase, codec, pair="BTC/USD", kind=ES256)
    key = rig.key.key.replace("organizations", "nobody")
    rig.codec = CoinbaseCodec(CoinbaseSigner(key, rig.key.secret), (rig.listing,), lambda: "1")
    rig.connect()
    assert {each.unready for each in rig.fold.take() if isinstance(each, p.Ready)} == {
        "user channel: authentication failure"}
    assert rig.live == set()


def test_what_happens_on_an_instrument_that_we_do_not_list_is_a_strangers_order() -> None:
    rig = Rig("coinbase", Coinbase, codec, pair="BTC/USD", kind=ES256)
    row = {"order_id": "7", "client_order_id": "web1", "product_id": "FOO-USD", "status": "FILLED",
           "cumulative_quantity": "1", "filled_size": "1"}
    text = json.dumps({"channel": "user", "sequence_num": 0, "events": [
        {"type": "update", "orders": [row]}]}).encode()
    assert [*rig.codec.frame(USER, text, 1).reports] == [p.Accepted("coinbase", "web1", "7")]
    fill = {"order_id": "7", "trade_id": "9", "product_id": "FOO-USD", "trade_type": "FILL",
            "trade_time": "2024-06-21T18:29:13Z", "price": "1", "size": "1", "commission": "0",
            "side": "BUY"}
    (_, fills) = rig.codec.survey(1, 2)
    answer = Answer(200, {}, json.dumps({"fills": [fill]}).encode())
    outcome = rig.codec.answer(fills, answer, 2)
    assert [*outcome.reports] == [p.Accepted("coinbase", "web1", "7")]
    answer = Answer(200, {}, json.dumps({"orders": [row | {"status": "OPEN"}]}).encode())
    (listing,) = rig.codec.answer(outcome.requests[0], answer, 2).reports
    assert listing == p.Listing("coinbase", (("web1", "7", "FOO-USD", 0),))


def test_a_message_that_is_missing_ends_the_connection() -> None:
    rig = a_rig()
    rig.wait(1)
    head = json.dumps({"channel": "heartbeats", "sequence_num": 10**6, "events": []}).encode()
    with pytest.raises(DecodeError, match="was due"):
        rig.codec.frame(USER, head, 1)


@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_lost_doubled_or_late_the_account_is_the_venues_own(seed: int) -> None:
    rig = a_rig(seed=seed, loss=0.0 if seed == 0 else 0.2)
    rig.gamble(150)
    rig.settle()
    rig.fold.compare(rig.begin, rig.truth(), uuid_of)
    assert len(rig.truth().fills) > 20


# --- texts ---------------------------------------------------------------------------------------


def refusal(**reasons: str) -> dict[str, Any]:
    return {"success": False, "error_response": reasons}


@pytest.mark.parametrize(("status", "body", "kind", "barred"), [
    (200, refusal(error="X", preview_failure_reason="PREVIEW_STOP"), p.Denied, False),
    (200, refusal(error="UNKNOWN_FAILURE_REASON", new_order_failure_reason="INVALID_SIDE"),
     p.Denied, False),
    (200, refusal(error="UNKNOWN_FAILURE_REASON"), p.Lost, False),
    (200, refusal(error="DUPLICATE_CLIENT_ORDER_ID"), p.Lost, False),
    (200, refusal(), p.Lost, False), (200, {"success": False}, p.Lost, False),
    (200, {"success": True}, p.Lost, False), (200, b"{", p.Lost, False),
    (200, {"success": True, "success_response": {
        "order_id": "a", "client_order_id": "t1x2"}}, p.Lost, False),
    (401, b"", p.Denied, False), (400, {"error": "INVALID_ARGUMENT"}, p.Denied, False),
    (403, {"errors": [{"id": "PERMISSION_DENIED"}]}, p.Denied, False),
    (429, {"errors": [{"id": "rate_limit_exceeded"}]}, p.Denied, True),
    (429, b"<html>", p.Lost, True), (408, {"error": "timeout"}, p.Lost, False),
    (500, {"errors": [{"id": "internal_server_error"}]}, p.Lost, False),
    (503, b"", p.Lost, False), (400, {"error": "internal_server_error"}, p.Lost, False),
])
def test_only_proof_denies_an_order(
    status: int, body: Any, kind: type, *, barred: bool
) -> None:
    rig = a_rig()
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = Request(channel=REST, purpose="place", client_id="t1x1")
    reports = [*rig.codec.answer(request, Answer(status, {}, text), 1).reports]
    assert [type(each) for each in reports] == [kind, *([p.Budget] if barred else [])]


@pytest.mark.parametrize(("reason", "kind"), [
    ("UNKNOWN_CANCEL_ORDER", p.CancelDenied), ("ORDER_IS_FULLY_FILLED", p.CancelDenied),
    ("DUPLICATE_CANCEL_REQUEST", p.CancelDenied), ("UNKNOWN_CANCEL_FAILURE_REASON", p.Lost),
])
def test_a_refused_cancel_proves_what_its_reason_says(reason: str, kind: type) -> None:
    rig = a_rig()
    order = rig.place(BUY, rig.mid, LOT)
    request = rig.codec.cancel(order.intent, order.venue_order, 1, rest=True)
    for success, expected in ((False, [kind]), (True, [])):
        text = json.dumps({"results": [{
            "success": success, "failure_reason": reason, "order_id": order.venue_order}]})
        reports = rig.codec.answer(request, Answer(200, {}, text.encode()), 1).reports
        assert [type(each) for each in reports] == expected


def test_headers_tell_how_much_of_the_limit_is_used() -> None:
    rig = a_rig()
    rig.place(BUY, rig.mid, LOT)
    budgets = [each for each in rig.fold.take() if isinstance(each, p.Budget)]
    assert budgets[0] == p.Budget("coinbase", 1, 30, 0)
