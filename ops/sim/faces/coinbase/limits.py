"""How much a client may ask: per second, by address or by user, told in headers.

Source: shared/venues/coinbase.md "Rate limits", 2026-11-21.  Beyond a limit REST answers 429 (no
ban) and the WebSocket an error; how many connections an address may open is not settled there
(8/s or 750/s by source), so that is not limited.
"""

from typing import Final

from ops.sim.face import Answer, to_json
from ops.sim.limits import Window

PUBLIC_PER_S: Final = 10  # REST without a key, per address
PRIVATE_PER_S: Final = 30  # REST with a key, per user
MESSAGES_PER_S: Final = 8  # WebSocket requests without a key, per address
KNOWN_MAX: Final = 1_000  # addresses and users remembered; the one not seen longest is forgotten


class Limits:
    """The windows of everybody who asked lately."""

    def __init__(self) -> None:
        self._windows: dict[tuple[str, str], Window] = {}

    def message(self, ip: str, now_ns: int) -> bool:
        """Count a WebSocket request without a key; return whether it may be served."""
        return self._window("message", ip, MESSAGES_PER_S).take(now_ns)

    def public(self, ip: str, now_ns: int) -> tuple[bool, dict[str, str]]:
        """Count a REST request without a key; return whether it may be served, and the headers."""
        return _count(self._window("public", ip, PUBLIC_PER_S), now_ns)

    def private(self, account: str, now_ns: int) -> tuple[bool, dict[str, str]]:
        """Count a REST request of an account; return whether it may be served, and the headers."""
        return _count(self._window("private", account, PRIVATE_PER_S), now_ns)

    def _window(self, kind: str, who: str, limit: int) -> Window:
        window = self._windows.pop((kind, who), None) or Window(limit, 1.0)
        self._windows[kind, who] = window
        if len(self._windows) > KNOWN_MAX:
            del self._windows[next(iter(self._windows))]
        return window


def too_many() -> Answer:
    """Return what REST says beyond a limit."""
    return to_json(
        {"errors": [{"id": "rate_limit_exceeded", "message": "Too many requests"}]}, 429)


def _count(window: Window, now_ns: int) -> tuple[bool, dict[str, str]]:
    within = window.take(now_ns)
    return within, {
        "x-ratelimit-limit": str(window.limit),
        "x-ratelimit-remaining": str(max(0, window.limit - window.used)),
        "x-ratelimit-reset": str(-(-window.left_ns(now_ns) // 10**9)),
    }
