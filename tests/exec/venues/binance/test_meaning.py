"""What each answer, error and event of Binance means to the core."""

from itertools import pairwise
from typing import Any

import orjson
import pytest

from exec.core import ports as p
from exec.gateways.codec import ORDERS, USER, Answer, Outcome, Request
from exec.records import Found, Side
from exec.venues.binance import BinanceSpot, BinanceUsdm
from exec.venues.binance import questions as q
from tests.exec.venues.binance.accounts import (
    MS_NS,
    NOW_NS,
    NS,
    intended,
    ok,
    refused,
    spot,
    usdm,
)

B, U = "binance", "binance-usdm"
LATE_NS = NOW_NS + 60 * NS  # after the deadline of every order here
FULL = {
    "symbol": "BTCUSDT", "orderId": 28, "orderListId": -1, "clientOrderId": "t1x1",
    "transactTime": 1507725176595, "price": "61234.5", "origQty": "0.01250000",
    "executedQty": "0.01000000", "status": "EXPIRED", "timeInForce": "IOC", "type": "LIMIT",
    "side": "BUY", "fills": [
        {"price": "61234.00000000", "qty": "0.01000000", "commission": "0.00001000",
         "commissionAsset": "BTC", "tradeId": 56}]}
TRADED = p.Traded(B, "BTC/USDT", "t1x1", "28", "56b", Side.BUY, 6_123_400, 1_000, "0.00001000",
                  "BTC", True, 1507725176595 * MS_NS, "answer")
ROW = {"symbol": "BTCUSDT", "orderId": 28, "clientOrderId": "t1x1", "status": "NEW",
       "executedQty": "0"}
REPORT = {
    "e": "executionReport", "E": 1499405658658, "s": "BTCUSDT", "c": "t1x1", "S": "BUY",
    "o": "LIMIT", "f": "GTC", "q": "1", "p": "0.1", "C": "", "x": "NEW", "X": "NEW", "r": "NONE",
    "i": 28, "l": "0.00000000", "z": "0.00000000", "L": "0.00000000", "n": "0", "N": None,
    "T": 1499405658657, "t": -1, "m": False}


def answered(codec: Any, request: Request, body: object, now_ns: int = NOW_NS) -> Outcome:
    found: Outcome = codec.answer(request, ok(orjson.dumps(body)), now_ns)
    return found


def framed(codec: Any, number: str, body: dict[str, Any], channel: str = ORDERS) -> Outcome:
    found: Outcome = codec.frame(channel, orjson.dumps({"id": number} | body), NOW_NS)
    return found


def event(**fields: Any) -> list[p.Report]:
    text = orjson.dumps({"subscriptionId": 0, "event": REPORT | fields})
    return [*spot().frame(USER, text, NOW_NS).reports]


# --- orders --------------------------------------------------------------------------------------


def test_a_full_answer_is_the_order_its_fills_and_its_end_over_either_channel() -> None:
    codec = spot()
    expected = [p.Accepted(B, "t1x1", "28"), TRADED,
                p.Over(B, "t1x1", "28", "expired", 1_000, "answer")]
    order = codec.place(intended(), NOW_NS, rest=True)
    assert answered(codec, order, FULL).reports == expected
    outcome = framed(codec, "p-t1x1", {"status": 200, "result": FULL})
    assert (outcome.reports, outcome.answers) == (expected, "p-t1x1")


@pytest.mark.parametrize(("status", "code", "text"), [
    (400, -2010, "Account has insufficient balance for requested action."),
    (400, -1013, "Filter failure: NOTIONAL"), (400, -1021, "Timestamp"), (401, -2015, "Invalid"),
    (429, -1015, "Too many new orders"), (418, -1003, "banned"), (400, -5022, "post only")])
def test_a_refusal_proves_that_nothing_happened(status: int, code: int, text: str) -> None:
    business = code in (-2010, -1013, -5022)
    for codec, venue in ((spot(), B), (usdm(), U)):
        symbol = "BTC/USDT" if venue == B else "BTC/USDT:USDT"
        place = codec.place(intended(symbol=symbol), NOW_NS, rest=True)
        cancel = codec.cancel(intended(symbol=symbol), "", NOW_NS, rest=True)
        answer = refused(status, code, text)
        assert codec.answer(place, answer, NOW_NS).reports[0] == p.Denied(
            venue, "t1x1", str(code), text, business)
        assert codec.answer(cancel, answer, NOW_NS).reports[0] == p.CancelDenied(
            venue, "t1x1", str(code), text)
        error = {"status": status, "error": {"code": code, "msg": text}}
        assert framed(codec, "p-t1x1", error).reports[0] == p.Denied(
            venue, "t1x1", str(code), text, business)
        assert framed(codec, "c-3-t1x1", error).reports[0] == p.CancelDenied(
            venue, "t1x1", str(code), text)


@pytest.mark.parametrize("answer", [
    refused(400, -1006), refused(400, -1007), refused(503, -1007), refused(500, -1001),
    refused(503, -1008), refused(503, -1000), refused(503, -1016), refused(504, -1),
    Answer(502, {}, b"<html>Bad Gateway</html>"), Answer(403, {}, b"<html>WAF</html>"),
    Answer(200, {}, b""), Answer(200, {}, b"[]"), Answer(200, {}, b'{"orderId":1}'),
    Answer(302, {}, b""), refused(400, -2010, "Duplicate order sent."), refused(400, -4116),
    ok(orjson.dumps(FULL | {"clientOrderId": "t1x2"}))])
def test_whatever_leaves_it_open_is_lost(answer: Answer) -> None:
    codec = spot()
    (report, *_) = codec.answer(codec.place(intended(), NOW_NS, rest=True), answer, NOW_NS).reports
    assert isinstance(report, p.Lost)
    assert (report.client_id, report.request) == ("t1x1", "place")
    if answer.status != 200:
        cancel = codec.cancel(intended(), "28", NOW_NS, rest=True)
        (report, *_) = codec.answer(cancel, answer, NOW_NS).reports
        assert isinstance(report, p.Lost)
        assert report.request == "cancel"


def test_a_cancel_says_how_much_had_filled_and_unknown_orders_are_refusals() -> None:
    codec = spot()
    row = ROW | {"clientOrderId": "venue's own", "origClientOrderId": "t1x1", "status": "CANCELED",
                 "executedQty": "0.00250000"}
    over = p.Over(B, "t1x1", "28", "cancelled", 250, "answer")
    assert framed(codec, "c-1-t1x1", {"status": 200, "result": row}).reports == [over]
    request = codec.cancel(intended(), "28", NOW_NS, rest=True)
    assert answered(codec, request, row).reports == [over]
    told = codec.answer(request, refused(400, -2011, "Unknown order sent."), NOW_NS).reports
    assert told == [p.CancelDenied(B, "t1x1", "-2011", "Unknown order sent.")]


def test_cancel_all_goes_by_symbol_and_then_to_whatever_else_rests() -> None:
    codec = spot()
    btc, eth, strays = codec.cancel_all(NOW_NS)
    assert [each.method for each in (btc, eth, strays)] == ["DELETE", "DELETE", "GET"]
    assert codec.answer(btc, refused(400, -2011), NOW_NS).reports == []
    row = ROW | {"origClientOrderId": "t1x1", "status": "CANCELED"}
    assert answered(codec, eth, [row]).reports == [
        p.Over(B, "t1x1", "28", "cancelled", 0, "answer")]
    others = [ROW, ROW | {"symbol": "DOGEUSDT"}, ROW | {"symbol": "DOGEUSDT"}]
    (more,) = answered(codec, strays, others).requests
    assert "symbol=DOGEUSDT" in more.path
    assert (more.method, more.purpose) == ("DELETE", "cancel_all")
    done = usdm().answer(usdm().cancel_all(NOW_NS)[0], ok(b'{"code":200,"msg":"done"}'), NOW_NS)
    assert done.reports == []


# --- the user stream -----------------------------------------------------------------------------


def test_execution_reports_in_every_state() -> None:
    accepted = p.Accepted(B, "t1x1", "28")
    assert event() == [accepted]
    fill: dict[str, Any] = {"x": "TRADE", "t": 56, "l": "0.01", "L": "61234", "z": "0.01",
                            "n": "0.00001000", "N": "BTC"}
    traded = p.Traded(B, "BTC/USDT", "t1x1", "28", "56b", Side.BUY, 6_123_400, 1_000, "0.00001000",
                      "BTC", taker=True, venue_unix_ns=1499405658657 * MS_NS, source="stream")
    assert event(**fill, X="PARTIALLY_FILLED") == [traded]
    assert event(**fill, X="FILLED") == [
        traded, p.Over(B, "t1x1", "28", "filled", 1_000, "stream")]
    (maker,) = event(**fill | {"m": True, "S": "SELL", "n": "0", "N": None}, X="PARTIALLY_FILLED")
    assert isinstance(maker, p.Traded)
    assert (maker.trade, maker.taker, maker.side, maker.fee_asset) == (
        "56s", False, Side.SELL, "USDT")
    ended = {"c": "the cancel's", "C": "t1x1", "x": "CANCELED", "X": "CANCELED", "z": "0.01"}
    assert event(**ended) == [p.Over(B, "t1x1", "28", "cancelled", 1_000, "stream")]
    assert event(x="EXPIRED", X="EXPIRED", eR=4) == [
        p.Over(B, "t1x1", "28", "expired", 0, "stream")]
    assert event(x="TRADE_PREVENTION", X="EXPIRED_IN_MATCH", v=3) == [
        p.Over(B, "t1x1", "28", "expired", 0, "stream")]
    assert event(x="TRADE_PREVENTION", X="NEW") == []  # made smaller
    assert event(x="REJECTED", X="REJECTED", r="INSUFFICIENT_BALANCES") == [
        p.Denied(B, "t1x1", "INSUFFICIENT_BALANCES", "INSUFFICIENT_BALANCES", business=True)]
    assert event(x="REPLACED", c="new", C="t1x1") == [p.Accepted(B, "new", "28")]
    assert event(s="DOGEUSDT", **fill) == [accepted]  # nobody's: the core stops


def test_money_from_outside_and_balances_of_the_stream() -> None:
    codec = spot()
    outside = {"e": "balanceUpdate", "E": 3, "a": "BTC", "d": "-1.50", "T": 2}
    text = orjson.dumps({"subscriptionId": 0, "event": outside})
    assert codec.frame(USER, text, NOW_NS).reports == [
        p.Moved(B, "BTC", "-1.50", "withdrawal", "BTC:-1.50:2:3", 2_000_000)]
    position = {"e": "outboundAccountPosition", "E": 1, "u": 1,
                "B": [{"a": "ETH", "f": "10000.000000", "l": "0.5"}]}
    text = orjson.dumps({"subscriptionId": 0, "event": position})
    assert codec.frame(USER, text, NOW_NS).reports == [
        p.Balance(B, "ETH", "10000.000000", "0.5", "stream")]
    for kind in ("listStatus", "externalLockUpdate", "of next year"):
        assert codec.frame(USER, orjson.dumps({"event": {"e": kind}}), NOW_NS) == Outcome()


def test_a_stream_that_the_venue_ends_is_subscribed_again_and_no_order_goes_meanwhile() -> None:
    codec = spot()
    told = {}
    for channel, kind in ((USER, "eventStreamTerminated"), (ORDERS, "serverShutdown")):
        text = orjson.dumps({"event": {"e": kind, "E": 1770123456789}})
        told[kind] = codec.frame(channel, text, NOW_NS)
        (report,) = told[kind].reports
        assert isinstance(report, p.Ready)
        assert report.unready
        assert not told[kind].live
    (again,) = told["eventStreamTerminated"].requests
    assert (again.channel, again.purpose) == (USER, "subscribe")
    assert framed(codec, again.id, {"status": 200, "result": {"subscriptionId": 1}},
                  USER).live == [USER]
    active = {"status": 400, "error": {"code": -2035, "msg": "already active"}}
    assert framed(codec, again.id, active, USER).live == [USER]


@pytest.mark.parametrize("make", [spot, usdm])
def test_a_login_that_is_refused_proves_no_channel(make: Any) -> None:
    codec = make()
    (login,) = codec.opening(ORDERS, NOW_NS)
    bad = {"status": 401, "error": {"code": -2015, "msg": "Invalid API-key"}}
    for outcome in (framed(codec, login.id, bad),
                    codec.frame(ORDERS, orjson.dumps({"id": None} | bad), NOW_NS)):
        assert not outcome.live
        (report,) = outcome.reports
        assert isinstance(report, p.Ready)
        assert "-2015" in report.unready
    busy = {"status": 429, "error": {"code": -1003, "msg": "", "data": {"retryAfter": 1}}}
    for number in (login.id, None):
        outcome = codec.frame(ORDERS, orjson.dumps({"id": number} | busy), NOW_NS)
        assert not outcome.live
        assert outcome.reports == [p.Budget(codec.venue, 0, 0, 60 * NS)]
    assert framed(codec, login.id, {"status": 200, "result": {}}).live == [ORDERS]


def test_the_venues_clock_is_read() -> None:
    assert spot().clock(b'{"serverTime":1499827319559}') == (1499827319559 * MS_NS, MS_NS)


# --- limits --------------------------------------------------------------------------------------


def test_usage_is_told_by_headers_and_rows_and_waits_by_both() -> None:
    codec = spot()
    request = codec.place(intended(), NOW_NS, rest=True)
    headers = {"x-mbx-used-weight-1m": "5990", "x-mbx-order-count-10s": "3"}
    spent = codec.answer(request, Answer(200, headers, orjson.dumps(FULL)), NOW_NS).reports[-1]
    assert spent == p.Budget(B, 5990, 6000, 0)
    rates = [{"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 100,
              "count": 99}]
    assert framed(codec, "p-t1x1", {"status": 200, "result": FULL, "rateLimits": rates}
                  ).reports[-1] == p.Budget(B, 99, 100, 0)
    headers["x-mbx-order-count-10s"] = "98"  # of the 100 that the row told
    told = codec.answer(request, Answer(200, headers, orjson.dumps(FULL)), NOW_NS)
    assert told.reports[-1] == p.Budget(B, 98, 100, 0)
    for status in (429, 418):
        answer = refused(status, -1003, headers={"retry-after": "7"})
        assert p.Budget(B, 0, 0, 7 * NS) in codec.answer(
            request, answer, NOW_NS).reports
        answer = refused(status, -1003, headers={"retry-after": "soon"})
        assert p.Budget(B, 0, 0, 60 * NS) in codec.answer(request, answer, NOW_NS).reports
        answer = refused(status, -1003, headers={"retry-after": "9" * 12})
        assert p.Budget(B, 0, 0, 3 * 86_400 * NS) in codec.answer(request, answer, NOW_NS).reports
        error = {"status": status, "error": {"code": -1003, "msg": "", "data": {
            "serverTime": 1, "retryAfter": NOW_NS // MS_NS + 9_000}}}
        assert p.Budget(B, 0, 0, 9 * NS) in framed(codec, "p-t1x1", error).reports


# --- questions -----------------------------------------------------------------------------------


def test_a_filled_order_is_told_after_its_fills() -> None:
    codec = spot()
    (fate,) = codec.query(intended(), "", LATE_NS)
    assert "origClientOrderId=t1x1" in fate.path
    (fills,) = answered(codec, fate, ROW | {"status": "CANCELED", "executedQty": "0.01"},
                        LATE_NS).requests
    assert "orderId=28" in fills.path
    assert "myTrades" in fills.path
    trade = {"symbol": "BTCUSDT", "id": 56, "orderId": 28, "price": "61234", "qty": "0.01",
             "commission": "0", "commissionAsset": "BTC", "time": 5, "isBuyer": True,
             "isMaker": False}
    traded, seen = answered(codec, fills, [trade], LATE_NS + NS).reports
    assert isinstance(traded, p.Traded)
    assert (traded.client_id, traded.trade, traded.size) == ("t1x1", "56b", 1_000)
    assert seen == p.Seen(B, "t1x1", "28", Found.ENDED, "cancelled", 1_000, LATE_NS)
    page = [trade | {"id": number} for number in range(1, 1001)]
    outcome = answered(codec, fills, page, LATE_NS)
    (more,) = outcome.requests
    assert "fromId=1001" in more.path
    assert not any(isinstance(each, p.Seen) for each in outcome.reports)
    (fate,) = codec.query(intended(), "28", LATE_NS)
    assert "orderId=28" in fate.path
    assert answered(codec, fate, ROW, LATE_NS).reports == [
        p.Seen(B, "t1x1", "28", Found.OPEN, "", 0, LATE_NS)]


@pytest.mark.parametrize("make", [spot, usdm])
def test_an_order_is_absent_only_when_every_place_was_asked_after_its_deadline(make: Any) -> None:
    codec = make()
    order = intended(symbol="BTC/USDT" if codec.venue == B else "BTC/USDT:USDT")
    missing = refused(400, -2013, "Order does not exist.")
    (fate,) = codec.query(order, "", NOW_NS)
    assert codec.answer(fate, missing, order.deadline_unix_ns) == Outcome(reports=[], requests=())
    (open_orders,) = codec.answer(fate, missing, LATE_NS).requests
    assert "openOrders?" in open_orders.path
    found = answered(codec, open_orders, [ROW], LATE_NS + 1)
    assert found.reports == [p.Seen(codec.venue, "t1x1", "28", Found.OPEN, "", 0, LATE_NS + 1)]
    (history,) = answered(codec, open_orders, [ROW | {"clientOrderId": "other"}], LATE_NS + 1
                          ).requests
    assert "allOrders?" in history.path
    full = [ROW | {"clientOrderId": "other", "orderId": number} for number in range(1000)]
    (next_page,) = answered(codec, history, full, LATE_NS + 2).requests
    assert "orderId=1000&" in next_page.path
    assert answered(codec, next_page, [], LATE_NS + 3).reports == [
        p.Seen(codec.venue, "t1x1", "", Found.ABSENT, "", 0, LATE_NS)]
    for asked in (fate, open_orders, history):
        (lost,) = codec.answer(asked, refused(503, -1007), LATE_NS).reports
        assert isinstance(lost, p.Lost)
        assert lost.request == "query"
    archived = codec.answer(fate, refused(400, -2026), LATE_NS).reports
    assert archived == [p.Seen(codec.venue, "t1x1", "", Found.ENDED, "expired", 0, LATE_NS)]


def spans(requests: Any) -> list[tuple[int, int]]:
    return [(each.start_ms, each.end_ms) for each in requests if isinstance(each, q.Trades)]


def test_a_survey_covers_its_whole_time_whichever_end_of_a_full_page_is_missing() -> None:
    codec, day_ms = spot(), 86_400_000
    since_ns = NOW_NS - 3 * day_ms * MS_NS + 7 * MS_NS
    first = codec.survey(since_ns, NOW_NS)[0]
    assert isinstance(first, q.Trades)
    waiting, asked, cut = [first], [], 0
    full = [{"symbol": "BTCUSDT", "id": n, "orderId": 1, "price": "1", "qty": "1",
             "commission": "0", "commissionAsset": "BTC", "time": 5, "isBuyer": True,
             "isMaker": False} for n in range(1000)]
    while waiting:
        each = waiting.pop()
        busy = each.end_ms - each.start_ms > day_ms // 8 and cut < 40
        cut += busy
        outcome = answered(codec, each, full if busy else [], NOW_NS)
        waiting += [found for found in outcome.requests if isinstance(found, q.Trades)]
        if not busy:
            asked.append((each.start_ms, each.end_ms))
    asked.sort()
    assert asked[0][0] == since_ns // MS_NS
    assert all(after[0] == before[1] + 1 for before, after in pairwise(asked))
    assert asked[-1][1] >= NOW_NS // MS_NS
    assert cut > 4


def test_trades_of_orders_that_were_never_met_are_told_with_their_names() -> None:
    codec = spot()
    first = codec.survey(NOW_NS - NS, NOW_NS)[0]
    rows = [{"symbol": "BTCUSDT", "id": n, "orderId": order, "price": "61234", "qty": "0.01",
             "commission": "0", "commissionAsset": "BTC", "time": 5, "isBuyer": True,
             "isMaker": False} for n, order in ((56, 28), (57, 30), (58, 31))]
    codec.frame(USER, orjson.dumps({"event": REPORT}), NOW_NS)  # order 28 is t1x1
    outcome = answered(codec, first, rows)
    assert [each.client_id for each in outcome.reports if isinstance(each, p.Traded)] == ["t1x1"]
    (names,) = outcome.requests
    assert "orderId=30&" in names.path
    told = answered(codec, names, [ROW | {"orderId": 30, "clientOrderId": "t1x2"}]).reports
    assert [(each.client_id, each.venue_order) for each in told if isinstance(each, p.Traded)] == [
        ("t1x2", "30"), ("", "31")]


def test_a_failed_list_of_open_orders_says_so_and_strangers_are_listed() -> None:
    codec = spot()
    request = next(each for each in codec.survey(NOW_NS, NOW_NS) if isinstance(each, q.OpenOrders))
    (failed,) = codec.answer(request, refused(503, -1007), NOW_NS).reports
    assert isinstance(failed, p.Listing)
    assert failed.failed
    (listing,) = answered(codec, request, [
        ROW | {"executedQty": "0.00003"}, ROW | {"symbol": "DOGEUSDT", "orderId": 9}]).reports
    assert listing == p.Listing(B, (("t1x1", "28", "BTC/USDT", 3), ("t1x1", "9", "DOGEUSDT", 0)))


# --- USD-M ---------------------------------------------------------------------------------------


def opened(codec: BinanceUsdm, key: bytes = b"abc") -> Request:
    first, listed = codec.opening(USER, NOW_NS)
    assert codec.answer(first, ok(b'{"listenKey":"%s"}' % key), NOW_NS).reports == []
    return listed


def test_a_listen_key_is_proved_renewed_and_given_up() -> None:
    codec = usdm()
    listed = opened(codec)
    assert codec.user_path == "/private/ws/abc"
    assert framed(codec, listed.id, {"result": ["abc", "abc"]}, USER).live == [USER]
    assert framed(codec, listed.id, {"result": ["abc@ORDER_TRADE_UPDATE"]}, USER).live == [USER]
    outcome = framed(codec, listed.id, {"result": []}, USER)
    assert not outcome.live
    assert isinstance(outcome.reports[0], p.Ready)
    assert codec.keep(NOW_NS + 29 * 60 * NS) == ()
    (renewal,) = codec.keep(NOW_NS + 30 * 60 * NS)
    assert renewal.method == "PUT"
    assert codec.keep(NOW_NS + 30 * 60 * NS + NS) == ()
    assert codec.keep(NOW_NS + 31 * 60 * NS)  # it was not answered
    codec.answer(renewal, ok(b"{}"), NOW_NS + 31 * 60 * NS)
    assert codec.keep(NOW_NS + 60 * 60 * NS) == ()
    (asked,) = codec.answer(renewal, refused(400, -1125), NOW_NS).requests
    outcome = framed(codec, asked.id, {"result": ["abc"]}, USER)  # it ended, whatever is listed
    assert isinstance(outcome.reports[0], p.Ready)
    assert codec.keep(NOW_NS + 90 * 60 * NS) == ()
    listed = opened(codec, b"def")
    assert codec.user_path == "/private/ws/def"
    assert framed(codec, listed.id, {"result": ["def"]}, USER).live == [USER]
    (report,) = codec.frame(
        USER, b'{"e":"listenKeyExpired","E":1,"listenKey":"def"}', NOW_NS).reports
    assert isinstance(report, p.Ready)
    assert codec.keep(NOW_NS + 90 * 60 * NS) == ()


def test_funding_is_looked_up_by_its_number_and_told_once_under_it() -> None:
    codec = usdm()
    update = {"e": "ACCOUNT_UPDATE", "E": 1, "T": 1_760_000_000_000, "a": {
        "m": "FUNDING_FEE", "B": [{"a": "USDT", "wb": "99", "cw": "99", "bc": "-1"}]}}
    outcome = codec.frame(USER, orjson.dumps(update), NOW_NS)
    assert outcome.reports == []
    (income,) = outcome.requests
    rows = [{"symbol": "BTCUSDT", "incomeType": kind, "income": amount, "asset": "USDT",
             "info": "", "time": 1, "tranId": 7, "tradeId": ""} for kind, amount in (
        ("FUNDING_FEE", "-1.25"), ("COMMISSION", "-2"), ("REALIZED_PNL", "3"),
        ("TRANSFER", "4"), ("TRANSFER", "-4"), ("API_REBATE", "5"))]
    assert answered(codec, income, rows).reports == [
        p.Moved(U, "USDT", "-1.25", "funding", "FUNDING_FEE:7", 1_000_000),
        p.Moved(U, "USDT", "4", "deposit", "TRANSFER:7", 1_000_000),
        p.Moved(U, "USDT", "-4", "withdrawal", "TRANSFER:7", 1_000_000),
        p.Moved(U, "USDT", "5", "api_rebate", "API_REBATE:7", 1_000_000)]
    (more,) = answered(codec, income, rows[:1] * 1000).requests
    assert "page=2&" in more.path


def test_trades_positions_and_wallets_of_usdm() -> None:
    codec = usdm()
    order = {key: value for key, value in REPORT.items() if key not in "eEC"} | {
        "x": "TRADE", "X": "FILLED", "l": "0.5", "L": "61234.5", "z": "0.5", "t": 9, "n": "0.1",
        "N": "USDT", "m": True}
    text = orjson.dumps({"e": "ORDER_TRADE_UPDATE", "E": 1, "T": 1, "o": order})
    traded, over = codec.frame(USER, text, NOW_NS).reports
    assert isinstance(traded, p.Traded)
    assert (traded.price, traded.size, traded.trade, traded.taker) == (612_345, 5_000, "9b", False)
    assert isinstance(over, p.Over)
    wrapped = b'{"stream":"abc","data":%s}' % text
    assert codec.frame(USER, wrapped, NOW_NS).reports == [traded, over]
    update = {"e": "ACCOUNT_UPDATE", "E": 1, "T": 1, "a": {
        "m": "ORDER", "B": [{"a": "USDT", "wb": "99", "cw": "99", "bc": "0"}],
        "P": [{"s": "BTCUSDT", "pa": "-0.5", "ps": "BOTH"}]}}
    assert codec.frame(USER, orjson.dumps(update), NOW_NS).reports == [
        p.Holding(U, "BTC/USDT:USDT", -5_000, "stream"), p.Balance(U, "USDT", "99", "0", "stream")]
    assert codec.frame(USER, b'{"e":"TRADE_LITE","E":1}', NOW_NS) == Outcome()
    positions = codec.survey(NOW_NS, NOW_NS)[-1]
    assert answered(codec, positions, []).reports == [
        p.Holding(U, "BTC/USDT:USDT", 0, "query")]


def test_the_countdown_of_every_contract_is_set_and_spot_has_none() -> None:
    (request,) = usdm().arm(60_000, NOW_NS)
    assert (request.method, request.path) == ("POST", "/fapi/v1/countdownCancelAll")
    assert b"&symbol=BTCUSDT&countdownTime=60000&" in request.text
    assert b"countdownTime=0&" in usdm().arm(0, NOW_NS)[0].text
    assert BinanceSpot("binance", spot()._wire.signer, []).arm(1, NOW_NS) == ()  # noqa: SLF001
