"""What an error of Binance proves: that nothing happened, or nothing at all.

Source: shared/venues/binance.md (Errors, Rate limits), 2026-11-21.
"""

from typing import Final, NamedTuple

from engine.model.errors import DecodeError
from exec.gateways.codec import Answer
from exec.venues.binance import rows
from exec.venues.binance.numbers import read, shown, whole

OPEN: Final = frozenset({-1000, -1001, -1006, -1007, -1008})  # it may have been carried out
ORDER_ABSENT: Final = -2013
ORDER_ARCHIVED: Final = -2026  # ended over 90 days ago without a fill
CANCEL_REJECTED: Final = -2011  # of a symbol: nothing was open
DUPLICATE: Final = -4116  # USD-M; spot says -2010 and DUPLICATE_TEXT
ORDER_REJECTED: Final = -2010
DUPLICATE_TEXT: Final = "Duplicate order sent."
# What is refused for what the order is: filters, funds, precision, margin; not the account or key.
OF_THE_ORDER: Final = frozenset({
    ORDER_REJECTED, -1013, -1014, -1111, *range(-1108, -1099), *range(-1119, -1113), -1121, -1128,
    -1130, -1220, -2018, -2019, -2020, -2021, -2022, -2025, -2027, -2028, -4001, -4002, -4003,
    -4004, -4005, -4013, -4014, -4015, -4016, -4023, -4024, -4131, -4164, -5021, -5022,
})
OF_THE_VENUE: Final = (  # texts of -1013 and -2010 that no other order would escape
    "This action is disabled", "This account may not", "not permitted", "restricted for this",
    "Market is closed", "trading is not enabled")
TOO_MANY: Final = (429, 418)
BARRED_NS: Final = 60 * 10**9  # where a 429 names no time: the longest window but that of a day
BAN_NS_MAX: Final = 3 * 86_400 * 10**9
SERVER_FAULT: Final = 500


class Failure(NamedTuple):
    """A refusal as it came."""

    status: int  # of HTTP, which the WebSocket API repeats
    code: int  # 0: it could not be read
    text: str
    wait_ns: int = 0  # for how long nothing may be sent; 0 or less: not told

    @property
    def words(self) -> str:
        """Return it for a journal."""
        return f"{self.status} {self.code} {self.text}"

    @property
    def too_many(self) -> bool:
        """Return whether it is about how much was asked."""
        return self.status in TOO_MANY

    @property
    def leaves_open(self) -> bool:
        """Return whether the request may have been carried out all the same.

        A duplicate is refused because an order of that name is in the book: it is ours.
        """
        if self.too_many:
            return False
        known_name = self.code == DUPLICATE or (
            self.code == ORDER_REJECTED and self.text == DUPLICATE_TEXT)
        return (not 400 <= self.status < SERVER_FAULT or not self.code or self.code in OPEN
                or known_name)

    @property
    def business(self) -> bool:
        """Return whether it refuses the order for what it is, by a venue that works."""
        return self.code in OF_THE_ORDER and not any(each in self.text for each in OF_THE_VENUE)

    @property
    def barred_ns(self) -> int:
        """Return for how long nothing may be sent."""
        if not self.too_many:
            return 0
        return min(self.wait_ns, BAN_NS_MAX) if self.wait_ns > 0 else BARRED_NS


def of_frame(status: int, problem: rows.Problem | None, now_unix_ns: int) -> Failure:
    """Return the failure that an answer of the WebSocket API tells."""
    if problem is None:
        raise DecodeError(f"status {status} without an error")
    wait_ns = 0
    if status in TOO_MANY and bytes(problem.data):
        wait_ns = read(rows.RETRY, problem.data).until_ms * 1_000_000 - now_unix_ns
    return Failure(status, problem.code, shown(problem.msg), wait_ns)


def of_answer(answer: Answer) -> Failure | None:
    """Return the failure that a REST answer tells, None for a success."""
    if answer.status == 200:
        return None
    wait_ns = (whole(answer.headers.get("retry-after", "")) or 0) * 10**9
    try:
        problem = read(rows.PROBLEM, answer.body)
    except DecodeError:
        text = shown(answer.body[:200].decode("utf-8", "replace"))
        return Failure(answer.status, 0, text, wait_ns)
    return Failure(answer.status, problem.code, shown(problem.msg), wait_ns)
