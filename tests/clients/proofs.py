"""What third-party clients prove about the simulator: every test here declares it with ``proves``.

``ops/sim/CLIENTS.md`` shows the declarations as a table; ``test_table.py`` holds the two equal.
"""

from collections.abc import Collection, Mapping
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
    client: str, calls: Mapping[str, str], *venues: str, remark: str = "",
    lacking: Mapping[str, Collection[str]] | None = None,
) -> pytest.MarkDecorator:
    """Declare what a test shows, and run it once a venue."""
    declare(client, calls, *venues, remark=remark, lacking=lacking)
    return pytest.mark.parametrize("venue", venues)


def declare(
    client: str, calls: Mapping[str, str], *venues: str, remark: str = "",
    lacking: Mapping[str, Collection[str]] | None = None,
) -> None:
    """Declare what the next test shows too: ``calls`` maps each call to what is compared.

    ``lacking`` maps a venue to the calls that the client does not have there.
    """
    PROOFS.extend(
        Proof(client, call, venue, remark, compared)
        for venue in venues for call, compared in calls.items()
        if call not in (lacking or {}).get(venue, ()))
