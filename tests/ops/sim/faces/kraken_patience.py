"""Kraken's limits lifted, for tests of other things."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from ops.sim.faces.kraken import limits

PLENTY = 10**9


@contextmanager
def unlimited() -> Iterator[None]:
    """Let every counter of a world opened within take more than a test can ask."""
    with patch.multiple(
        limits, PRIVATE_MAX=PLENTY, TRADING_MAX=PLENTY, PUBLIC_MAX=PLENTY, MESSAGES_PER_S=PLENTY,
    ):
        yield
