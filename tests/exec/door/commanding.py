"""An operator over a simulated world: two venues, virtual time, no process, no socket."""

import logging
from typing import Any

import structlog

from bench.histories.venue import MS, SYMBOL, Network
from bench.histories.world import SETTINGS, Crash, World
from engine.control.protocol import AnyReply, Place, ToExecution
from engine.model.instrument import Instrument, Pair
from exec import records as r
from exec.core.settings import Settings
from exec.door.flatten import Flattener
from exec.door.killing import Killing
from exec.door.operator import Operator

TABLE = [Instrument(index, 0, venue, index, Pair.parse(SYMBOL), 0, 2, 5)
         for index, venue in enumerate("ab")]


def quiet_log() -> Any:
    return structlog.wrap_logger(
        logging.getLogger("exec"), wrapper_class=structlog.make_filtering_bound_logger(0),
        processors=[structlog.processors.JSONRenderer()])


class Commanded:
    """A world whose core an operator commands."""

    def __init__(self, settings: Settings = SETTINGS, network: Network | None = None) -> None:
        self.world = World(1, network or Network())
        self.settings = settings
        self.born()
        self.world.run(2_000 * MS, trade=False)  # venues are ready, balances known

    def born(self) -> None:
        """Stand over the core as it is now: a new one after a restart."""
        world = self.world
        self.state = world.state
        self.killing = Killing(world.core, world.state, world.killed, world, quiet_log())
        self.flattener = Flattener(
            world.core, world, world.state, world, TABLE, world, self.settings, quiet_log(),
            world.killed)
        self.operator = Operator(
            world.core, world, world.state, world, TABLE, self.flattener, self.kill,
            world.killed, quiet_log())

    def restart(self) -> None:
        """Die, and come back."""
        def die() -> None:
            raise Crash

        self.world.at(0, die)
        self.world.run(MS, trade=False)
        self.born()
        self.world.run(2_000 * MS, trade=False)

    def kill(self, _reason: str) -> None:
        self.world.kill = True
        self.killing.turn()

    def obey(self, request: ToExecution) -> AnyReply:
        return self.operator.obey(request)

    def buy(self, size: str, *, tif: str = "ioc", price: str = "", venue: str = "a") -> AnyReply:
        """Buy by hand, far beyond the touch where no price is told."""
        ask = self.world.quote(venue, SYMBOL).ask
        found = price or f"{(ask + ask // 50) / 100:.2f}"
        return self.obey(Place(venue, SYMBOL, "buy", found, size, tif))  # type: ignore[arg-type]

    def run(self, ms: int) -> None:
        """Let time pass, the flatten's and the kill's turns included."""
        for _ in range(ms // 100):
            self.world.run(100 * MS, trade=False)
            self.killing.turn()
            self.flattener.turn()

    def commands(self) -> list[r.Commanded]:
        found = [r.decode(each.payload) for each in self.world.stored]
        return [each for each in found if isinstance(each, r.Commanded)]
