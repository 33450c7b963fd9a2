"""The channels there are, who may hear them, and how many connections listen.

Source: shared/venues/okx.md, Order book, Keepalive and Private streams, 2026-11-21.
"""

from typing import Any, Final

import orjson

from ops.sim.face import Session, Topic
from ops.sim.faces.okx.catalogue import KINDS, Catalogue
from ops.sim.faces.okx.errors import Failure, failure
from ops.sim.faces.okx.funding import CHANNEL as RATES
from ops.sim.faces.okx.funding import Funding
from ops.sim.faces.okx.market import BOOKS, Market
from ops.sim.faces.okx.pushes import CHANNELS as PRIVATE
from ops.sim.faces.okx.pushes import Pushes, prefix, private_topic
from ops.sim.floor import Floor
from ops.sim.listing import Line

BY_PATH: Final = {  # channels that name an instrument
    "public": frozenset({*BOOKS, "books5", "bbo-tbt", "trades", "tickers"}),
    "business": frozenset({"trades-all"}),
    "private": frozenset[str](),
}
TIERED: Final = frozenset({"books-l2-tbt", "books50-l2-tbt"})  # for logins of higher tiers
COUNTED: Final = frozenset(PRIVATE)
CONNECTIONS_MAX: Final = 30  # per counted channel and account


class Channels:
    """Knows every channel."""

    def __init__(
        self, floor: Floor, lines: dict[str, Line], market: Market, pushes: Pushes,
        catalogue: Catalogue, funding: Funding,
    ) -> None:
        self._floor, self._lines, self._market = floor, lines, market
        self._pushes, self._catalogue, self._funding = pushes, catalogue, funding
        self._listeners: dict[tuple[str, str], dict[int, Session]] = {}

    def topic(self, session: Session, arg: dict[str, Any]) -> Topic | Failure:
        """Return what a subscription is to, or why it cannot be."""
        channel, path = str(arg.get("channel")), session.path.rsplit("/", 1)[-1]
        if path == "private" and channel in (*PRIVATE, "fills"):
            return self._private(session, channel, arg)
        if path == "public" and channel in TIERED:
            return failure("64003" if session.account else "60011")
        if path == "public" and channel == "instruments" and arg.get("instType") == "SPOT":
            return channel, ""
        if path == "public" and channel == "status":
            return channel, ""
        native = str(arg.get("instId"))
        if path == "public" and channel == RATES and native in self._funding.natives:
            return channel, native
        if channel in BY_PATH.get(path, ()) and native in self._lines:
            return channel, native
        return wrong_channel({"channel": channel, "instId": native})

    def _private(self, session: Session, channel: str, arg: dict[str, Any]) -> Topic | Failure:
        if not session.account:
            return failure("60011")
        if channel == "fills":
            return failure("64003")  # for VIP4 and higher: accounts here are Lv1
        native, kind = arg.get("instId"), arg.get("instType")
        known = kind in (*KINDS, "ANY") and native in (None, *self._lines)
        if channel == "orders" and not known:
            return wrong_channel({"channel": channel, "instType": str(kind)})
        if channel == "account" and arg.get("ccy") not in (None, *self._floor.exchange.assets):
            return wrong_channel({"channel": channel, "ccy": str(arg.get("ccy"))})
        return private_topic(arg, session.account)

    def join(self, session: Session, arg: dict[str, Any], topic: Topic) -> dict[str, Any] | None:
        """Subscribe; return the event that counts a channel's connections, if it is counted."""
        channel = arg["channel"]
        if channel not in COUNTED:
            if channel in BOOKS:
                self._market.flush(self._lines[topic[1]])  # others first: the snapshot is later
            session.subscribe(topic, channel)
            return None
        listeners = self._listeners.setdefault((session.account, channel), {})
        for number, other in list(listeners.items()):
            if not any(word[0].startswith(f"@{channel}/") for word in other.topics):
                del listeners[number]
        full = len(listeners) >= CONNECTIONS_MAX and session.connection_id not in listeners
        if not full:
            listeners[session.connection_id] = session
            session.subscribe(topic, prefix(arg, self._floor.venue, session.account))
            session.state.setdefault("args", {})[topic] = arg
        event = "channel-conn-count-error" if full else "channel-conn-count"
        return {"event": event, "channel": channel, "connCount": str(len(listeners))}

    def first(self, session: Session, arg: dict[str, Any]) -> bytes | None:
        """Return what a new subscriber hears at once; None: nothing."""
        channel = arg["channel"]
        if channel in COUNTED:
            return self._pushes.first(arg, session.account)
        if channel == "instruments":
            return self.instruments(self._lines.values())
        if channel == RATES:
            return self._funding.push(arg["instId"])
        line = self._lines.get(str(arg.get("instId")))
        return self._market.first(line, channel) if line is not None and line.started else None

    def instruments(self, lines: Any) -> bytes:
        """Return a push of instruments."""
        arg = {"channel": "instruments", "instType": "SPOT"}
        return orjson.dumps({"arg": arg, "data": [self._catalogue.row(line) for line in lines]})

    def repeat(self, session: Session) -> None:
        """Push all balances again to those who did not ask for events only."""
        for topic, arg in session.state.get("args", {}).items():
            if topic in session.topics and topic[0].startswith("@account/") \
                    and not topic[0].endswith("/events"):
                body = self._pushes.balances(arg, session.account, "interval_update")
                session.push(topic, self.wrap(session, topic, body))

    def wrap(self, session: Session, topic: Topic, body: bytes) -> bytes:
        """Return the frame that a connection gets: a private push begins with its own arg."""
        session.messages += 1
        return session.topics[topic].encode() + body if topic[0].startswith("@") else body


def wrong_channel(named: dict[str, str]) -> Failure:
    """Return 60018 for a channel that is not there, or not at this path."""
    what = ",".join(f"{name}:{value}" for name, value in named.items())
    return Failure("60018", f"Wrong URL or {what} doesn't exist. Please use the correct URL, "
                            "channel and parameters referring to API document.")
