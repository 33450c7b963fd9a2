"""Listen keys: names of user streams that live an hour from their last renewal.

Source: binance-us-api-docs:user-data-stream.md @ 6b62304, 2026-11-21.
"""

from random import Random
from typing import Final

from ops.sim.faces.binance.spot_orders import LETTERS

LIFE_NS: Final = 3600 * 10**9


class ListenKeys:
    """At most one key per account."""

    def __init__(self, seed: str) -> None:
        self._random = Random(seed)  # noqa: S311  guards invented money on loopback
        self._keys: dict[str, tuple[str, int]] = {}  # account -> key, when it ends

    def open(self, account: str, now_ns: int) -> str:
        """Return the account's key, a new one if it has none, and let it live on."""
        key, ends_ns = self._keys.get(account, ("", 0))
        if ends_ns <= now_ns:
            key = "".join(self._random.choices(LETTERS, k=60))
        self._keys[account] = (key, now_ns + LIFE_NS)
        return key

    def renew(self, key: str, now_ns: int) -> bool:
        """Let a key live on; return whether there is such a key."""
        account = self.account(key, now_ns)
        if account:
            self._keys[account] = (key, now_ns + LIFE_NS)
        return bool(account)

    def close(self, key: str, now_ns: int) -> bool:
        """End a key; return whether there was such a key."""
        account = self.account(key, now_ns)
        return bool(account) and self._keys.pop(account) is not None

    def account(self, key: str, now_ns: int) -> str:
        """Return whose key this is, empty for one that is unknown or over."""
        return next((account for account, (each, ends_ns) in self._keys.items()
                     if each == key and now_ns < ends_ns), "")

    def expired(self, key: str, now_ns: int) -> bool:
        """Return whether a key ended by itself."""
        return any(each == key and now_ns >= ends_ns for each, ends_ns in self._keys.values())
