"""Kraken's ids: of its form, reversible, one for every number; its names of assets and pairs."""

import random
import re

import pytest

from ops.sim.faces.kraken import ids, names

FORM = re.compile(r"O[A-Z2-7]{5}-[A-Z2-7]{5}-[A-Z2-7]{6}")


def test_ids_have_krakens_form_and_lead_back_to_their_numbers() -> None:
    chance = random.Random(3)
    numbers = [0, 1, 2, 2**63, 2**80 - 1] + [chance.randrange(2**80) for _ in range(2_000)]
    texts = [ids.order_id(number) for number in numbers]
    assert all(FORM.fullmatch(text) for text in texts)
    assert [ids.number_of(ids.ORDER, text) for text in texts] == numbers
    assert len(set(texts)) == len(set(numbers))


def test_neighbours_look_unlike_and_every_kind_of_id_differs() -> None:
    one, other = ids.order_id(4_700_000_000_000_001), ids.order_id(4_700_000_000_000_002)
    assert sum(a != b for a, b in zip(one[1:], other[1:], strict=True)) > 8
    made = {ids.exec_id(7, taker=True), ids.exec_id(7, taker=False), ids.amend_id(7),
            ids.ledger_id(7, 0, taker=True), ids.ledger_id(7, 1, taker=True), ids.deposit_id(7)}
    assert len(made) == 6


@pytest.mark.parametrize("text", [
    "", "O", "OUF4EM", "OUF4EM-FRGI2", "OUF4EM-FRGI2-MQMWZ", "OUF4EM-FRGI2-MQMWZ1",
    "TUF4EM-FRGI2-MQMWZD", "ouf4em-frgi2-mqmwzd", "OUF4E-MFRGI2-MQMWZD",
])
def test_what_has_another_form_is_no_id(text: str) -> None:
    assert ids.number_of(ids.ORDER, text) is None


@pytest.mark.parametrize(("base", "quote", "key", "altname"), [
    ("BTC", "USD", "XXBTZUSD", "XBTUSD"), ("ETH", "USD", "XETHZUSD", "ETHUSD"),
    ("ETH", "BTC", "XETHXXBT", "ETHXBT"), ("DOGE", "USD", "XDGUSD", "XDGUSD"),
    ("DOGE", "BTC", "XXDGXXBT", "XDGXBT"), ("USDT", "USD", "USDTZUSD", "USDTUSD"),
    ("BTC", "USDT", "XBTUSDT", "XBTUSDT"), ("SOL", "USD", "SOLUSD", "SOLUSD"),
    ("XRP", "EUR", "XXRPZEUR", "XRPEUR"),
])
def test_pairs_have_the_names_that_kraken_answers_with(
    base: str, quote: str, key: str, altname: str
) -> None:
    assert (names.key(base, quote), names.altname(base, quote)) == (key, altname)


def test_an_asset_is_found_by_any_of_its_names() -> None:
    for name in ("XXBT", "XBT", "BTC"):
        assert names.asset_of(name) == "BTC"
    assert (names.code("USD"), names.asset_of("ZUSD"), names.asset_of("SOL")) == (
        "ZUSD", "USD", "SOL")
