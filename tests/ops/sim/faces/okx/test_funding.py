"""OKX funding: an estimate that becomes what is charged, its history, and its channel."""

import pytest

from tests.ops.sim.faces.okx.scene import Scene

SWAP = "BTC-USDT-SWAP"
KEYS = {  # of the sample in shared/venues/okx.md
    "instType", "instId", "method", "formulaType", "fundingRate", "fundingTime",
    "nextFundingRate", "nextFundingTime", "minFundingRate", "maxFundingRate", "premium",
    "settFundingRate", "settState", "ts",
}


def test_the_estimate_is_what_is_charged_when_the_time_comes() -> None:
    scene = Scene()
    (first,) = scene.get("public/funding-rate", instId=SWAP)
    assert set(first) >= KEYS
    assert int(first["nextFundingTime"]) - int(first["fundingTime"]) == 8 * 3_600_000
    left_ms = int(first["fundingTime"]) - int(first["ts"])
    scene.clock.advance((left_ms - 1) * 1_000_000)
    (last,) = scene.get("public/funding-rate", instId="ANY")
    scene.clock.advance(2_000_000)
    (then,) = scene.get("public/funding-rate", instId=SWAP)
    assert float(then["settFundingRate"]) == pytest.approx(float(last["fundingRate"]), abs=1e-9)
    history = scene.get("public/funding-rate-history", instId=SWAP, limit="3")
    assert history[0]["fundingTime"] == first["fundingTime"]
    assert history[0]["realizedRate"] == then["settFundingRate"]
    older = scene.get(
        "public/funding-rate-history", instId=SWAP, limit="2", after=history[0]["fundingTime"])
    assert older == history[1:]


@pytest.mark.parametrize(("query", "code"), [
    ({}, "50014"), ({"instId": "BTC-USDT"}, "51001"), ({"instId": SWAP, "limit": "401"}, "51000"),
    ({"instId": SWAP, "after": "x"}, "51000"), ({"instId": "ANY"}, "51001"),
])
def test_questions_about_nothing_are_refused(query: dict[str, str], code: str) -> None:
    answer = Scene().call("GET", "public/funding-rate-history", query=query)[1]
    assert answer["code"] == code


def test_the_us_region_has_none() -> None:
    answer = Scene(name="okx-us").call("GET", "public/funding-rate", query={"instId": SWAP})[1]
    assert answer["code"] == "51001"


def test_the_channel_pushes_at_once_and_every_minute() -> None:
    scene = Scene()
    client = scene.listen("public")
    client.ask({"op": "subscribe", "args": [{"channel": "funding-rate", "instId": SWAP}]})
    ack, push = client.take()
    assert ack["event"] == "subscribe"
    assert push["data"][0]["instId"] == SWAP
    for _ in range(3):
        scene.wait(20.5)
        client.ask(b"ping")
    (push,) = [frame for frame in client.take() if frame != b"pong"]
    assert push["arg"] == {"channel": "funding-rate", "instId": SWAP}
