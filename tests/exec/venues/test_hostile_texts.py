"""What no venue would say: DecodeError and nothing else; answers by REST leave everything open."""

import json
import re
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from engine.model.errors import DecodeError
from engine.model.quanta import INT64_MAX
from exec.core import ports as p
from exec.gateways.codec import USER, Answer, Outcome
from exec.state.entries import money
from tests.exec.venues import test_coinbase, test_okx
from tests.exec.venues.rig import Rig

MAKE: dict[str, Callable[..., Rig]] = {"okx": test_okx.a_rig, "coinbase": test_coinbase.a_rig}
ODD_VALUES: list[Any] = [
    None, True, 0, -1, 10**30, 1.5, "", " ", "-", "-1", "1e9", "NaN", "Infinity", "٣", "0x1", "0",
    "9" * 400, "0." + "0" * 400, "1.", ".5", "\x00", "\U0001f600", [], {}, [[]], [{}], {"": []},
    "live", "OPEN"]
ODD_TEXTS = [
    b"", b"{", b"[]", b"{}", b"null", b"0", b'"pong"', b"ping", b"pong ", b"\xff\xfe",
    b"[" * 100_000, b'{"a":' * 50_000, b'{"event":"login"}', b'{"op":"order"}',
    b'{"arg":{},"data":[]}', b'{"channel":"user"}', b'{"sequence_num":-1}',
    b'{"sequence_num":1e400}', b"\x00" * 1000]


def mutate(value: Any, luck: Random) -> Any:
    """Return a JSON value with one thing in it that does not belong."""
    if isinstance(value, dict) and value and luck.random() < 0.9:
        name = luck.choice([*value])
        if luck.random() < 0.15:
            return {each: kept for each, kept in value.items() if each != name}
        return value | {name: mutate(value[name], luck)}
    if isinstance(value, list) and value and luck.random() < 0.9:
        index = luck.randrange(len(value))
        return [*value[:index], mutate(value[index], luck), *value[index + 1:]]
    return luck.choice(ODD_VALUES)


def spoil(text: bytes, luck: Random) -> bytes:
    """Return a text that was damaged: in its JSON, or in its bytes."""
    if luck.random() < 0.7 and text[:1] == b"{":
        return json.dumps(mutate(json.loads(text), luck)).encode()
    at = luck.randrange(len(text) + 1)
    return luck.choice((
        text[:at], text[at:], text[:at] + bytes([luck.randrange(256)]) + text[at + 1:],
        text[:at] + text[at + 1:], text + text))


def check(outcome: Outcome) -> None:
    """Fail unless every report is one that the core can take."""
    for report in outcome.reports:
        if isinstance(report, p.Traded):
            assert 0 < report.price <= INT64_MAX
            assert 0 < report.size <= INT64_MAX
            assert abs(money(report.fee)) >= 0
            assert report.trade
            assert report.venue_order
            assert 0 <= report.venue_unix_ns <= INT64_MAX
        elif isinstance(report, p.Over | p.Seen):
            assert 0 <= report.filled <= INT64_MAX
        elif isinstance(report, p.Balance):
            money(report.free)
            money(report.locked)
        elif isinstance(report, p.Accepted):
            assert report.venue_order


def lived(venue: str) -> Rig:
    """Return a rig after a history, with all that was said in it."""
    rig = MAKE[venue](seed=3)
    rig.gamble(60)
    rig.settle()
    for request in rig.codec.cancel_all(rig.clock.unix_ns()):
        rig.send(request)
    rig.pump()
    return rig


@pytest.mark.parametrize("venue", MAKE)
def test_odd_frames_are_decode_errors_and_nothing_else(venue: str) -> None:
    rig, luck, refused = lived(venue), Random(7), 0
    for turn in range(4_000):
        if turn < 2 * len(ODD_TEXTS):
            channel, text = USER, ODD_TEXTS[turn // 2]
        else:
            channel, text = luck.choice(rig.frames)
            text = re.sub(rb'"sequence_num":\d+', b'"sequence_num":0', text)
            text = spoil(text, luck)
        rig.codec.opening(USER, 1)  # numbers begin anew
        try:
            check(rig.codec.frame(channel, text, rig.clock.unix_ns()))
        except DecodeError:
            refused += 1
    assert refused > 1_000


@pytest.mark.parametrize("venue", MAKE)
def test_odd_answers_never_raise_and_prove_nothing(venue: str) -> None:
    rig, luck = lived(venue), Random(7)
    kept = {purpose: [each for each in rig.answers if each[0].purpose == purpose]
            for purpose in {request.purpose for request, _ in rig.answers}}
    assert kept.keys() >= {"place", "query", "survey", "cancel_all"}
    for _ in range(4_000):
        request, answer = luck.choice(kept[luck.choice([*kept])])
        status = luck.choice((answer.status,) * 5 + (0, 199, 204, 302, 404, 429, 500, 999))
        headers = {name: luck.choice((value, "", "-1", "x", "9" * 99))
                   for name, value in answer.headers.items()}
        text = luck.choice(ODD_TEXTS) if luck.random() < 0.1 else spoil(answer.body, luck)
        outcome = rig.codec.answer(request, Answer(status, headers, text), 10**18)
        check(outcome)
        for report in outcome.reports:
            if isinstance(report, p.Accepted | p.Denied) and request.purpose == "place":
                assert report.client_id == request.client_id
            if isinstance(report, p.Listing) and status >= 500:
                assert report.failed
        if request.purpose == "place":
            assert outcome.reports, "an order is answered by something"


@pytest.mark.parametrize("venue", MAKE)
def test_an_unreadable_answer_to_anything_is_told(venue: str) -> None:
    rig = lived(venue)
    for request, _ in rig.answers:
        if request.purpose == "fills":
            continue  # asked for again by itself
        for answer in (Answer(200, {}, b"<html>"), Answer(502, {}, b""), Answer(200, {}, b"{}")):
            outcome = rig.codec.answer(request, answer, 10**18)
            (first, *_) = outcome.reports
            assert isinstance(first, p.Lost | p.Listing)
            if isinstance(first, p.Listing):
                assert first.failed
