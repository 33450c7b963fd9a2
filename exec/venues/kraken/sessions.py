"""Tokens and subscriptions of the two connections to ws-auth.

A token must be used within 15 minutes; then it lives while its connection keeps a private
subscription.  So each connection has its own, and the one of orders follows the balances, whose
rows the other one reads.  Source: shared/venues/kraken.md (Private, Keepalive), 2026-11-21.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from exec.gateways.codec import ORDERS, USER, Request
from exec.venues.kraken.entry import Pending
from exec.venues.kraken.rest import Rest

TOKEN_LIFE_NS: Final = 12 * 60 * 10**9  # unused; the venue allows 15 minutes
PATIENCE_NS: Final = 5 * 10**9  # for an answer, before asking again
EXECUTIONS: Final = "executions"
BALANCES: Final = "balances"
OPTIONS: Final = {
    (USER, EXECUTIONS): '"snap_orders":true,"snap_trades":false,"order_status":true,'
                        '"ratecounter":true,',
    (USER, BALANCES): '"snapshot":true,',
    (ORDERS, BALANCES): '"snapshot":false,',
}


class _Session(msgspec.Struct):
    token: str = ""
    got_ns: int = 0
    asked_ns: int = 0  # when a token, or a subscription, was asked for last
    waiting: list[str] = []  # channels that are not acknowledged
    live: bool = False


class Sessions:
    """What each connection said and was told."""

    def __init__(self, rest: Rest, pending: Pending) -> None:
        self._rest, self._pending = rest, pending
        self._sessions: dict[str, _Session] = {}  # of the channels that were opened

    def token(self, channel: str) -> str:
        """Return a connection's token, "" without one."""
        session = self._sessions.get(channel)
        return session.token if session else ""

    def live(self, channel: str) -> bool:
        """Return whether every subscription of a connection was acknowledged."""
        return channel in self._sessions and self._sessions[channel].live

    def open(self, channel: str, now_unix_ns: int) -> Sequence[Request]:
        """Ask for a new connection's token; what is subscribed to follows from its answer."""
        self._sessions[channel] = _Session(asked_ns=now_unix_ns)
        return [self._ask(channel, now_unix_ns)]

    def _ask(self, channel: str, now_unix_ns: int) -> Request:
        return self._rest.post(
            "GetWebSocketsToken", now_unix_ns, purpose="login", number=channel)

    def got(self, channel: str, token: str, now_unix_ns: int) -> Sequence[Request]:
        """Take a token; return the subscriptions that use it."""
        session = self._sessions.setdefault(channel, _Session())
        session.token, session.got_ns, session.asked_ns = token, now_unix_ns, now_unix_ns
        session.live = False
        session.waiting = [name for place, name in OPTIONS if place == channel]
        return [self.subscribe(channel, name) for name in session.waiting]

    def lost(self, channel: str, now_unix_ns: int) -> Sequence[Request]:
        """Forget a token that the venue does not take; ask for another, unless that was just done.

        A connection without a token places by REST meanwhile.
        """
        session = self._sessions.get(channel)
        if session is None or not session.token:
            return ()
        return self.open(channel, now_unix_ns)

    def subscribe(self, channel: str, name: str) -> Request:
        """Return the subscription to one channel of Kraken's on one connection."""
        number = self._pending.add("subscribe", channel)
        text = (f'{{"method":"subscribe","params":{{"channel":"{name}",{OPTIONS[channel, name]}'
                f'"token":"{self.token(channel)}"}},"req_id":{number}}}')
        return Request(channel=channel, purpose="subscribe", id=str(number), text=text.encode())

    def unsubscribe(self, channel: str, name: str) -> Request:
        """Return its end."""
        number = self._pending.add("unsubscribe", channel)
        text = (f'{{"method":"unsubscribe","params":{{"channel":"{name}",'
                f'"token":"{self.token(channel)}"}},"req_id":{number}}}')
        return Request(channel=channel, purpose="subscribe", id=str(number), text=text.encode())

    def acknowledged(self, channel: str, name: str) -> bool:
        """Note that a subscription stands; return whether the connection is usable now."""
        session = self._sessions.get(channel)
        if session is None:
            return False
        if name in session.waiting:
            session.waiting.remove(name)
        session.live = not session.waiting
        return session.live

    def keep(self, now_unix_ns: int) -> list[Request]:
        """Return what must be asked again: tokens that never came or grew old, subscriptions."""
        due = list[Request]()
        for channel, session in self._sessions.items():
            if session.live or now_unix_ns - session.asked_ns < PATIENCE_NS:
                continue
            session.asked_ns = now_unix_ns
            if not session.token or now_unix_ns - session.got_ns > TOKEN_LIFE_NS:
                session.token = ""
                due.append(self._ask(channel, now_unix_ns))
            else:
                due.extend(self.subscribe(channel, name) for name in session.waiting)
        return due
