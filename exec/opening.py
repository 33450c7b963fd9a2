"""Which gateway sits at a venue, by the mode: one that sends, that models, or that does neither."""

from collections.abc import Sequence
from pathlib import Path
from random import Random

from engine.config import instruments
from engine.model.errors import ConnectionLost
from engine.runtime.context import Context
from exec.books import LiveBooks
from exec.flags import RunFlags
from exec.gateways import endpoints
from exec.gateways.codec import Listing
from exec.gateways.dry import DryGateway
from exec.gateways.gateway import Gateway
from exec.gateways.keys import ApiKey
from exec.gateways.paper import PaperGateway
from exec.gateways.settings import Settings
from exec.paper.lanes import Latency
from exec.paper.prints import Prints
from exec.seats import LiveGateway
from exec.state.state import State
from exec.venues.registry import codec_of, endpoints_of
from shm.layout import TRADE
from shm.ring import RecordRing
from shm.segment import Segment

_MS = 1_000_000
GOODBYE_NS = 300 * _MS  # within what control grants a process to leave


def open_gateway(
    venue: str, listings: Sequence[Listing], context: Context, key: ApiKey | None,
    flags: RunFlags, books: LiveBooks, state: State, folder: Path, random: Random,
) -> LiveGateway:
    """Return a gateway for an account at a venue.

    Raises ConnectionLost while local servers have not said where they are, Fatal errors for a key
    that cannot sign, and for paper balances that are not those of the journal.
    """
    config = context.config
    if config.mode != "live":
        return _modelled(venue, listings, context, flags, books, state)
    assert key is not None
    at = (endpoints.simulated(context.run.path, venue) if config.sim is not None
          else endpoints_of(venue, config.accounts.get(venue)))
    if at is None:
        raise ConnectionLost(f"{venue}: the local servers have not said where they are")
    settings = Settings(
        answer_ns_max=int(config.execution.answer_ms_max * _MS), goodbye_ns_max=GOODBYE_NS)
    return Gateway(
        codec_of(venue, key, listings, folder), at, settings, flags=flags, clock=context.clock,
        random=random, log=context.log.bind(venue=venue))


def _modelled(
    venue: str, listings: Sequence[Listing], context: Context, flags: RunFlags, books: LiveBooks,
    state: State,
) -> LiveGateway:
    """Return a gateway that sends nothing: a model of the venue, or nobody at all."""
    config, table = context.config, context.config.paper
    balances = {asset: repr(amount) for asset, amount in table.balances.items()}
    log = context.log.bind(venue=venue)
    if config.mode == "dry_run":
        return DryGateway(venue, listings, books, balances, state, clock=context.clock, log=log)
    symbols = {each.index: each.name for each in instruments(config) if each.venue == venue}
    prints = Prints(
        RecordRing(Segment.attach(context.run, f"trades.{venue}").words, TRADE), symbols)
    return PaperGateway(
        venue, listings, books, prints, balances, state,
        Latency.even(int(table.latency_ms * _MS), int(table.latency_jitter_ms * _MS)),
        flags=flags, clock=context.clock, log=log,
        random=Random(f"{table.seed} {venue}"))  # noqa: S311  (for delays)
