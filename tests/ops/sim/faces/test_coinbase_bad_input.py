"""Whatever a client sends, Coinbase answers in its own words, and its books stay whole."""

import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from engine.model.clock import ManualClock
from ops.sim.book import ASK, BID
from ops.sim.exchange.audit import audit, audit_ledger
from ops.sim.face import HttpRequest, Topic
from ops.sim.faces.coinbase import Coinbase
from ops.sim.faults import Faults
from ops.sim.floor import Clients, Floor
from ops.sim.listing import invented_line
from tests.ops.sim.coinbase_trader import ROOT, token

NOW_S = 1_800_000_000
SECOND = 10**9
VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 1.5, 2**63, "", "0", "1", "-1", "1e5", "0.1", "64000", "64001.5", "NaN",
    "BTC-USD", "ETH-USD", "BUY", "SELL", "é", "x" * 300, [], {}, [[]], ["BTC-USD"], {"a": "b"},
    "2027-06-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00",
    "9" * 19, "9" * 40, "0." + "0" * 18 + "1")
CONFIGURATIONS = (
    "limit_limit_gtc", "limit_limit_gtd", "limit_limit_fok", "sor_limit_ioc", "market_market_ioc",
    "market_market_fok", "stop_limit_stop_limit_gtc", "trigger_bracket_gtc", "nothing")
POSTS = (*["/orders"] * 4, "/orders/preview", "/orders/edit", "/orders/edit_preview",
         "/orders/batch_cancel")
GETS = ("/accounts", "/accounts/x", "/orders/historical/batch", "/orders/historical/fills",
        "/orders/historical/x", "/products", "/products/BTC-USD/ticker", "/product_book",
        "/products/BTC-USD/candles", "/best_bid_ask", "/transaction_summary")
QUERY = ("limit", "cursor", "order_ids", "order_status", "product_ids", "product_id", "start",
         "end", "start_date", "end_date", "granularity", "offset", "start_sequence_timestamp")


class Nobody:
    """An outlet that nobody listens to."""

    def wanted(self, topic: Topic) -> bool:
        return True

    def publish(self, topic: Topic, body: bytes) -> None:
        json.loads(body.replace(b'"sequence_num":?', b'"sequence_num":0'))


class Scene:
    """A venue without sockets."""

    def __init__(self) -> None:
        self.clock = ManualClock(mono_ns=SECOND, unix_ns=NOW_S * SECOND)
        lines = [invented_line("coinbase", "BTC/USD"), invented_line("coinbase", "ETH/USD")]
        for line, price in zip(lines, (640_000, 240_000), strict=True):
            for step in range(1, 20):
                line.book.set(BID, price - step, 10**8)
                line.book.set(ASK, price + step, 10**8)
        self.floor = Floor(
            "coinbase", lines, self.clock, Faults((), seed=1, start_mono_ns=0),
            Clients(1, ["main", "other"], {}))
        self.face = self.floor.face = Coinbase(lines, Nobody(), self.clock, self.floor)
        self.key = next(iter(self.floor.credentials.values()))

    def ask(
        self, method: str, path: str, body: bytes = b"", query: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        self.clock.advance(SECOND // 4)
        now_s = self.floor.now_ns() // SECOND
        bearer = token(self.key, now_s, f"{method} api.coinbase.com{ROOT}{path}")
        answer = self.face.request(HttpRequest(
            method, ROOT + path, "", query or {}, {"authorization": f"Bearer {bearer}"}, body,
            "127.0.0.1"))
        return answer.status, json.loads(answer.body) if answer.body else None


def an_order(chance: random.Random, known: list[str]) -> dict[str, Any]:
    """Return an order or an edit that is often sound."""
    options = {
        "base_size": chance.choice(("0.5", "1", "0.001")),
        "limit_price": chance.choice(("63990.1", "64000.9", "64001", "70000"))}
    if chance.random() < 0.3:
        options = {"quote_size": "50"}
    body: dict[str, Any] = {
        "client_order_id": str(chance.random()), "product_id": "BTC-USD",
        "side": chance.choice(("BUY", "SELL")), "order_id": chance.choice(known or ["x"]),
        "order_configuration": {chance.choice(CONFIGURATIONS): options},
        "order_ids": known[-2:], "price": "64000.1", "size": "0.7"}
    for _ in range(chance.choice((0, 0, 1, 2))):
        where = chance.choice((body, options))
        field = chance.choice((*where, "end_time", "post_only", "retail_portfolio_id"))
        where[field] = chance.choice(VALUES)
    return body


@pytest.mark.parametrize("seed", range(3))
def test_any_request_is_answered_and_the_books_stay_whole(seed: int) -> None:
    scene, chance, known = Scene(), random.Random(seed), list[str]()
    statuses = set()
    for _ in range(700):
        if chance.random() < 0.7:
            body = json.dumps(an_order(chance, known)).encode()
            if chance.random() < 0.1:
                body = body[: chance.randrange(len(body))]
            status, answer = scene.ask("POST", chance.choice(POSTS), body)
        else:
            query = {chance.choice(QUERY): str(chance.choice(VALUES)) for _ in range(2)}
            status, answer = scene.ask("GET", chance.choice(GETS), query=query)
        statuses.add(status)
        if isinstance(answer, dict) and answer.get("success_response"):
            known.append(answer["success_response"]["order_id"])
        scene.face.tick()
    assert statuses == {200, 400, 404}
    assert len(known) > 40
    audit(scene.floor.exchange)
    audit_ledger(scene.floor.exchange)


@pytest.mark.parametrize("make", [
    lambda chance: bytes(chance.randrange(256) for _ in range(40)),
    lambda chance: json.dumps({
        field: chance.choice((*VALUES, "subscribe", "level2", "user", "candles"))
        for field in ("type", "channel", "product_ids", "jwt")}).encode(),
    lambda _: b"[" * 5000, lambda _: b'{"a":' * 900 + b"1" + b"}" * 900,
])
def test_any_frame_is_answered_with_an_error(make: Callable[[random.Random], bytes]) -> None:
    class Listener:
        ip, account, messages = "1.2.3.4", "", 0

        def __init__(self) -> None:
            self.topics: dict[Topic, str] = {}
            self.state: dict[str, Any] = {}
            self.sent: list[Any] = []

        def send(self, text: bytes) -> None:
            self.sent.append(json.loads(text))

    scene, chance, listener = Scene(), random.Random(1), Listener()
    for _ in range(200):
        scene.clock.advance(SECOND)
        scene.face.text(listener, make(chance))  # type: ignore[arg-type]
    assert len(listener.sent) == 200
    assert {each["type"] for each in listener.sent} == {"error"}


def test_a_deep_configuration_is_a_bad_request() -> None:
    deep = '{"a":' * 500 + "1" + "}" * 500
    body = ('{"client_order_id":"a","product_id":"BTC-USD","side":"BUY",'
            f'"order_configuration":{{"x":{{"y":{deep}}}}}}}')
    assert Scene().ask("POST", "/orders", body.encode())[0] == 400
