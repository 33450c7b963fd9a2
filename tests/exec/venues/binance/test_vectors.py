"""Requests of the codec equal, byte for byte, what an independent implementation signed."""

import json
from typing import Any
from urllib.parse import urlsplit

import pytest

from exec.gateways.codec import ORDERS, USER, Request
from exec.records import Tif
from exec.signing.binance import BinanceSigner
from exec.venues.binance.wire import Wire
from tests.exec.venues.binance.accounts import MS_NS, NS, intended, spot, usdm
from tests.shared import SHARED

PATH = SHARED / "venues" / "vectors" / "binance.json"
CASES = {each["id"]: each for each in json.loads(PATH.read_bytes())["cases"]} \
    if PATH.exists() else {}
pytestmark = pytest.mark.skipif(not CASES, reason=f"{PATH} is not here")
ORDERS_PLACED = {  # vector -> the same order as we intend it
    "com-limit-gtc": {"client_id": "sh-20251009-1"},
    "com-ed25519-limit": {"client_id": "sh-20251009-ed"},
    "us-limit-gtc": {"client_id": "sh-20251009-us1"},
    "com-postonly-encoded-id": {
        "client_id": "sh-20251009:x/4", "side": -1, "price": 12_246_900, "post_only": True},
    "com-limit-ioc": {
        "client_id": "sh-20251009-5", "symbol": "ETH/BTC", "price": 4_321, "size": 15_000,
        "tif": Tif.IOC},
}


def signer(case: dict[str, Any]) -> BinanceSigner:
    return BinanceSigner(case["inputs"]["apiKey"], case["inputs"]["secret"])


def at(case: dict[str, Any]) -> int:
    stamp: int = case["inputs"]["timestamp_ms"]
    return stamp * MS_NS


def check(case: dict[str, Any], request: Request) -> None:
    url = urlsplit(case["url"])
    assert request.method == case["method"]
    assert request.path == url.path + (f"?{url.query}" if url.query else "")
    assert request.text.decode() == (case["body"] or "")
    assert request.headers == case["headers"]


@pytest.mark.parametrize("name", ORDERS_PLACED)
def test_an_order_by_rest_is_the_vector(name: str) -> None:
    case = CASES[name]
    order = intended(**ORDERS_PLACED[name], deadline_ns=at(case) + 10 * NS)  # type: ignore[arg-type]
    check(case, spot(signer(case)).place(order, at(case), rest=True))


def test_cancels_and_questions_by_rest_are_the_vectors() -> None:
    def ours(name: str) -> Any:
        return spot(signer(CASES[name]), window_ms=10_000), at(CASES[name])

    order = intended("sh-20251009-1")
    for name, venue_order in (("com-cancel-orderid", "12510053279"), ("com-cancel-clientid", "")):
        codec, now_ns = ours(name)
        check(CASES[name], codec.cancel(order, venue_order, now_ns, rest=True))
    codec, now_ns = ours("com-cancel-all")
    check(CASES["com-cancel-all"], codec.cancel_all(now_ns)[1])
    codec, now_ns = ours("com-account")
    check(CASES["com-account"], codec.survey(0, now_ns)[-1])


@pytest.mark.parametrize(("name", "fields"), [
    ("com-open-orders", "&symbol=BTCUSDT"), ("com-my-trades", "&symbol=ETHBTC&limit=50")])
def test_what_the_codec_asks_with_other_words_is_written_alike(name: str, fields: str) -> None:
    case = CASES[name]
    wire = Wire(signer(case), 10_000)
    path = urlsplit(case["url"]).path
    check(case, wire.rest(Request, "GET", path, fields, at(case), purpose="query"))


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case["method"] == "WS"])
def test_frames_are_the_vectors(name: str) -> None:
    case = CASES[name]
    sent = json.loads(case["body"])
    values = {key: value for key, value in sent["params"].items()
              if key not in ("apiKey", "signature")}
    text = Wire(signer(case), 5_000).signed(sent["id"], sent["method"], values)
    assert json.loads(text) == sent
    if not name.startswith("doc-"):  # the documentation sorts otherwise than it signs
        assert text.decode() == case["body"]


def test_openings_are_the_vectors() -> None:
    case = CASES["ws-userdata-subscribe"]
    (request,) = spot(signer(case), window_ms=10_000).opening(USER, at(case))
    assert request.text.decode() == case["body"].replace('"id":"1"', '"id":"u-1"')
    case = CASES["ws-session-logon"]
    (request,) = spot(signer(case)).opening(ORDERS, at(case))
    sent = json.loads(request.text)
    assert (sent["method"], sent["params"]["apiKey"]) == (
        "session.logon", case["inputs"]["apiKey"])
    text = Wire(signer(case), 5_000).signed("l-1", "session.logon", {
        "timestamp": case["inputs"]["timestamp_ms"], "recvWindow": 5_000})
    assert request.text == text


@pytest.mark.parametrize("reduce_only", [False, True])
@pytest.mark.parametrize("post_only", [False, True])
@pytest.mark.parametrize("tif", list(Tif))
@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("market", ["spot", "usdm"])
def test_prepared_orders_are_what_the_general_writer_signs(
    market: str, side: int, tif: Tif, post_only: bool, reduce_only: bool
) -> None:
    perpetual = market == "usdm"
    codec = usdm() if perpetual else spot()
    order = intended("t9x9", "BTC/USDT:USDT" if perpetual else "BTC/USDT", side, tif=tif,
                     post_only=post_only, reduce_only=reduce_only)
    now_ns = order.deadline_unix_ns - 3 * NS - 1
    values: dict[str, str | int | bool] = {
        "symbol": "BTCUSDT", "side": "BUY" if side > 0 else "SELL", "type": "LIMIT",
        "timeInForce": tif.name, "price": "612345" if perpetual else "61234.5",
        "quantity": "0.125" if perpetual else "0.0125", "newClientOrderId": "t9x9",
        "newOrderRespType": "ACK" if perpetual else "FULL",
        "recvWindow": 3_001, "timestamp": now_ns // MS_NS}
    if post_only and perpetual:
        values["timeInForce"] = "GTX"
    elif post_only:
        values["type"] = "LIMIT_MAKER"
        del values["timeInForce"]
    if reduce_only and perpetual:
        values["reduceOnly"] = True
    wire = Wire(BinanceSigner("key", "secret"), 5_000)
    request = codec.place(order, now_ns, rest=False)
    assert request.text == wire.signed("p-t9x9", "order.place", values)
    by_rest = codec.place(order, now_ns, rest=True).text.decode()
    assert dict(each.split("=") for each in by_rest.split("&") if "signature" not in each) == {
        name: str(value).lower() if value is True else str(value)
        for name, value in values.items()}


def test_a_logged_on_connection_signs_no_order() -> None:
    case = CASES["ws-session-logon"]
    for codec in (spot(signer(case)), usdm(signer(case))):
        symbol = "BTC/USDT" if codec.venue == "binance" else "BTC/USDT:USDT"
        order = intended(symbol=symbol)
        params = json.loads(codec.place(order, at(case), rest=False).text)["params"]
        assert not {"apiKey", "signature"} & params.keys()
        assert "timestamp" in params
        params = json.loads(codec.cancel(order, "7", at(case), rest=False).text)["params"]
        assert params.keys() == {"orderId", "recvWindow", "symbol", "timestamp"}
        assert params["orderId"] == 7


def test_the_venue_refuses_an_order_after_its_deadline_whenever_it_was_written() -> None:
    order = intended()
    for early_ms in (-5_000, -1, 0, 1, 4_999, 59_999, 60_000, 90_000):
        now_ns = order.deadline_unix_ns - early_ms * MS_NS
        params = json.loads(spot().place(order, now_ns, rest=False).text)["params"]
        last_ms = params["timestamp"] + params["recvWindow"]
        assert 1 <= params["recvWindow"] <= 60_000
        assert last_ms * MS_NS <= order.deadline_unix_ns
        assert params["timestamp"] * MS_NS <= now_ns
