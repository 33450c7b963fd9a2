"""The approval: an object that only the gate makes, the sender demands, and the door takes back.

    Gate.judge ─ granted ─▶ Gate.admits (sender) ─ admitted ─▶ Approval.redeem (door) ─▶ gone

It holds exactly what was approved.  The gate keeps every approval that it granted in a table of
this process and looks for the object itself, not for one that is equal: an approval cannot be
forged, copied, kept for another order, used twice, or carried into another life.
"""

import secrets
from random import Random
from typing import Final

import msgspec

from exec.gate.checks import Proposal, Proposed, Refusal, Situation
from exec.gate.limits import Limits
from exec.gate.review import review

KEPT_MAX: Final = 4_096  # approvals; the oldest is not one any more
TOKEN_BITS: Final = 63  # it fits the journal's integers
_SEED: Final = secrets.randbits(128)  # of this process
_granted: "Final[dict[Approval, bool]]" = {}  # and whether the sender was let pass with it


class Approval(msgspec.Struct, frozen=True, eq=False, gc=False):
    """Leave to send one order, once."""

    token: int  # by which the journal knows it
    life: int
    limits_version: int
    order: Proposed
    purpose: str

    def redeem(self, order: Proposed, purpose: str) -> bool:
        """Return whether this is the order that may leave; from then on it is used up."""
        if not (_granted.get(self) and self._covers(order, purpose)):
            return False
        del _granted[self]
        return True

    def _covers(self, order: Proposed, purpose: str) -> bool:
        return self.order == order and self.purpose == purpose


class Gate:
    """Judges proposals by the limits in force."""

    def __init__(self, limits: Limits, *, life: int) -> None:
        self._life = life
        self.limits, self.version = limits, 1
        self._draw = Random(_SEED).getrandbits  # noqa: S311  (a name, not a secret)

    def reload(self, limits: Limits) -> None:
        """Judge from now on by other limits; what was approved before is not, any more."""
        self.limits, self.version = limits, self.version + 1
        _granted.clear()

    def judge(self, proposal: Proposal, at: Situation) -> tuple[Approval, ...] | Refusal:
        """Return an approval per order, or the first refusal."""
        refusal = review(proposal, at, self.limits)
        if refusal is not None:
            return refusal
        return tuple([self._grant(order, proposal.purpose) for order in proposal.orders])

    def admits(self, approval: Approval, order: Proposed, purpose: str) -> bool:
        """Return whether an approval is ours, of this life and these limits, and for this order.

        It is asked once: a second time the same approval lets nothing pass.
        """
        if (_granted.get(approval) is not False or approval.life != self._life
                or approval.limits_version != self.version
                or not approval._covers(order, purpose)):  # noqa: SLF001
            return False
        _granted[approval] = True
        return True

    def _grant(self, order: Proposed, purpose: str) -> Approval:
        if len(_granted) >= KEPT_MAX:
            del _granted[next(iter(_granted))]
        approval = Approval(self._draw(TOKEN_BITS), self._life, self.version, order, purpose)
        _granted[approval] = False
        return approval
