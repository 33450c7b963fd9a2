"""What third-party clients prove about the simulator: every test here declares it with ``proves``.

``ops/sim/CLIENTS.md`` shows the declarations as a table; ``test_table.py`` holds the two equal.
"""

from typing import Final, NamedTuple

import pytest

VENUES: Final = ("binance", "binance-usdm", "okx", "kraken", "coinbase")


class Proof(NamedTuple):
    """One call of one client at one venue, and what of it was compared with what."""

    client: str
    call: str
    venue: str
    remark: str  # where the client itself bounds what can be shown; else empty
    compared: str


PROOFS: Final[list[Proof]] = []


def proves(
    client: str, calls: dict[str, str], *venues: str, remark: str = ""
) -> pytest.MarkDecorator:
    """Declare what a test shows: ``calls`` maps each call to what is compared."""
    PROOFS.extend(
        Proof(client, call, venue, remark, compared)
        for venue in venues for call, compared in calls.items())
    return pytest.mark.parametrize("venue", venues)
