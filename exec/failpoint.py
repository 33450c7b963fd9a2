"""Named points where a test may end this process as kill -9 would.

Nothing happens at any of them unless TRYPTO_FAILPOINT named a file when the process began, and
that file says which point is meant and at which visit: ``after_send:3``.  The file is gone then, so
that the next life goes on.  ``check`` keeps all of it away from real exchanges.
"""

import os
import signal
from collections import Counter
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from engine.config import Config
from engine.model.errors import ConfigInvalid

VARIABLE: Final = "TRYPTO_FAILPOINT"
AFTER_INTENT: Final = "after_intent"  # journaled, not a byte has left
AFTER_SEND: Final = "after_send"  # handed to the socket, not journaled as sent
AFTER_FILL: Final = "after_fill"  # journaled, nothing done about it
AFTER_CANCEL: Final = "after_cancel"  # handed to the socket
_LOCAL: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_file: Final = os.environ.get(VARIABLE, "")
_visits: Final[Counter[str]] = Counter()


def reach(name: str) -> None:
    """Say that the process is at a point; it may be its last word."""
    if _file:
        _strike(name)


def check(config: Config) -> None:
    """Raise ConfigInvalid where the variable is set and an order could reach a real exchange."""
    addresses = (address for account in config.accounts.values()
                 for address in (account.orders_url, account.rest_url))
    local = config.mode != "live" or config.sim is not None or (bool(config.accounts) and all(
        urlsplit(address).hostname in _LOCAL for address in addresses))
    if _file and not local:
        raise ConfigInvalid(f"{VARIABLE} is set, and the orders of this config leave the machine;"
                            " right would be to unset it: it is for tests")


def _strike(name: str) -> None:
    try:
        wanted, _, nth = Path(_file).read_text().partition(":")
    except FileNotFoundError:
        return
    if wanted != name:
        return
    _visits[name] += 1
    if _visits[name] >= int(nth):
        Path(_file).unlink(missing_ok=True)
        os.kill(os.getpid(), signal.SIGKILL)
