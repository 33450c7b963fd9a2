"""What Kraken's error texts prove, and how long they ask us to wait.

A refusal is sure when the request never reached the matching engine's book.  What may hide a
success, or says nothing that we know, leaves it open.  Source: shared/venues/kraken.md (Errors,
Rate limits), 2026-11-21; texts are matched before their extra detail.
"""

from typing import Final, NamedTuple

SECOND_NS: Final = 1_000_000_000
LOCKOUT_NS: Final = 60 * SECOND_NS  # where "minutes" is all that is told
CALL_NS: Final = 2 * SECOND_NS
CALLS: Final = "EAPI:Rate limit exceeded"  # of questions alone: orders have another counter
TRADING_NS: Final = SECOND_NS  # the trading counter loses one to four orders
SESSION: Final = "ESession:"
DUPLICATES: Final = ("Duplicate", "cl_ord_id")  # one of that name rests: ours, sent once or twice
SURE: Final = (
    "EAPI:", "EAuth:", "EAccount:", "EFunding:", "EOrder:", "EQuery:", "ESession:", "ETrade:",
    "EGeneral:Permission denied", "EGeneral:Invalid arguments", "EGeneral:Unknown method",
    "EGeneral:Too many requests", "EGeneral:Temporary lockout", "EService:Market in ",
    "EService:Throttled", "EService:Deadline elapsed", "Currency pair not supported",
    "Symbol(s) not found", "Token(s) not found", "Unsupported field",
)
# What is refused for what the order is: funds, minimum, price, arguments.
OF_THE_ORDER: Final = (
    "EOrder:Insufficient", "EOrder:Order minimum not met", "EOrder:Cost minimum not met",
    "EOrder:Invalid price", "EOrder:Tick size check failed", "EOrder:Post only order",
    "EOrder:Invalid order", "EOrder:Cannot open position", "EOrder:Reduce only",
    "EGeneral:Invalid arguments", "EQuery:Unknown asset pair", "EQuery:Invalid asset pair",
    "Currency pair not supported",
)
OPEN: Final = ("EOrder:Cancel pending",)
WAITS: Final = {
    "EGeneral:Too many requests": CALL_NS,
    "EOrder:Rate limit exceeded": TRADING_NS, "EOrder:Domain rate limit exceeded": TRADING_NS,
    "EGeneral:Temporary lockout": LOCKOUT_NS, "Exceeded msg rate": TRADING_NS,
}
THROTTLED: Final = "EService:Throttled:"
_STATUS_TIMEOUT, _STATUS_BARRED = 408, (418, 429)


class Refusal(NamedTuple):
    """An error, and what follows from it."""

    code: str  # EOrder:Insufficient funds, or HTTP 429
    text: str
    sure: bool  # nothing happened, and nothing will
    wait_ns: int  # before anything else may be asked

    @property
    def business(self) -> bool:
        """Return whether it refuses the order for what it is, by a venue that works."""
        return self.text.startswith(OF_THE_ORDER)


def refusal_of(text: str, now_unix_ns: int) -> Refusal:
    """Return what an error text means."""
    doubtful = text.startswith(OPEN) or any(word in text for word in DUPLICATES)
    wait_ns = next((ns for start, ns in WAITS.items() if text.startswith(start)), 0)
    until = text.removeprefix(THROTTLED).strip()
    if text.startswith(THROTTLED) and until.isascii() and until.isdigit() and len(until) < 12:
        wait_ns = max(0, int(until) * SECOND_NS - now_unix_ns)
    code = ":".join(text.split(":")[:2])[:60]
    return Refusal(code, text, text.startswith(SURE) and not doubtful, wait_ns)


def refusal_of_status(status: int, retry_after: str) -> Refusal:
    """Return what an HTTP status means; Cloudflare answers so, in front of Kraken."""
    known = retry_after.isascii() and retry_after.isdigit() and len(retry_after) < 6
    wait_ns = 0
    if status in _STATUS_BARRED:
        wait_ns = int(retry_after) * SECOND_NS if known else LOCKOUT_NS
    sure = 400 <= status < 500 and status != _STATUS_TIMEOUT
    return Refusal(f"HTTP {status}", "", sure, wait_ns)
