"""Which gateway sits at a venue, by the mode: one that sends, that models, or that does neither."""

from collections.abc import Sequence
from pathlib import Path
from random import Random

from engine.model.errors import ConnectionLost
from engine.runtime.context import Context
from exec.books import LiveBooks
from exec.flags import RunFlags
from exec.gateways import endpoints
from exec.gateways.codec import Listing
from exec.gateways.gateway import Gateway
from exec.gateways.keys import ApiKey
from exec.gateways.settings import Settings
from exec.seats import LiveGateway
from exec.state import State
from exec.venues.registry import codec_of, endpoints_of

GOODBYE_NS = 300_000_000  # within what control grants a process to leave


def open_gateway(
    venue: str, listings: Sequence[Listing], context: Context, key: ApiKey | None,
    flags: RunFlags, books: LiveBooks, state: State, folder: Path, random: Random,
) -> LiveGateway:
    """Return a gateway for an account at a venue.

    Raises ConnectionLost while local servers have not said where they are, Fatal errors for a key
    that cannot sign.
    """
    config = context.config
    assert key is not None
    at = (endpoints.simulated(context.run.path, venue) if config.sim is not None
          else endpoints_of(venue, config.accounts.get(venue)))
    if at is None:
        raise ConnectionLost(f"{venue}: the local servers have not said where they are")
    settings = Settings(
        answer_ns_max=int(config.execution.answer_ms_max * 1_000_000), goodbye_ns_max=GOODBYE_NS)
    return Gateway(
        codec_of(venue, key, listings, folder), at, settings, flags=flags, clock=context.clock,
        random=random, log=context.log.bind(venue=venue))
