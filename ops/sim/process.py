"""The engine's ``sim`` process: the simulated venues of the run's config."""

from engine.runtime.context import Context
from engine.runtime.loop import run
from ops.sim.world import world_of


def main(context: Context) -> int:
    """Serve until the engine stops."""
    return run(context, _serve)


async def _serve(context: Context) -> int:
    venues = {name: venue.symbols for name, venue in context.config.venues.items()}
    config = context.config
    world = world_of(venues, config.sim, context.clock, config.pairs, context.counters)
    await world.open(context.run.path)
    context.log.info("venues simulated", endpoints=world.endpoints())
    context.ready()
    try:
        await world.serve()
    finally:
        await world.close()
    return 0
