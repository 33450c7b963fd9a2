"""Texts that no venue should send: DecodeError or harmless, never another error."""

import random
from typing import Any

import orjson
import pytest

from engine.model.errors import DecodeError
from exec.core import ports as p
from exec.gateways.codec import ORDERS, USER, Answer, Outcome, Request
from exec.venues.binance import questions as q
from exec.venues.binance.numbers import quanta, shown
from tests.exec.venues.binance.accounts import NOW_NS, NS, intended, ok, spot, usdm
from tests.exec.venues.binance.test_meaning import FULL, REPORT, ROW, opened

FILL = REPORT | {"x": "TRADE", "X": "FILLED", "t": 56, "l": "0.01", "L": "61234", "z": "0.01",
                 "n": "0.00001000", "N": "BTC"}
RATES = [{"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 100,
          "count": 99}]
TRADE = {"symbol": "BTCUSDT", "id": 56, "orderId": 28, "price": "61234", "qty": "0.01",
         "commission": "0", "commissionAsset": "BTC", "time": 5, "isBuyer": True,
         "isMaker": False, "buyer": True, "maker": False, "realizedPnl": "0"}
SPOT_FRAMES: list[Any] = [
    {"id": "p-t1x1", "status": 200, "result": FULL, "rateLimits": RATES},
    {"id": "p-t1x1", "status": 429, "error": {"code": -1003, "msg": "no", "data": {
        "serverTime": 1, "retryAfter": 1_760_000_999_999}}},
    {"id": "c-1-t1x1", "status": 200, "result": ROW | {"origClientOrderId": "t1x1",
                                                       "status": "CANCELED"}},
    {"subscriptionId": 0, "event": FILL},
    {"subscriptionId": 0, "event": {"e": "outboundAccountPosition",
                                    "B": [{"a": "ETH", "f": "1.0", "l": "0.5"}]}},
    {"subscriptionId": 0, "event": {"e": "balanceUpdate", "E": 3, "a": "BTC", "d": "-1", "T": 2}},
]
USDM_FRAMES: list[Any] = [
    {"e": "ORDER_TRADE_UPDATE", "T": 1, "o": {
        key: value for key, value in FILL.items() if key not in "eEC"}},
    {"e": "ACCOUNT_UPDATE", "T": 1, "a": {
        "m": "ORDER", "B": [{"a": "USDT", "wb": "99"}], "P": [{"s": "BTCUSDT", "pa": "-0.5"}]}},
    {"e": "listenKeyExpired", "listenKey": "abc"},
    {"result": ["abc"], "id": "u-1"},
]
FULL_WIDTH = "\uff11"
WRONG: list[Any] = [
    None, True, -1, 0, 1.5, 2**63, 2**70, -(2**70), "", "1e5", "0x10", FULL_WIDTH, "1_000", " 1",
    "1 ", "+1", "-", ".", "1.", ".5", "NaN", "Infinity", "-0", "9" * 19, "9" * 400,
    "1." + "1" * 30, "0." + "0" * 23 + "1", "1,5", "a" * 10_000, "\x1b[31m\n", [], {}, [[]],
    "BTCUSDT", "NEW",
]


def harmless(act: Any) -> Outcome | None:
    """Return what was understood, None for a DecodeError; any other error fails the test."""
    try:
        outcome: Outcome = act()
    except DecodeError as error:
        short = len(str(error)) < 2_000
        assert short
        return None
    for report in outcome.reports:
        if isinstance(report, p.Traded):
            assert 0 < report.price < 2**63
            assert 0 < report.size < 2**63
            assert abs(report.venue_unix_ns) < 2**63
        if isinstance(report, p.Over | p.Seen):
            assert 0 <= report.filled < 2**63
        for field in report.__struct_fields__:
            value = getattr(report, field)
            assert not isinstance(value, str) or (value.isprintable() and len(value) < 999)
    return outcome


def swaps(value: Any) -> Any:
    """Yield the value with each of its parts replaced by each wrong thing, or left out."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield {name: part for name, part in value.items() if name != key}
            yield from ({**value, key: other} for other in [*WRONG, *swaps(each)])
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from ([*value[:index], other, *value[index + 1:]]
                        for other in [*WRONG, *swaps(each)])


def mutants(text: bytes, chance: random.Random) -> Any:
    """Yield a text cut at each place, and with bytes flipped, doubled and inserted."""
    yield from (text[:cut] for cut in range(len(text)))
    for _ in range(400):
        broken = bytearray(text)
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(broken))
            broken[at:at + chance.randint(0, 2)] = chance.choice(
                [b"", b"\xff", b"\x00", b'"', b"}", b"[", bytes([chance.randrange(256)])])
        yield bytes(broken)


def encoded(value: Any) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:  # whole numbers beyond 64 bits
        return repr(value).replace("'", '"').replace("True", "true").replace(
            "False", "false").replace("None", "null").encode()


@pytest.mark.parametrize("market", ["spot", "usdm"])
def test_frames_of_any_shape_are_understood_or_refused(market: str) -> None:
    chance = random.Random(5)
    codec, channels = (spot(), (ORDERS, USER)) if market == "spot" else (usdm(), (USER, ORDERS))
    for frame in SPOT_FRAMES if market == "spot" else USDM_FRAMES:
        for channel in channels:
            texts = [encoded(each) for each in swaps(frame)]
            for text in [*texts, *mutants(encoded(frame), chance)]:
                harmless(lambda text=text, channel=channel: codec.frame(channel, text, NOW_NS))


@pytest.mark.parametrize("text", [
    b"", b"[", b"\xff\xfe", b"[" * 100_000, b'{"event":' + b"[" * 100_000,
    b'{"id":' + b"9" * 5_000 + b"}", b'{"event":{"e":1}}', b'{"event":{}}', b'{"event":[]}',
    b"{}", b"null", b"7", b'{"id":7,"status":200,"result":{}}', b'{"id":"x","status":200}',
    b'{"id":"p-t1x1","status":200}', b'{"id":"p-t1x1","status":400}', b'{"id":null,"status":200}',
    b'{"id":"p-t1x1","status":200,"result":{"symbol":"DOGEUSDT","orderId":1,'
    b'"clientOrderId":"t1x1"}}'])
def test_texts_of_no_shape_are_refused(text: bytes) -> None:
    for codec in (spot(), usdm()):
        assert harmless(lambda codec=codec: codec.frame(ORDERS, text, NOW_NS)) is None


@pytest.mark.parametrize("field", ["l", "L", "z", "n"])
@pytest.mark.parametrize("value", [
    "1e5", "0x10", FULL_WIDTH, "1_0", "+1", " 1", "NaN", "", ".5", "1.", "9" * 21,
    "0." + "0" * 24 + "1"])
def test_a_number_in_any_other_grammar_is_refused(field: str, value: str) -> None:
    text = orjson.dumps({"subscriptionId": 0, "event": FILL | {field: value}})
    assert harmless(lambda: spot().frame(USER, text, NOW_NS)) is None


@pytest.mark.parametrize("fields", [
    {"l": "0.000001"}, {"L": "0.001"}, {"l": "0"}, {"l": "-1"}, {"L": "0"}, {"z": "-1"},
    {"t": 0}, {"t": -1}, {"N": None}, {"S": "buy"}, {"x": "OTHER"}, {"X": "OTHER"}, {"i": -1},
    {"T": 2**62}, {"l": "99999999999999999999"}])
def test_a_fill_that_cannot_be_booked_exactly_is_refused(fields: dict[str, Any]) -> None:
    text = orjson.dumps({"subscriptionId": 0, "event": FILL | fields})
    assert harmless(lambda: spot().frame(USER, text, NOW_NS)) is None


def questions() -> list[tuple[Any, Request, Any]]:
    """Return every kind of REST request beside a good answer to it."""
    found: list[tuple[Any, Request, Any]] = []
    for codec, order in ((spot(), intended()), (usdm(), intended(symbol="BTC/USDT:USDT"))):
        late_ns = NOW_NS + 60 * NS
        (fate,) = codec.query(order, "", late_ns)
        partly = ROW | {"executedQty": "0.01"}
        (fills,) = codec.answer(fate, ok(orjson.dumps(partly)), late_ns).requests
        missing = Answer(400, {}, b'{"code":-2013,"msg":""}')
        (still_open,) = codec.answer(fate, missing, late_ns).requests
        (among,) = codec.answer(still_open, ok(b"[]"), late_ns).requests
        survey = codec.survey(NOW_NS, NOW_NS)
        (names,) = codec.answer(survey[0], ok(orjson.dumps([TRADE | {"orderId": 77}])), NOW_NS
                                ).requests
        found += [
            (codec, fate, partly), (codec, fills, [TRADE]), (codec, still_open, [partly]),
            (codec, among, [partly]), (codec, survey[0], [TRADE]),
            (codec, names, [ROW | {"orderId": 77}]),
            (codec, next(each for each in survey if isinstance(each, q.OpenOrders)), [partly]),
            (codec, codec.cancel_all(NOW_NS)[-1], [ROW]),
            (codec, codec.cancel_all(NOW_NS)[0], [ROW | {"status": "CANCELED"}]),
            (codec, codec.place(order, NOW_NS, rest=True), FULL),
            (codec, codec.cancel(order, "", NOW_NS, rest=True), ROW | {"status": "CANCELED"})]
        money = next(each for each in survey if isinstance(each, q.Money))
        balance = {"asset": "BTC", "free": "1", "locked": "2", "balance": "3"}
        found.append((codec, money, [balance] if codec.venue != "binance" else {
            "balances": [balance]}))
    codec, survey = usdm(), usdm().survey(NOW_NS, NOW_NS)
    key = codec.opening(USER, NOW_NS)[0]
    opened(codec)
    return [
        *found, (codec, survey[-1], [{"symbol": "BTCUSDT", "positionAmt": "-0.5"}]),
        (codec, next(each for each in survey if isinstance(each, q.Incomes)), [
            {"incomeType": "TRANSFER", "income": "1", "asset": "USDT", "tranId": 7, "time": 1}]),
        (codec, key, {"listenKey": "abc"})]


@pytest.mark.parametrize("number", range(27))
def test_answers_of_any_shape_are_understood_refused_or_lost(number: int) -> None:
    codec, request, good = questions()[number]
    chance = random.Random(number)
    assert harmless(lambda: codec.answer(request, ok(encoded(good)), NOW_NS)) is not None
    headers = {"retry-after": FULL_WIDTH, "x-mbx-used-weight-1m": "-1",
               "x-mbx-order-count-10s": "9" * 99}
    texts = [encoded(each) for each in swaps(good)]
    for text in [*texts, *mutants(encoded(good), chance)]:
        status = chance.choice([200, 200, 200, 400, 429, 503, 0, 999])
        answer = Answer(status, headers, text)
        outcome = harmless(lambda answer=answer: codec.answer(request, answer, NOW_NS))
        if request.purpose in ("place", "cancel"):
            assert outcome is not None, text


def test_there_are_as_many_questions_as_are_tried() -> None:
    assert len(questions()) == 27


def test_numbers_are_exact_or_refused() -> None:
    assert quanta("0.10264410", 8) == 10_264_410
    assert quanta("-1.50", 1) == -15
    assert quanta("-0.5", 1) == -5
    assert quanta("92233720368.54775807", 8) == 2**63 - 1
    for text, decimals in (("0.11", 1), ("92233720368.54775808", 8)):
        with pytest.raises(DecodeError):
            quanta(text, decimals)
    assert shown("a\x1b[31m\n" + "b" * 999) == "a?[31m?" + "b" * 193
