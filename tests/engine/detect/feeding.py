"""A feed process that publishes one crossing book again and again; to be stopped and killed."""

import time
from typing import Final

from engine.runtime.context import Context
from shm.bell import ring_bell
from shm.book import BookSegment, set_state
from shm.layout import Bell, BookFault, BookState, UpdateKind
from shm.ring import WordRing
from shm.segment import Segment
from tests.engine.detect.world import Levels, publish_levels

EVERY_S: Final = 0.005
SIDES: Final[dict[str, tuple[Levels, Levels]]] = {
    "a": ([(9_990, 50)], [(10_000, 50)]), "b": ([(10_020, 70)], [(10_100, 70)]),
}


def main(context: Context) -> int:
    """Publish, ring, beat, until told to leave."""
    venue = context.name.partition(":")[2]
    index = [*context.config.venues].index(venue)
    segment = Segment.attach(context.run, f"books.{venue}", writable=True)
    books = BookSegment(segment.words, segment.depth, 1)
    updates = WordRing(Segment.attach(context.run, f"updates.{venue}", writable=True).words)
    books.adopt(context.epoch, context.clock.mono_ns())
    bell = context.control.bell(Bell.DETECTOR)

    def publish() -> None:
        publish_levels(books, 0, *SIDES[venue], now_ns=context.clock.mono_ns())
        updates.push(index << 8 | UpdateKind.BOOK)
        ring_bell(context.control.words, bell)
        context.beat()

    publish()
    set_state(books.words, 0, BookState.LIVE, BookFault.NONE, context.clock.mono_ns())
    context.ready()
    while not context.stopping:
        publish()
        time.sleep(EVERY_S)
    return 0
