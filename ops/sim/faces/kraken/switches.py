"""The dead-man switch's fields and times, the same in REST and over WebSocket."""

from datetime import UTC, datetime

from ops.sim.faces.kraken.answers import invalid
from ops.sim.faces.kraken.params import Params
from ops.sim.faces.kraken.trading import AFTER_MAX_S


def timeout_of(params: Params) -> int:
    """Return the timeout in seconds, 0 for off; raise Declined."""
    timeout_s = params.integer("timeout")
    if timeout_s is None or not 0 <= timeout_s < AFTER_MAX_S:
        raise invalid("timeout")
    return timeout_s


def rest_times(now_ns: int, timeout_s: int) -> dict[str, str]:
    """Return now, and when all orders go: 0 if never."""
    now_s = now_ns // 10**9
    return {"currentTime": _text(now_s),
            "triggerTime": _text(now_s + timeout_s) if timeout_s else "0"}


def _text(unix_s: int) -> str:
    return f"{datetime.fromtimestamp(unix_s, UTC):%Y-%m-%dT%H:%M:%SZ}"
