"""The outside world: simulated venues in a process of their own, and what they know for sure."""

import subprocess
import time
from pathlib import Path
from typing import Final

import msgspec

from bench.auditor.evidence import VenueAccount, VenueFill, VenueOrder
from engine.model.errors import EngineError
from engine.model.fault import Fault
from engine.runtime import spawn
from ops.sim.remote import Remote

ACCOUNT: Final = "main"
PATIENCE_S: Final = 60.0
SYMBOLS: Final = {
    "binance": ("BTC/USDT", "ETH/USDT"), "okx": ("BTC/USDT", "ETH/USDT"),
    "binance-usdm": ("BTC/USDT:USDT", "ETH/USDT:USDT"), "kraken": ("BTC/USDT", "ETH/USDT"),
    "coinbase": ("BTC/USDT", "ETH/USDT"),
}
CONFIG: Final = """
name = "outside"
mode = "dry_run"
{venues}
[sim]
seed = {seed}
messages-per-s = {messages}
[detector]
edge-min-ppm = 100
edge-max-ppm = 1000000
notional-max.USDT = 25000.0
notional-min.USDT = 10.0
book-age-ms-max = 2000.0
[execution]
edge-min-ppm = 100
[risk]
profile = "moderate"
"""


class Issued(msgspec.Struct):
    """A key that the simulated venues gave out."""

    account: str
    kind: str
    key: str
    secret: str
    passphrase: str = ""


class Outside:
    """One world; its truth is gathered over restarts that make venues forget."""

    def __init__(self, folder: Path, venues: tuple[str, ...], seed: int) -> None:
        """Write its config; ``start`` begins it."""
        self.folder, self.venues = folder, venues
        folder.mkdir(parents=True)
        tables = "".join(
            f"[venues.{name}]\nsymbols = {msgspec.json.encode(SYMBOLS[name]).decode()}\n"
            for name in venues)
        (folder / "outside.toml").write_text(
            CONFIG.format(venues=tables, seed=seed, messages=60.0))
        self._process: subprocess.Popen[bytes] | None = None
        self._remote: Remote | None = None
        self._orders: dict[str, dict[tuple[str, str], VenueOrder]] = {}
        self._fills: dict[str, dict[tuple[str, str, int], VenueFill]] = {}
        self._opening: dict[str, dict[str, str]] = {}

    def start(self, environment: dict[str, str]) -> None:
        """Begin; return once every venue listens."""
        with (self.folder / "output").open("wb") as output:
            self._process = subprocess.Popen(  # noqa: S603  (our own interpreter and module)
                spawn.command("ops.cli", "sim", "--config", str(self.folder / "outside.toml"),
                              "--folder", str(self.folder)),
                env=environment, stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, start_new_session=True)
        deadline = time.monotonic() + PATIENCE_S
        while self._remote is None:
            try:
                self._remote = Remote(self.folder)
                self._remote.faults()
            except EngineError:
                self._remote = None
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise
                time.sleep(0.1)
        for venue in self.venues:
            balances = self.account(venue).balances
            self._opening[venue] = {asset: free for asset, (free, _) in balances.items()}

    @property
    def remote(self) -> Remote:
        """Return its control calls."""
        assert self._remote is not None
        return self._remote

    def key(self, venue: str) -> Issued:
        """Return the key that the engine trades with."""
        issued = msgspec.json.decode((self.folder / "credentials.json").read_bytes(),
                                     type=dict[str, list[Issued]])
        return next(each for each in issued[venue] if each.account == ACCOUNT)

    def inject(self, fault: Fault) -> None:
        """Put a fault in force; what a venue is about to forget is noted before."""
        self.note()
        self.remote.call("POST", "/fault", fault)

    def lift(self) -> None:
        """Lift every fault."""
        self.remote.call("DELETE", "/fault/*")

    def struck(self) -> dict[str, int]:
        """Return how often each fault struck so far."""
        return self.remote.faults().struck

    def account(self, venue: str) -> VenueAccount:
        """Return what a venue says of our account now."""
        return msgspec.json.decode(
            self.remote.call("GET", f"/ledger/{venue}/{ACCOUNT}"), type=VenueAccount)

    def note(self) -> None:
        """Remember every order and fill that venues know now: one that restarts forgets them."""
        for venue in self.venues:
            self._noted(venue)

    def _noted(self, venue: str) -> VenueAccount:
        now = self.account(venue)
        orders = self._orders.setdefault(venue, {})
        known = {(each.symbol, each.client_id) for each in now.orders}
        for place, order in orders.items():
            if order.status == "open" and place not in known:  # forgotten while it rested
                orders[place] = msgspec.structs.replace(order, status="cancelled")
        orders.update({(each.symbol, each.client_id): each for each in now.orders})
        self._fills.setdefault(venue, {}).update(
            {(each.symbol, each.client_id, each.trade_id): each for each in now.fills})
        return now

    def truth(self) -> dict[str, VenueAccount]:
        """Return every venue's account with all that it ever knew."""
        found = {}
        for venue in self.venues:
            now = self._noted(venue)
            found[venue] = msgspec.structs.replace(
                now, orders=[*self._orders[venue].values()], fills=[*self._fills[venue].values()],
                opening=self._opening[venue])
        return found

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
