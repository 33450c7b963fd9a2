"""The dead-man switch: all of an account's orders, or those with one tag, end unless it is renewed.

Source: shared/venues/okx.md, Private, 2026-11-21: 0 turns it off, else 10 to 120 s; 20 tags.
Times in the answer are in seconds, as in the documentation's sample.
"""

import re
from typing import Any, Final

from ops.sim.exchange.orders import Why
from ops.sim.faces.okx.errors import Failure, empty, failure, wrong
from ops.sim.faces.okx.requests import TAG, Body, text
from ops.sim.faces.okx.tickets import Tickets
from ops.sim.floor import Floor

SHORTEST_S: Final = 10
LONGEST_S: Final = 120
TAGS_MAX: Final = 20
SOURCE: Final = "20"


class Countdown:
    """Every switch that is wound up, per account and tag; the empty tag is all orders."""

    def __init__(self, floor: Floor, tickets: Tickets) -> None:
        self._floor, self._tickets = floor, tickets
        self._due_ns: dict[tuple[str, str], int] = {}

    def wind(self, account: str, body: Body) -> dict[str, Any] | Failure:
        """Wind a switch up, again, or off; return the answer's row."""
        given, tag = text(body, "timeOut"), text(body, "tag")
        if not given:
            return empty("timeOut")
        if not re.fullmatch(r"\d{1,3}", given):
            return wrong("timeOut")
        seconds = int(given)
        if seconds and not SHORTEST_S <= seconds <= LONGEST_S:
            return wrong("timeOut")
        if tag and not TAG.fullmatch(tag):
            return wrong("tag")
        key, now_s = (account, tag), self._floor.now_ns() // 10**9
        tags = sum(owner == account and word != "" for owner, word in self._due_ns)
        if seconds and tag and key not in self._due_ns and tags >= TAGS_MAX:
            return failure("51071")
        self._due_ns.pop(key, None)
        if seconds:
            self._due_ns[key] = self._floor.mono_ns() + seconds * 10**9
        trigger_s = now_s + seconds if seconds else 0
        return {"triggerTime": str(trigger_s), "tag": tag, "ts": str(now_s)}

    def tick(self) -> None:
        """End the orders of every switch that ran down."""
        now_ns = self._floor.mono_ns()
        for key in [key for key, due_ns in self._due_ns.items() if now_ns >= due_ns]:
            del self._due_ns[key]
            self._end(*key)

    def _end(self, account: str, tag: str) -> None:
        for order in [*self._floor.exchange.accounts.by_name[account].orders.values()]:
            ticket = self._tickets.of(order)
            if tag and ticket.tag != tag:
                continue
            ticket.cancel_source = SOURCE
            done = self._floor.cancel(account, order_id=order.id, why=Why.WITHDRAWN)
            if done is not order:
                ticket.cancel_source = ""
