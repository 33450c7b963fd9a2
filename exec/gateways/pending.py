"""Requests that left and wait for their answers, each until its time is up.

A request is here from the moment before its bytes leave until exactly one of three things: its
answer, its time-out, the loss of its connection.  So nothing that left is ever forgotten.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec

from exec.core.ports import Listing, Lost, Report
from exec.gate.approval import Approval
from exec.gate.checks import Proposed
from exec.gateways.codec import Request
from exec.records import Intended

PENDING_MAX: Final = 4_096  # requests without an answer; more are not sent
PAGES_MAX: Final = 1_000  # requests of one survey or query
HELD_MAX: Final = 100_000  # reports of one survey


class Group(msgspec.Struct):
    """Requests that make one answer together: a survey's, or the questions about one order."""

    purpose: str  # survey or query
    make: "Callable[[int], Sequence[Request]]"  # told the Unix time, makes its first requests
    client_id: str = ""
    waiting: int = 0  # requests of it without an answer
    asked: int = 0
    why: str = ""  # it failed
    held: list[Report] = []  # told when all has come, so that a part never stands for the whole

    def hold(self, report: Report) -> None:
        """Keep a report until the whole has come; one that tells of a failure fails the whole."""
        if isinstance(report, Lost):
            self.why = report.why
        elif isinstance(report, Listing) and report.failed:
            self.why = report.failed
        elif len(self.held) < HELD_MAX:
            self.held.append(report)
        else:
            self.why = "more than can be held"


class Warrant(msgspec.Struct):
    """By what an order may leave: what the gate saw, and its leave for exactly that."""

    order: Intended
    proposed: Proposed
    approval: Approval
    redeemed: bool = False

    def redeem(self) -> bool:
        """Return whether the approval covers what was proposed, and that is the order.

        The approval is used up with that, for this warrant alone: asked again, it answers the same.
        """
        order, proposed = self.order, self.proposed
        if (order.venue != proposed.venue or order.symbol != proposed.symbol
                or order.side != proposed.side or order.price != proposed.price
                or order.size != proposed.size or order.approval != self.approval.token):
            return False
        if not self.redeemed:
            self.redeemed = self.approval.redeem(proposed, order.purpose)
        return self.redeemed


class Entry(msgspec.Struct, eq=False):
    """One request on its way."""

    request: Request
    deadline_ns: int  # monotonic
    asked_unix_ns: int
    warrant: Warrant | None = None  # of a place
    group: Group | None = None
    waits: bool = True  # for an answer of its own
    left: bool = True  # whether bytes of it may have left; REST knows better
    over: bool = False  # answered, or given up: nothing of it may leave any more
    task: "asyncio.Task[None] | None" = None  # of a REST request
    done: "asyncio.Future[bool] | None" = None  # told whether it was answered


class Pending:
    """All requests of one gateway that wait."""

    def __init__(self) -> None:
        self._by_id: dict[tuple[str, str], Entry] = {}
        self._rest: set[Entry] = set()

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._by_id) + len(self._rest)

    @property
    def full(self) -> bool:
        """Return whether no more may leave."""
        return len(self._by_id) + len(self._rest) >= PENDING_MAX

    def orders(self) -> int:
        """Return how many of them are about orders: places and cancels."""
        return sum(each.request.purpose in ("place", "cancel") for each in self._all())

    def add(self, entry: Entry) -> None:
        """Let an entry wait: by channel and id, or as a REST request."""
        if entry.task is not None:
            self._rest.add(entry)
            return
        key = (entry.request.channel, entry.request.id)
        assert key not in self._by_id, "a request id is used twice"
        self._by_id[key] = entry

    def answered(self, channel: str, request_id: str) -> Entry | None:
        """Take out what a WebSocket text answers, None if nobody waits for it any more."""
        entry = self._by_id.pop((channel, request_id), None)
        if entry is not None:
            entry.over = True
        return entry

    def finish(self, entry: Entry) -> bool:
        """Take an entry out; return whether it was still waiting."""
        if entry.over:
            return False
        entry.over = True
        self._rest.discard(entry)
        self._by_id.pop((entry.request.channel, entry.request.id), None)
        return True

    def expired(self, now_ns: int) -> list[Entry]:
        """Take out those whose time is up."""
        return self._take([each for each in self._all() if each.deadline_ns <= now_ns])

    def of_channel(self, channel: str) -> list[Entry]:
        """Take out those that left by a connection that is gone."""
        return self._take([each for key, each in self._by_id.items() if key[0] == channel])

    def everything(self) -> list[Entry]:
        """Take all out."""
        return self._take([*self._all()])

    def _all(self) -> Iterator[Entry]:
        yield from self._by_id.values()
        yield from self._rest

    def _take(self, entries: list[Entry]) -> list[Entry]:
        for each in entries:
            self.finish(each)
        return entries
