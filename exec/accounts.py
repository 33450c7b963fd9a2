"""Whose money it is: the API key of each venue, the account they make, and what going live takes.

Keys come from where the config says, or from the local servers' own file; an account is known by
the names of all its keys.  Simulated venues forget everything when they begin anew, so their world
is part of the account: another world has another journal.
"""

import hashlib
from collections.abc import Mapping

from engine.config import Config
from engine.model.errors import ConfigInvalid, KeyInvalid
from engine.runtime.served import birth
from exec.gateways import keys
from exec.gateways.keys import ApiKey
from shm.segment import RunFolder

SIMULATED = "main"  # the account of local servers that the engine trades
NOBODY = "books"  # the account of paper and dry runs
_DIGITS = 12


def simulated_orders(config: Config) -> bool:
    """Return whether orders go to local servers: then their world is part of the account."""
    return config.mode == "live" and config.sim is not None


def keys_of(
    config: Config, run: RunFolder, environment: Mapping[str, str]
) -> dict[str, ApiKey]:
    """Return the key of every venue in live mode, of none otherwise.

    Raises KeyInvalid for one that is missing, readable by others or not the one that the config
    names by its fingerprint.
    """
    if config.mode != "live":
        return {}
    if simulated_orders(config):
        return {venue: keys.simulated(run.path, venue, SIMULATED) for venue in config.venues}
    found = {}
    for venue in config.venues:
        table = config.accounts[venue]
        try:
            key = keys.named(
                table.key, table.secret, table.passphrase, environment=environment)
        except KeyInvalid as error:
            raise KeyInvalid(f"accounts.{venue}: {error}") from None
        if key.fingerprint != table.fingerprint:
            raise KeyInvalid(
                f"accounts.{venue}: its key has the fingerprint {key.fingerprint}, the config says"
                f" {table.fingerprint}; right would be the key that was meant, or its fingerprint")
        found[venue] = key
    return found


def account_of(config: Config, run: RunFolder, found: Mapping[str, ApiKey]) -> str:
    """Return the name of the account that these keys make."""
    if not found:
        return NOBODY
    parts = [f"{venue}={key.key}" for venue, key in sorted(found.items())]
    world = birth(run.path) if simulated_orders(config) else ""
    return hashlib.sha256("\n".join([world, *parts]).encode()).hexdigest()[:_DIGITS]


def check_confirmed(config: Config, account: str) -> None:
    """Raise ConfigInvalid unless live trading on real exchanges was confirmed for this account."""
    if config.mode == "live" and config.sim is None and config.confirmed != account:
        said = f"--live {config.confirmed}: " if config.confirmed else ""
        raise ConfigInvalid(
            f"{said}the config says live, on real exchanges, and its keys make the account"
            f" {account}; right would be --live {account}, if that is the one you mean, or --mode"
            " paper")
