"""What Kraken's texts mean: the page's samples, its table of errors, holes, and garbage."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.model.errors import DecodeError
from exec.core import ports as p
from exec.gateways.codec import ORDERS, USER, Answer, Outcome, Request
from exec.records import Found
from exec.venues.kraken import KrakenCodec
from exec.venues.kraken.counter import Tier
from tests.exec.venues.kraken.making import (
    NOW_NS,
    ack,
    nack,
    ok,
    only,
    opened,
    order,
    refused,
)

OURS, TXID, EXEC = "tskq8mox1", "OK4GJX-KSTLS-7DZZO5", "T5DIUI-5N4KO-Z5BPXK"
PENDING = (
    '{"order_id":"OK4GJX-KSTLS-7DZZO5","cl_ord_id":"tskq8mox1","symbol":"BTC/USD",'
    '"order_qty":0.0125,"cum_cost":0.0,"time_in_force":"GTC","exec_type":"pending_new",'
    '"side":"sell","order_type":"limit","limit_price":26500.0,"order_status":"pending_new",'
    '"fee_ccy_pref":"fciq","timestamp":"2023-09-22T10:33:05.709950Z"}')
NEW = ('{"order_id":"OK4GJX-KSTLS-7DZZO5","exec_type":"new","order_status":"new",'
       '"timestamp":"2023-09-22T10:33:05.709950Z"}')
TRADE = (
    '{"order_id":"OK4GJX-KSTLS-7DZZO5","exec_id":"T5DIUI-5N4KO-Z5BPXK","exec_type":"trade",'
    '"trade_id":8253473,"last_qty":0.005,"last_price":26500.1,"liquidity_ind":"t",'
    '"cost":132.5005,"order_status":"partially_filled","order_type":"limit",'
    '"fees":[{"asset":"USD","qty":0.3458}],"timestamp":"2023-09-21T14:36:57.4Z"}')
CANCELED = '{"order_id":"OK4GJX-KSTLS-7DZZO5","exec_type":"canceled","order_status":"canceled"}'
ORDER_ROW = (
    '{"cl_ord_id":"tskq8mox1","status":"%s","descr":{"pair":"XBTUSD","type":"sell"},'
    '"vol":"0.01250000","vol_exec":"%s","oflags":"fciq","trades":[%s]}')
TRADE_ROW = (
    '{"ordertxid":"%s","pair":"%s","time":1695307017.4,"type":"sell","ordertype":"limit",'
    '"price":"26500.10000","cost":"132.50050","fee":"0.34580","vol":"0.00500000","maker":false}')


def executions(*rows: str, sequence: int, kind: str = "update") -> bytes:
    return (f'{{"channel":"executions","type":"{kind}","data":[{",".join(rows)}],'
            f'"sequence":{sequence}}}').encode()


def listening() -> KrakenCodec:
    made = opened()
    made.frame(USER, executions(sequence=1, kind="snapshot"), NOW_NS)
    return made


TRADED = p.Traded("kraken", "BTC/USD", OURS, TXID, EXEC, -1, 265_001, 500_000, "0.3458", "USD",
                  True, 1_695_307_017_400_000_000, "stream")


def test_rows_are_merged_by_order_so_that_a_fill_needs_no_name_and_an_end_no_sum() -> None:
    made = listening()
    said = made.frame(USER, executions(PENDING, NEW, TRADE, TRADE, CANCELED, sequence=2), NOW_NS)
    assert said.requests == []
    assert said.reports == [
        p.Accepted("kraken", OURS, TXID), TRADED, TRADED,
        p.Over("kraken", OURS, TXID, "cancelled", 500_000, "stream")]


def test_an_order_is_filled_to_its_size_where_the_venue_names_no_sum() -> None:
    made = listening()
    filled = CANCELED.replace("canceled", "filled")
    said = made.frame(USER, executions(PENDING, filled, sequence=2), NOW_NS)
    assert said.reports == [p.Over("kraken", OURS, TXID, "filled", 1_250_000, "stream")]


def test_an_order_that_was_answered_is_not_reported_again_by_the_stream() -> None:
    made = listening()
    sent = made.place(order(), NOW_NS, rest=False)
    answer = ack(sent, f'{{"order_id":"{TXID}","cl_ord_id":"{OURS}","order_userref":0}}')
    said = made.frame(ORDERS, answer, NOW_NS)
    assert said == Outcome(reports=[p.Accepted("kraken", OURS, TXID)], answers=sent.id)
    assert made.frame(USER, executions(PENDING, NEW, sequence=2), NOW_NS).reports == []


def test_somebody_elses_orders_are_reported_without_a_name_in_any_instrument() -> None:
    made = listening()
    foreign = PENDING.replace('"cl_ord_id":"tskq8mox1",', "").replace("BTC/USD", "KAR/USD")
    said = made.frame(USER, executions(foreign, NEW, sequence=2), NOW_NS)
    assert said.reports == [p.Accepted("kraken", "", TXID)]
    trade = TRADE.replace('"trade_id"', '"symbol":"KAR/USD","side":"buy","trade_id"')
    assert only(made.frame(USER, executions(trade, sequence=3), NOW_NS)) == p.Accepted(
        "kraken", "", TXID)


def test_the_end_of_an_order_of_which_nothing_is_known_is_asked_for() -> None:
    said = listening().frame(USER, executions(CANCELED, sequence=2), NOW_NS)
    (ask,) = said.requests
    assert (ask.purpose, said.reports) == ("query", [])
    assert f"txid={TXID}&".encode() in ask.text


def test_a_hole_in_the_numbers_brings_a_new_subscription_and_a_survey() -> None:
    made = listening()
    said = made.frame(USER, executions(PENDING, NEW, sequence=3), NOW_NS)
    assert len(said.reports) == 1
    unsubscribe, subscribe, survey = said.requests
    assert b'"unsubscribe"' in unsubscribe.text
    assert b'"snap_orders":true' in subscribe.text
    assert survey.path == "/0/private/TradesHistory"
    late = made.frame(USER, executions(TRADE, sequence=2), NOW_NS)
    assert (late.requests, len(late.reports)) == ([], 1)
    made.frame(USER, ack(subscribe, '{"channel":"executions"}'), NOW_NS)
    lost_snapshot = made.frame(USER, executions(CANCELED, sequence=2), NOW_NS)
    assert len(lost_snapshot.requests) == 3


def test_money_that_moved_is_told_once_and_trades_are_left_to_their_fills() -> None:
    made = listening()
    row = ('{"ledger_id":"LDKKFF-WEA5A-CNUBHG","ref_id":"x","type":"%s","asset":"BTC",'
           '"amount":-0.01,"fee":0.0005,"balance":0.02}')
    rows = ",".join([row % "withdrawal", row % "trade"])
    text = f'{{"channel":"balances","type":"update","data":[{rows}],"sequence":1}}'.encode()
    assert made.frame(USER, text, NOW_NS).reports == [
        p.Moved("kraken", "BTC", "-0.0105", "withdrawal", "LDKKFF-WEA5A-CNUBHG")]
    assert made.frame(ORDERS, text, NOW_NS) == Outcome()


def test_maintenance_makes_the_venue_unready_until_it_is_over() -> None:
    made = opened()
    text = '{"channel":"status","type":"update","data":[{"version":"2.0.10","system":"%s"}]}'
    states = ("online", "cancel_only", "cancel_only", "online")
    said = [made.frame(USER, (text % state).encode(), NOW_NS).reports for state in states]
    assert said == [[], [p.Ready("kraken", "the venue is in cancel_only")], [],
                    [p.Ready("kraken", "")]]


SURE = (
    "EAPI:Invalid key", "EGeneral:Permission denied", "EOrder:Insufficient funds",
    "EOrder:Order minimum not met", "EGeneral:Invalid arguments:volume", "EOrder:Invalid price",
    "EOrder:Post only order", "EQuery:Unknown asset pair", "EAPI:Invalid nonce",
    "Currency pair not supported XBT/USD", "EOrder:Rate limit exceeded",
    "EOrder:Orders limit exceeded", "EService:Market in cancel_only mode",
    "EService:Deadline elapsed", "ETrade:User Locked", "EService:Throttled: 1777975203",
)
LEFT_OPEN = (
    "EService:Unavailable", "EService:Busy", "EService:Timeout", "EDatabase:Internal error",
    "EGeneral:Internal error", "EOrder:Duplicate cl_ord_id", "EGeneral:Invalid arguments:cl_ord_id",
    "EWhat:Never heard of", "", "EOrder:Cancel pending",
)


@pytest.mark.parametrize("text", SURE)
def test_a_refusal_that_proves_it_denies_an_order_over_both_ways(text: str) -> None:
    made = opened()
    for request in (made.place(order(), NOW_NS, rest=rest) for rest in (False, True)):
        over = made.frame(ORDERS, nack(request, text), NOW_NS) if request.channel == ORDERS else (
            made.answer(request, refused(text), NOW_NS))
        report = over.reports[0]
        assert isinstance(report, p.Denied)
        assert (report.client_id, report.text) == (OURS, text)
    asked = made.cancel(order(), "", NOW_NS, rest=True)
    assert isinstance(made.answer(asked, refused(text), NOW_NS).reports[0], p.CancelDenied)


@pytest.mark.parametrize("text", LEFT_OPEN)
def test_a_refusal_that_proves_nothing_leaves_an_order_in_doubt(text: str) -> None:
    made = opened()
    for request, word in ((made.place(order(), NOW_NS, rest=True), "place"),
                          (made.cancel(order(), "", NOW_NS, rest=True), "cancel")):
        report = only(made.answer(request, refused(text), NOW_NS))
        assert isinstance(report, p.Lost)
        assert (report.client_id, report.request) == (OURS, word)
    sent = made.place(order(), NOW_NS, rest=False)
    assert isinstance(only(made.frame(ORDERS, nack(sent, text), NOW_NS)), p.Lost)


@pytest.mark.parametrize(("status", "kind"), [
    (500, p.Lost), (502, p.Lost), (520, p.Lost), (408, p.Lost), (403, p.Denied)])
def test_cloudflares_answers_are_sure_only_where_nothing_went_through(
    status: int, kind: type
) -> None:
    made = opened()
    request = made.place(order(), NOW_NS, rest=True)
    assert isinstance(only(made.answer(request, Answer(status, {}, b"x"), NOW_NS)), kind)


def test_refusals_that_name_a_wait_bring_a_budget_of_it() -> None:
    made = opened()
    request = made.place(order(), NOW_NS, rest=True)
    for answer, wait_ns in (
        (Answer(429, {"retry-after": "7"}, b""), 7_000_000_000),
        (Answer(429, {}, b"error code: 1015"), 60_000_000_000),
        (refused("EService:Throttled: 1777975203"), 3_000_000_000),
        (refused("EOrder:Rate limit exceeded"), 1_000_000_000),
    ):
        assert made.answer(request, answer, NOW_NS).reports[1] == p.Budget("kraken", 0, 0, wait_ns)
    said = made.frame(ORDERS, b'{"Error":"Exceeded msg rate"}', NOW_NS)
    assert only(said) == p.Budget("kraken", 0, 0, 1_000_000_000)


def test_the_rate_counter_is_a_budget_of_the_subscriptions_most() -> None:
    row = PENDING.replace('"exec_type"', '"ratecounter":17,"exec_type"')
    said = listening().frame(USER, executions(row, sequence=2), NOW_NS)
    assert said.reports == [p.Budget("kraken", 17, 125, 0)]


def walk(made: KrakenCodec, asks: list[Request], answers: dict[str, list[Answer]]) -> (
        tuple[list[str], list[p.Report]]):
    """Answer every question in its order; return the methods asked, and what was reported."""
    methods, reports, now_ns = list[str](), list[p.Report](), NOW_NS
    while asks:
        request = asks.pop(0)
        methods.append(request.path.rpartition("/")[2])
        said = made.answer(request, answers[methods[-1]].pop(0), now_ns)
        now_ns += 1_000_000_000
        reports.extend(said.reports)
        asks.extend(said.requests)
    return methods, reports


def test_a_query_reports_the_trades_before_the_end() -> None:
    made = opened()
    row = ORDER_ROW % ("canceled", "0.005", f'"{EXEC}"')
    methods, reports = walk(made, list(made.query(order(), "", NOW_NS)), {
        "QueryOrders": [ok(f'{{"{TXID}":{row}}}')],
        "QueryTrades": [ok(f'{{"{EXEC}":{TRADE_ROW % (TXID, "XXBTZUSD")}}}')]})
    assert methods == ["QueryOrders", "QueryTrades"]
    trade, seen = reports
    assert isinstance(trade, p.Traded)
    assert (trade.client_id, trade.size, trade.fee_asset) == (OURS, 500_000, "USD")
    assert trade.venue_unix_ns == TRADED.venue_unix_ns
    assert seen == p.Seen("kraken", OURS, TXID, Found.ENDED, "cancelled", 500_000, NOW_NS)


def test_absence_is_told_only_after_every_place_and_of_when_the_first_was_asked() -> None:
    made = opened()
    (early,) = made.query(order(), "", NOW_NS)
    assert made.answer(early, refused("EOrder:Unknown order"), NOW_NS) == Outcome()
    late = order(deadline_ns=NOW_NS - 1)
    methods, reports = walk(made, list(made.query(late, "", NOW_NS)), {
        "QueryOrders": [refused("EOrder:Unknown order")],
        "OpenOrders": [ok('{"open":{}}')], "ClosedOrders": [ok('{"closed":{},"count":0}')]})
    assert methods == ["QueryOrders", "OpenOrders", "ClosedOrders"]
    assert reports == [p.Seen("kraken", OURS, "", Found.ABSENT, "", 0, NOW_NS)]


def test_trades_that_the_stream_told_of_are_not_asked_for_again() -> None:
    made = listening()
    made.frame(USER, executions(PENDING, TRADE, sequence=2), NOW_NS)
    row = ORDER_ROW % ("canceled", "0.005", f'"{EXEC}"')
    methods, reports = walk(made, list(made.query(order(), "", NOW_NS)), {
        "QueryOrders": [ok(f'{{"{TXID}":{row}}}')]})
    assert methods == ["QueryOrders"]
    assert reports == [p.Seen("kraken", OURS, TXID, Found.ENDED, "cancelled", 500_000, NOW_NS)]


def test_questions_wait_for_the_venues_counter_and_leave_room_for_a_survey() -> None:
    made = opened(Tier(20, 0.5))  # two tokens are spent
    asked = [each for _ in range(30) for each in made.query(order(), "", NOW_NS)]
    assert len(asked) == 11
    assert len(made.survey(NOW_NS, NOW_NS)) == 1
    assert not made.query(order(), "", NOW_NS + 5 * 10**9)
    assert len(made.query(order(), "", NOW_NS + 6 * 10**9)) == 1
    made.answer(asked[0], refused("EAPI:Rate limit exceeded"), NOW_NS + 6 * 10**9)
    assert not made.survey(NOW_NS, NOW_NS + 15 * 10**9)
    assert len(made.survey(NOW_NS, NOW_NS + 16 * 10**9)) == 1
    assert made.place(order(), NOW_NS, rest=True).path == "/0/private/AddOrder"


def test_a_survey_that_a_hole_owes_is_made_when_there_is_room() -> None:
    made = opened(Tier(7, 1.0))
    made.frame(USER, executions(sequence=1, kind="snapshot"), NOW_NS)
    made.survey(NOW_NS, NOW_NS)
    made.survey(NOW_NS, NOW_NS)
    made.query(order(), "", NOW_NS)
    for _ in range(4):
        made.arm(0, NOW_NS)
    (first,) = made.survey(NOW_NS, NOW_NS + 10**10)
    made.answer(first, ok('{"trades":{},"count":0}'), NOW_NS + 10**10)
    said = made.frame(USER, executions(PENDING, sequence=9), NOW_NS + 10**10)
    assert [each.purpose for each in said.requests] == ["subscribe", "subscribe"]
    assert not made.keep(NOW_NS + 10**10)
    (owed,) = made.keep(NOW_NS + 2 * 10**10)
    assert owed.path == "/0/private/TradesHistory"
    assert not made.keep(NOW_NS + 3 * 10**10)


def test_a_query_that_is_refused_says_nothing_of_the_order() -> None:
    for answer in (
        refused("EAPI:Rate limit exceeded"), Answer(502, {}, b""), Answer(200, {}, b"<")
    ):
        made = opened()
        (ask,) = made.query(order(), "", NOW_NS)
        report = made.answer(ask, answer, NOW_NS).reports[0]
        assert isinstance(report, p.Lost)
        assert report.request == "query"


def test_a_survey_reads_every_page_and_asks_whose_the_trades_were() -> None:
    made = opened()
    made.survey(NOW_NS, NOW_NS)  # superseded at once: it was never answered
    pages = [
        ok(f'{{"trades":{{"{EXEC}":{TRADE_ROW % (TXID, "XXBTZUSD")}}},"count":2}}'),
        ok(f'{{"trades":{{"{EXEC[:-1]}Q":{TRADE_ROW % (TXID, "XXBTZUSD")}}},"count":2}}')]
    row = ORDER_ROW % ("open", "0.01", "")
    methods, reports = walk(made, list(made.survey(NOW_NS, NOW_NS)), {
        "TradesHistory": pages, "QueryOrders": [ok(f'{{"{TXID}":{row}}}')],
        "OpenOrders": [ok(f'{{"open":{{"{TXID}":{row}}}}}')],
        "BalanceEx": [ok('{"XXBT":{"balance":"1.2435","hold_trade":"0.8423"},'
                         '"ZUSD":{"balance":"5"},"ETH.F":{"balance":"7"}}')],
        "Ledgers": [
            ok('{"ledger":{"L1":{"type":"deposit","asset":"XXBT","amount":"1","fee":"0"}},'
               '"count":1}'), ok('{"ledger":{},"count":0}')]})
    assert methods == ["TradesHistory", "QueryOrders", "TradesHistory", "OpenOrders", "BalanceEx",
                       "Ledgers", "Ledgers"]
    assert [getattr(each, "client_id", "") for each in reports[:2]] == [OURS, OURS]
    assert reports[2:] == [
        p.Listing("kraken", ((OURS, TXID, "BTC/USD", 1_000_000),)),
        p.Balance("kraken", "BTC", "0.4012", "0.8423", "survey"),
        p.Balance("kraken", "USD", "5", "0", "survey"),
        p.Moved("kraken", "BTC", "1", "deposit", "L1")]


def test_a_failed_survey_says_so_and_the_next_looks_as_far_back() -> None:
    made = opened()
    (ask,) = made.survey(NOW_NS - 90 * 10**9, NOW_NS)
    report = made.answer(ask, refused("EService:Unavailable"), NOW_NS).reports[0]
    assert report == p.Listing("kraken", (), "TradesHistory: EService:Unavailable")
    (again,) = made.survey(NOW_NS, NOW_NS)
    assert f"start={NOW_NS // 10**9 - 91}".encode() in again.text


SAMPLES = [
    executions(PENDING, NEW, TRADE, CANCELED, sequence=2),
    b'{"channel":"balances","type":"update","data":[{"ledger_id":"L-1","type":"deposit",'
    b'"asset":"BTC","amount":0.01,"fee":0.0}],"sequence":2}',
    b'{"channel":"status","type":"update","data":[{"system":"online"}]}',
    b'{"channel":"heartbeat"}', b'{"method":"pong","req_id":101}',
    b'{"method":"add_order","req_id":1,"success":true,"result":{"order_id":"O-1"}}',
]
HOSTILE = [b"NaN", b'"sNaN"', b"1e999999", b"-1e-999999", b"null", b"[]", b"{}", b"1" * 60, b"true",
           b'"\\u0000"', b"\xff\xfe", b"[" * 2_000, b'"x"', b"0.000000000001", b'"A\\" B"']


@settings(max_examples=400, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_whatever_a_text_holds_it_is_understood_or_a_decode_error(seed: int) -> None:
    chance = random.Random(seed)
    made = listening()
    made.place(order(), NOW_NS, rest=False)
    text = bytearray(chance.choice(SAMPLES))
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(text))
        colon = text.find(b":", at)
        if colon > 0 and chance.random() < 0.7:
            end = min(x for x in (text.find(b",", colon), text.find(b"}", colon), len(text))
                      if x > 0)
            text[colon + 1 : end] = chance.choice(HOSTILE)
        else:
            text[at : at + chance.randint(0, 3)] = chance.randbytes(chance.randint(0, 3))
    try:
        made.frame(chance.choice((USER, ORDERS)), bytes(text), NOW_NS)
    except DecodeError:
        return


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_whatever_a_rest_answer_holds_it_is_understood_or_a_decode_error(seed: int) -> None:
    chance = random.Random(seed)
    made = opened()
    made.opening(USER, NOW_NS)
    asks = [*made.survey(0, NOW_NS), *made.query(order(), "", NOW_NS),
            made.place(order(), NOW_NS, rest=True), *made.opening(ORDERS, NOW_NS)]
    body = bytearray((
        f'{{"error":[],"result":{{"token":"a","txid":["{TXID}"],"count":9,"trades":{{"{EXEC}":'
        f'{TRADE_ROW % (TXID, "XXBTZUSD")}}},"{TXID}":{ORDER_ROW % ("open", "0", "")}}}}}'
    ).encode())
    for _ in range(chance.randint(0, 2)):
        at = chance.randrange(len(body))
        colon = body.find(b":", at)
        end = min((x for x in (body.find(b",", colon), body.find(b"}", colon)) if x > 0),
                  default=len(body))
        body[colon + 1 : end] = chance.choice(HOSTILE)
    for ask in asks:
        try:
            made.answer(ask, Answer(200, {}, bytes(body)), NOW_NS)
        except DecodeError:
            continue
