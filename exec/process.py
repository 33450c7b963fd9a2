"""The execution process: both lanes and the account, from start to stop."""

import asyncio
from typing import Final

import numpy as np

from engine.config import Config, instruments
from engine.model.clock import SystemClock
from engine.runtime import loop
from engine.runtime.context import Context
from engine.runtime.memory import EXEC_BELL, SIGNAL_PREFIX, SIGNALS_SOCKET, Memory
from engine.runtime.served import birth
from engine.runtime.wire import Subscriber
from exec import appraisal
from exec.accounts import simulated_orders
from exec.appraisal import Appraiser
from exec.books import LiveBooks
from exec.intake import Intake
from exec.trader import Trader
from shm import portfolio
from shm.bell import FifoBell, warm_bells
from shm.counters import CounterBlock, ExecCounter, ExecHistogram
from shm.layout import FATE, SIGNAL, WORD, Bell, words_in
from shm.ring import RecordRing, ring_size
from shm.segment import Segment

_WORLD_S: Final = 0.02


def warm(config: Config) -> None:
    """Compile the kernels: once in the template, before execution is forked from it."""
    table = instruments(config)
    memory = Memory.plain(config, table)
    appraisal.warm(config, table, memory)
    _warm_books(LiveBooks(config, table, memory, SystemClock()), config)
    counters = CounterBlock(np.zeros(CounterBlock.size(1) // WORD, np.int64), 0)
    counters.count(ExecCounter.ACCEPTED)
    counters.record(ExecHistogram.SEEN_TO_SIGNAL, 1)
    memory.signals.push(np.zeros(words_in(SIGNAL), np.int64))
    memory.signals.read(0)
    fates = np.zeros(ring_size(words_in(FATE), 2) // WORD, np.int64)
    RecordRing.format(fates, 2)
    RecordRing(fates, FATE).push(np.zeros(words_in(FATE), np.int64))
    warm_bells()
    portfolio.warm()


def _warm_books(books: LiveBooks, config: Config) -> None:
    """Compile what reads the live books."""
    for venue, wanted in config.venues.items():
        books.quote(venue, wanted.symbols[0])
        books.walk(venue, wanted.symbols[0], 1, 1)


async def work(context: Context) -> int:
    """Serve both lanes and the account until cancelled."""
    config = context.config
    memory = Memory.attach(
        context.run, config, context.control, instruments(config), signals_writable=False)
    warm(config)
    while simulated_orders(config) and not birth(context.run.path):
        await asyncio.sleep(_WORLD_S)  # the local servers have not issued our keys yet
    trader = Trader(context, memory)
    appraiser = Appraiser(config, instruments(config), memory, trader.books)
    fates = RecordRing(Segment.attach(context.run, "fates", writable=True).words, FATE)
    bell = FifoBell(context.run.file(EXEC_BELL), context.control.words,
                    context.control.bell(Bell.EXEC))
    subscriber = Subscriber(context.run.file(SIGNALS_SOCKET), SIGNAL_PREFIX)
    intake = Intake(context, memory, appraiser, trader.core, fates, bell, subscriber)
    events = asyncio.get_running_loop()
    try:
        events.add_reader(bell.fileno(), intake.on_bell)
        events.add_reader(subscriber.fileno(), intake.on_wire)
        intake.on_bell()
        intake.on_wire()
        context.ready()
        await trader.run()
    finally:
        events.remove_reader(bell.fileno())
        events.remove_reader(subscriber.fileno())
        bell.close()
        subscriber.close()
        await trader.close()
    return 0


def main(context: Context) -> int:
    """Execute until told to stop; return 0."""
    return loop.run(context, work)
