"""How USD-M hands out listen keys: by account, so a renewal need not name its key.

Source: developers.binance.com/docs/derivatives/usds-margined-futures/user-data-streams, read
2026-11-21.  A new request while a key is active returns that key and extends it.
"""

from ops.sim.faces.binance.door import Ask
from ops.sim.faces.binance.errors import Refused
from ops.sim.faces.binance.listen_keys import ListenKeys
from ops.sim.faces.binance.usdm_errors import LISTEN_KEY
from ops.sim.floor import Floor


class Keys:
    """Who may listen to what."""

    def __init__(self, floor: Floor) -> None:
        self._floor, self._keys = floor, ListenKeys(floor.venue)
        self._given: dict[str, str] = {}  # account -> its newest key

    def account(self, key: str) -> str:
        """Return whose active key this is, empty if nobody's."""
        return self._keys.account(key, self._floor.mono_ns())

    def start(self, ask: Ask) -> object:
        """Return the account's key, good for an hour from now."""
        key = self._keys.open(ask.account, self._floor.mono_ns())
        self._given[ask.account] = key
        return {"listenKey": key}

    def keep(self, ask: Ask) -> object:
        """Let the account's key live on."""
        key = self._own(ask)
        if not self._keys.renew(key, self._floor.mono_ns()):
            raise Refused(LISTEN_KEY)
        return {"listenKey": key}

    def close(self, ask: Ask) -> object:
        """End the account's key."""
        if not self._keys.close(self._own(ask), self._floor.mono_ns()):
            raise Refused(LISTEN_KEY)
        return {}

    def _own(self, ask: Ask) -> str:
        key = self._given.get(ask.account, "")
        if ask.params.text("listenKey") not in (None, key):
            raise Refused(LISTEN_KEY)
        return key
