"""Coinbase's errors: which prove that nothing happened, which leave it open, which ask to wait.

Source: shared/venues/coinbase.md, Errors and Rate limits, 2026-11-21.  A refused order comes with
HTTP 200; of its reasons the first that does not begin with UNKNOWN_ says why.
"""

from collections.abc import Mapping
from typing import Final

from engine.model.errors import DecodeError
from exec.core import ports as p
from exec.gateways.codec import Answer
from exec.venues.coinbase import wire
from exec.venues.reading import decoder

WAIT_NS: Final = 1_000_000_000
NAMELESS: Final = "UNKNOWN_"
NO_CANCEL_REASON: Final = "UNKNOWN_CANCEL_FAILURE_REASON"
RATE: Final = frozenset({"rate_limit_exceeded", "resource_exhausted"})
# A taken id says that the order may well be there.
OPEN: Final = frozenset({"DUPLICATE_CLIENT_ORDER_ID", "internal_server_error", "", "UNAVAILABLE"})
# Reasons in an answer with status 200 that are of the account or the market, not of the order.
OF_THE_VENUE: Final = (
    "TRADING_DISABLED", "PRODUCT_TRADING_HALTED", "ORDER_ENTRY_DISABLED", "UNTRADABLE_PRODUCT",
    "INELIGIBLE_PAIR", "NOT_ALLOWED_BY_MARKET_STATE", "COMMANDER_REJECTED_NEW_ORDER",
    "GEOFENCING_RESTRICTION", "PERMISSION_DENIED", "INVALID_REQUEST",
)
REFUSALS: Final = frozenset({400, 401, 403, 404, 405, 429})  # by status: nothing was done
NUMBER_DIGITS_MAX: Final = 9
_failure = decoder(wire.Failure)


class Failed(Exception):
    """A request that brought nothing: the venue's code, and whether it proves that."""

    def __init__(self, code: str, text: str, *, status: int, proven: bool) -> None:
        super().__init__(f"HTTP {status}, {code}: {text}")
        self.code, self.text, self.status, self.proven = code, text, status, proven

    @property
    def business(self) -> bool:
        """Return whether it refuses the order for what it is, by a venue that works."""
        named = bool(self.code) and not self.code.startswith(NAMELESS)
        return self.status == 200 and named and not self.code.endswith(OF_THE_VENUE)


def check(answer: Answer) -> None:
    """Raise Failed for an answer that is not about what was asked."""
    if answer.status == 200:
        return
    code, text, readable = "", "", not answer.body and answer.status == 401
    try:
        found = _failure(answer.body)
    except DecodeError as error:
        text = str(error) if answer.body else "no body"
    else:
        readable = True
        first = found.errors[0] if found.errors else wire.Problem(found.error, found.message)
        code, text = first.id, first.message
    proven = readable and answer.status in REFUSALS and code not in OPEN - {""}
    raise Failed(code or f"HTTP {answer.status}", text, status=answer.status, proven=proven)


def reason_of(why: wire.Why | None) -> Failed:
    """Return why an order was refused, by the reasons in its answer."""
    if why is None:
        return Failed("", "no reason", status=200, proven=False)
    reasons = (why.preview_failure_reason, why.new_order_failure_reason, why.error)
    named = next((each for each in reasons if each and not each.startswith(NAMELESS)), "")
    unnamed = next((each for each in reasons if each), "")
    return Failed(named or unnamed, why.message, status=200, proven=named not in OPEN)


def cancel_reason(result: wire.CancelResult) -> Failed:
    """Return why a cancel was refused."""
    code = result.failure_reason
    return Failed(code, "", status=200, proven=code not in (NO_CANCEL_REASON, *OPEN))


def verdict(venue: str, purpose: str, client_id: str, failed: Failed) -> tuple[p.Report, ...]:
    """Return what a failed place or cancel is to the core, and how long to wait."""
    said: p.Report
    if not failed.proven:
        said = p.Lost(venue, client_id, purpose, str(failed))
    elif purpose == "place":
        said = p.Denied(venue, client_id, failed.code, failed.text, failed.business)
    else:
        said = p.CancelDenied(venue, client_id, failed.code, failed.text)
    return (said, *wait(venue, failed))


def wait(venue: str, failed: Failed) -> tuple[p.Report, ...]:
    """Return the time to wait after a request too many."""
    late = failed.code in RATE or failed.status in (418, 429)
    return (p.Budget(venue, 0, 0, WAIT_NS),) if late else ()


def budget(venue: str, headers: Mapping[str, str]) -> tuple[p.Report, ...]:
    """Return what the headers say of the limit; nothing where they do not."""
    limit, left = (_number(headers.get(f"x-ratelimit-{name}", ""))
                   for name in ("limit", "remaining"))
    if limit is None or left is None or left > limit:
        return ()
    return (p.Budget(venue, limit - left, limit, 0),)


def _number(text: str) -> int | None:
    fits = text.isascii() and text.isdigit() and len(text) <= NUMBER_DIGITS_MAX
    return int(text) if fits else None
