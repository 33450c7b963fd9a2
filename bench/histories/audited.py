"""The auditor on a simulated world: its journal's bytes and its matching engines' own accounts."""

import hashlib
from decimal import Decimal

import msgspec

from bench.auditor.audit import Audit, audit
from bench.auditor.evidence import Evidence, VenueAccount
from bench.auditor.journal import numbered
from bench.histories.venue import ACCOUNT, MONEY
from bench.histories.world import LIMITS, World
from ops.sim.truth import account_truth_of


def truth_of(world: World) -> dict[str, VenueAccount]:
    """Return what each matching engine says of our account, through the command line's JSON."""
    found = {}
    for name, venue in world.venues.items():
        told = msgspec.to_builtins(account_truth_of(venue.exchange, ACCOUNT))
        told["opening"] = {asset: str(Decimal(amount).scaleb(-MONEY))
                           for asset, amount in venue.first.items()}
        found[name] = msgspec.convert(told, VenueAccount, strict=False)
    return found


def audit_of(world: World) -> Audit:
    """Return the verdict over a world that has come to rest."""
    return audit(numbered(world.stored), Evidence(
        venues=truth_of(world), orders_per_s_max=LIMITS.orders_per_s_max,
        open_orders_max=LIMITS.open_orders_max))


def hash_of(world: World) -> str:
    """Return a hash of every record's bytes and times, and of the state that they made."""
    found = hashlib.sha256(world.state.digest().encode())
    for each in world.stored:
        found.update(each.unix_ns.to_bytes(8, "little") + each.payload)
    return found.hexdigest()
