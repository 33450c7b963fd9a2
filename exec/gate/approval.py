"""The approval: an object that only the gate makes and the sender demands.

It carries a keyed hash of exactly what was approved, under the limits and in the life that it was
approved in.  The key is made anew with each process and never leaves it: an approval cannot be
forged, kept for another order, or carried into another life.
"""

import hashlib
import secrets
from typing import Final

import msgspec

from exec.gate.checks import Proposal, Proposed, Refusal, Situation, review
from exec.gate.limits import Limits

_KEYED: Final = hashlib.blake2b(digest_size=8, key=secrets.token_bytes(32))
TOKEN_MASK: Final = 2**63 - 1  # it fits the journal's integers


class Approval(msgspec.Struct, frozen=True, gc=False):
    """Leave to send one order."""

    token: int
    life: int
    limits_version: int

    def covers(self, order: Proposed, purpose: str) -> bool:
        """Return whether this is the order that was approved."""
        return self.token == _token(order, purpose, self.life, self.limits_version)


class Gate:
    """Judges proposals by the limits in force."""

    def __init__(self, limits: Limits, *, life: int) -> None:
        self._life = life
        self.limits, self.version = limits, 1

    def reload(self, limits: Limits) -> None:
        """Judge from now on by other limits; what was approved before is not, any more."""
        self.limits, self.version = limits, self.version + 1

    def judge(self, proposal: Proposal, at: Situation) -> tuple[Approval, ...] | Refusal:
        """Return an approval per order, or the first refusal."""
        refusal = review(proposal, at, self.limits)
        if refusal is not None:
            return refusal
        return tuple(
            Approval(_token(order, proposal.purpose, self._life, self.version), self._life,
                     self.version)
            for order in proposal.orders)

    def admits(self, approval: Approval, order: Proposed, purpose: str) -> bool:
        """Return whether an approval is ours, of this life and these limits, and for this order."""
        return (approval.life == self._life and approval.limits_version == self.version
                and approval.covers(order, purpose))


def _token(order: Proposed, purpose: str, life: int, version: int) -> int:
    text = (f"{order.venue}|{order.symbol}|{order.side}|{order.price}|{order.size}|{purpose}"
            f"|{life}|{version}")
    keyed = _KEYED.copy()  # a key set up once
    keyed.update(text.encode())
    return int.from_bytes(keyed.digest(), "little") & TOKEN_MASK
