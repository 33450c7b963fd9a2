"""What Binance's markets answer when they refuse: codes, texts, HTTP status.

Source: shared/venues/binance.md and binance-spot-api-docs:errors.md @ a5e0bc3, 2026-11-21.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

import orjson

from ops.sim.face import Answer


class Problem(NamedTuple):
    """One documented error; ``text`` may have places for arguments."""

    code: int
    text: str
    status: int = 400


TOO_MUCH_WEIGHT: Final = Problem(
    -1003, "Too much request weight used; current limit is {} request weight per {}. Please use "
    "WebSocket Streams for live updates to avoid polling the API.", 429)
BANNED: Final = Problem(
    -1003, "Way too much request weight used; IP banned until {}. Please use WebSocket Streams "
    "for live updates to avoid bans.", 418)
TOO_MANY_REQUESTS: Final = Problem(-1003, "Too many requests queued.", 429)
DISCONNECTED: Final = Problem(
    -1001, "Internal error; unable to process your request. Please try again.", 500)
TIMEOUT: Final = Problem(
    -1007, "Timeout waiting for response from backend server. Send status unknown; execution "
    "status unknown.", 503)
BUSY: Final = Problem(
    -1008, "Server is currently overloaded with other requests. Please try again in a few "
    "minutes.", 503)
TOO_MANY_ORDERS: Final = Problem(
    -1015, "Too many new orders; current limit is {} orders per {}.", 429)
SHUTTING_DOWN: Final = Problem(-1016, "This service is no longer available.", 503)
GONE: Final = Problem(-1020, "This operation is not supported.", 410)
UNSUPPORTED: Final = Problem(-1020, "This operation is not supported.")
OUTSIDE_WINDOW: Final = Problem(-1021, "Timestamp for this request is outside of the recvWindow.")
AHEAD: Final = Problem(
    -1021, "Timestamp for this request was 1000ms ahead of the server's time.")
BAD_SIGNATURE: Final = Problem(-1022, "Signature for this request is not valid.")
ILLEGAL: Final = Problem(
    -1100, "Illegal characters found in parameter '{}'; legal range is '{}'.")
DUPLICATE_VALUES: Final = Problem(-1101, "Duplicate values for a parameter detected.")
MANDATORY: Final = Problem(
    -1102, "Mandatory parameter '{}' was not sent, was empty/null, or malformed.")
EITHER: Final = Problem(-1102, "Param '{}' or '{}' must be sent, but both were empty/null!")
UNKNOWN_PARAMETER: Final = Problem(-1103, "An unknown parameter was sent.")
UNREAD: Final = Problem(
    -1104, "Not all sent parameters were read; read '{}' parameter(s) but was sent '{}'.")
EMPTY: Final = Problem(-1105, "Parameter '{}' was empty.")
NOT_REQUIRED: Final = Problem(-1106, "Parameter '{}' sent when not required.")
OVERFLOW: Final = Problem(-1108, "Parameter '{}' overflowed.")
PRECISION: Final = Problem(-1111, "Parameter '{}' has too much precision.")
BAD_TIF: Final = Problem(-1115, "Invalid timeInForce.")
BAD_TYPE: Final = Problem(-1116, "Invalid orderType.")
BAD_SIDE: Final = Problem(-1117, "Invalid side.")
BAD_INTERVAL: Final = Problem(-1120, "Invalid interval.")
BAD_SYMBOL: Final = Problem(-1121, "Invalid symbol.")
BAD_LISTEN_KEY: Final = Problem(-1125, "This listenKey does not exist.")
BAD_COMBINATION: Final = Problem(-1128, "Combination of optional parameters invalid.")
INVALID: Final = Problem(-1130, "Data sent for parameter '{}' is not valid.")
BAD_WINDOW: Final = Problem(-1131, "recvWindow must be less than 60000.")
BAD_JSON: Final = Problem(-1135, "Invalid JSON Request")
BAD_TIME_UNIT: Final = Problem(
    -1194, "Invalid value for time unit; expected either MICROSECOND or MILLISECOND.")
BAD_KEY_FORMAT: Final = Problem(-2014, "API-key format invalid.", 401)
BAD_KEY: Final = Problem(-2015, "Invalid API-key, IP, or permissions for action.", 401)
NO_SUCH_ORDER: Final = Problem(-2013, "Order does not exist.")


class Refused(Exception):
    """A request is refused; the door turns this into the venue's answer."""

    def __init__(
        self, problem: Problem, *values: object, headers: Mapping[str, str] | None = None,
        data: object = None,
    ) -> None:
        self.code, self.status = problem.code, problem.status
        self.text = problem.text.format(*values)
        self.headers = headers or {}
        self.data = data  # what the venue adds beside code and msg
        super().__init__(self.text)

    def body(self) -> dict[str, object]:
        """Return code and msg, and what else there is to say."""
        body: dict[str, object] = {"code": self.code, "msg": self.text}
        return body if self.data is None else body | {"data": self.data}

    def answer(self) -> Answer:
        """Return the REST answer."""
        return Answer(orjson.dumps(self.body()), self.status, self.headers)
