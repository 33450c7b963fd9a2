"""Listen keys of USD-M: one per account, good for an hour, which may be renewed or closed.

Source: developers.binance.com/docs/derivatives/usds-margined-futures/user-data-streams, read
2026-11-21.  A new request while a key is active returns that key and extends it.
"""

import hashlib
from typing import Final

from ops.sim.faces.binance.door import Ask
from ops.sim.faces.binance.errors import Refused
from ops.sim.faces.binance.usdm_errors import LISTEN_KEY
from ops.sim.floor import Floor

LIFE_NS: Final = 3600 * 10**9
ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


class ListenKeys:
    """Who may listen to what."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self._active: dict[str, tuple[str, int]] = {}  # account -> key, mono ns of its end
        self._made = 0

    def account(self, key: str) -> str:
        """Return whose active key this is, empty if nobody's."""
        now_ns = self._floor.mono_ns()
        return next((account for account, (active, until_ns) in self._active.items()
                     if active == key and now_ns < until_ns), "")

    def start(self, ask: Ask) -> object:
        """Return the account's key, good for an hour from now."""
        key, until_ns = self._active.get(ask.account, ("", 0))
        now_ns = self._floor.mono_ns()
        if now_ns >= until_ns:
            self._made += 1
            entropy = hashlib.sha512(
                f"{ask.account}:{self._floor.now_ns()}:{self._made}".encode()).digest()
            key = "".join(ALPHABET[each % len(ALPHABET)] for each in entropy)
        self._active[ask.account] = (key, now_ns + LIFE_NS)
        return {"listenKey": key}

    def keep(self, ask: Ask) -> object:
        """Extend the account's key."""
        key, until_ns = self._active.get(ask.account, ("", 0))
        named = ask.params.text("listenKey")
        now_ns = self._floor.mono_ns()
        if now_ns >= until_ns or named not in (None, key):
            raise Refused(LISTEN_KEY)
        self._active[ask.account] = (key, now_ns + LIFE_NS)
        return {"listenKey": key}

    def close(self, ask: Ask) -> object:
        """End the account's key."""
        if self.account(self._active.get(ask.account, ("", 0))[0]) != ask.account:
            raise Refused(LISTEN_KEY)
        del self._active[ask.account]
        return {}
