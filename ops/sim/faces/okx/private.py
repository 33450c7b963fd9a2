"""The private REST door: who asks, how often, and what for.

Source: shared/venues/okx.md, Private, 2026-11-21.
"""

from typing import Any, Final

import orjson

from ops.sim.face import Answer, HttpRequest
from ops.sim.faces.okx.account import AccountRest
from ops.sim.faces.okx.auth import Gate
from ops.sim.faces.okx.countdown import Countdown
from ops.sim.faces.okx.desk import BATCH_MAX, Desk, Operation, Row, outcome
from ops.sim.faces.okx.errors import Failure, answer, empty, failure, refusal_of, wrong
from ops.sim.faces.okx.history import History
from ops.sim.faces.okx.limits import PRIVATE, Limits
from ops.sim.faces.okx.requests import Body, text
from ops.sim.floor import Floor

ENTRIES: Final = {
    "trade/order": "place", "trade/batch-orders": "place", "trade/cancel-order": "cancel",
    "trade/cancel-batch-orders": "cancel", "trade/amend-order": "amend",
    "trade/amend-batch-orders": "amend",
}
BATCHES: Final = {
    "trade/batch-orders": "51111", "trade/cancel-batch-orders": "51406",
    "trade/amend-batch-orders": "51501",
}
SWITCH: Final = "trade/cancel-all-after"
READS: Final = frozenset(PRIVATE) - {SWITCH}
POSTS: Final = frozenset(ENTRIES) | {SWITCH}
WHOLE: Final = ("50011", "50014", "50061")  # of a single order: the whole request's failure
MESSAGES: Final = {
    "0": "", "1": "All operations failed", "2": "Bulk operation partially succeeded"}


class PrivateRest:
    """Answers that need a key."""

    def __init__(
        self, floor: Floor, limits: Limits, desk: Desk, countdown: Countdown,
        account: AccountRest, history: History,
    ) -> None:
        self._floor, self._gate, self._limits = floor, Gate(floor), limits
        self._desk, self._countdown = desk, countdown
        self._account, self._history = account, history
        self._operations: dict[str, Operation] = {
            "place": desk.place, "amend": desk.amend, "cancel": desk.cancel}

    def answer(self, verb: str, request: HttpRequest) -> Answer:
        """Answer one request; ``verb`` is the path below /api/v5/."""
        begun_us = self._now_us()
        post = request.method == "POST"
        if request.method not in ("GET", "POST") or verb not in (POSTS if post else READS):
            return refusal_of(failure("50115"))
        account = self._gate.request(request)
        if isinstance(account, Failure):
            return refusal_of(account)
        if not post:
            if not self._limits.private(verb, request.query, account):
                return refusal_of(failure("50011"))
            if verb.startswith("trade/"):
                return self._history.answer(verb, request.query, account)
            return self._account.answer(verb, request.query, account)
        body = read_body(request)
        if isinstance(body, Failure):
            return refusal_of(body)
        if verb == SWITCH:
            return self._wind(body, account)
        return self._enter(verb, request, body, account, begun_us)._replace(entry=True)

    def _wind(self, body: Any, account: str) -> Answer:
        if not isinstance(body, dict):
            return refusal_of(wrong("timeOut"))
        if not self._limits.private(SWITCH, {"tag": text(body, "tag")}, account):
            return refusal_of(failure("50011"))
        row = self._countdown.wind(account, body)
        return refusal_of(row) if isinstance(row, Failure) else answer([row])

    def _enter(
        self, verb: str, request: HttpRequest, body: Any, account: str, begun_us: int
    ) -> Answer:
        """Place, amend or cancel one order, or up to twenty."""
        name = ENTRIES[verb]
        late = name != "cancel" and expired(
            request.headers.get("exptime", ""), self._floor.now_ns())
        if late:
            return refusal_of(late)
        bodies: list[Body] = [body] if verb not in BATCHES else body
        if not isinstance(bodies, list) or not all(isinstance(each, dict) for each in bodies):
            return refusal_of(failure("50002"))
        if not bodies:
            return refusal_of(empty("instId"))
        if len(bodies) > BATCH_MAX:
            return refusal_of(failure(BATCHES[verb]))
        operation = self._operations[name]
        rows = [operation(account, each, text(each, "instId") or empty("instId"),
                          batch=len(bodies) > 1)
                for each in bodies]
        if verb not in BATCHES and rows[0]["sCode"] in WHOLE:
            return refusal_of(Failure(rows[0]["sCode"], rows[0]["sMsg"]))
        return self._rows(rows, begun_us)

    def _rows(self, rows: list[Row], begun_us: int) -> Answer:
        code = outcome(rows)
        return Answer(orjson.dumps({
            "code": code, "msg": MESSAGES[code], "data": rows, "inTime": str(begun_us),
            "outTime": str(self._now_us()),
        }))

    def _now_us(self) -> int:
        return self._floor.now_ns() // 1000


def read_body(request: HttpRequest) -> Any:
    """Parse the body of a POST request, or return the Failure that it is."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        return failure("50006")
    if not request.body:
        return failure("50000")
    try:
        body = orjson.loads(request.body)
    except orjson.JSONDecodeError:
        return failure("50002")
    return body if isinstance(body, (dict, list)) else failure("50002")


def expired(deadline: str, now_ns: int) -> Failure | None:
    """Refuse a request whose expTime, in ms, has passed or is not a time."""
    if not deadline:
        return None
    if not (deadline.isascii() and deadline.isdigit() and len(deadline) <= len(str(now_ns))):
        return wrong("expTime")
    return failure("50036") if int(deadline) < now_ns // 1_000_000 else None
