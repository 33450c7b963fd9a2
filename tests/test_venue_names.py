"""engine.model.venues against the adapters: the config may not import them, so a test does."""

import pytest

from engine.model.instrument import Kind
from engine.model.venues import VENUES
from feeds.venues import VENUES as ADAPTERS

EXAMPLES = {Kind.SPOT: "BTC/USDT", Kind.PERPETUAL: "BTC/USDT:USDT"}


def test_the_config_knows_exactly_the_venues_that_have_adapters() -> None:
    assert set(VENUES) == set(ADAPTERS)


@pytest.mark.parametrize("name", VENUES)
def test_an_adapter_can_spell_what_its_venue_is_said_to_trade(name: str) -> None:
    for kind in VENUES[name]:
        assert ADAPTERS[name].native(EXAMPLES[kind])
