"""Kraken's WebSocket v1, frozen by the venue but served beside v2: the same market, spelt anew.

Whatever v2 would send is rewritten for connections of v1: arrays that end in the channel's and
the pair's name, numbers as text with the digits of v2, so that the checksum is the same.
Source: shared/venues/kraken.md, 2026-11-21 ("v1 captures"); the texts of errors from the field.
"""

import re
from typing import TYPE_CHECKING, Any, Final

import orjson

from ops.sim.face import Session, Topic, json_object, strings
from ops.sim.faces import kraken_names
from ops.sim.listing import Line

if TYPE_CHECKING:
    from ops.sim.faces.kraken import Kraken

CHANNELS: Final = ("book", "trade", "ticker")
DEPTHS: Final = (10, 25, 100, 500, 1000)
NS: Final = 1_000_000_000
_LEVEL: Final = re.compile(rb'\{"price":([0-9.]+),"qty":([0-9.]+)\}')
_CHECKSUM: Final = re.compile(rb'"checksum":(\d+)')
_TRADE: Final = re.compile(rb'"side":"(.)[a-z]+","price":([0-9.]+),"qty":([0-9.]+),'
                           rb'"ord_type":"(.)')


class KrakenV1:
    """Speaks v1 for a face of v2."""

    def __init__(self, face: "Kraken") -> None:
        self._face = face
        self._lines = {
            kraken_names.streamed(line.pair.base, line.pair.quote): line
            for line in face.lines.values()}
        self._names = {line.native: name for name, line in self._lines.items()}

    def greet(self, session: Session) -> None:
        """Say that the system is online."""
        session.send(orjson.dumps({
            "connectionID": (1 << 63) + session.connection_id, "event": "systemStatus",
            "status": "online", "version": "1.9.6"}))

    def text(self, session: Session, message: bytes) -> None:
        """Serve ping, subscribe and unsubscribe; one answer per pair."""
        request = json_object(message)
        event = request.get("event") if request else None
        if request is None or event not in ("ping", "subscribe", "unsubscribe"):
            session.send(b'{"errorMessage":"Malformed request","event":"error"}')
            return
        tail = {"reqid": request["reqid"]} if "reqid" in request else {}
        if event == "ping":
            session.send(orjson.dumps({"event": "pong"} | tail))
            return
        wanted, pairs = request.get("subscription"), strings(request.get("pair"))
        wanted = wanted if isinstance(wanted, dict) else {}
        for pair in pairs or [""]:
            self._one(session, str(event), pair, wanted, tail)

    def _one(
        self, session: Session, event: str, pair: str, wanted: dict[str, Any],
        tail: dict[str, Any],
    ) -> None:
        line, channel, depth = self._lines.get(pair), wanted.get("name"), wanted.get("depth", 10)
        problem = None
        if channel not in CHANNELS:
            problem = "Subscription name invalid"
        elif line is None:
            problem = f"Currency pair not supported {pair}"
        elif channel == "book" and depth not in DEPTHS:
            problem = "Subscription depth not supported"
        about = {"event": "subscriptionStatus", "pair": pair, "subscription": wanted} | tail
        if problem is not None or line is None:
            session.send(orjson.dumps({"errorMessage": problem, "status": "error"} | about))
            return
        topic = (f"book:{depth}" if channel == "book" else str(channel), line.native)
        session.send(orjson.dumps(about | {
            "channelID": self._channel_id(topic), "channelName": _channel_name(topic),
            "status": f"{event}d", "subscription": (
                {"depth": depth, "name": "book"} if channel == "book" else {"name": channel})}))
        if event == "unsubscribe":
            session.unsubscribe(topic)
            return
        session.subscribe(topic, str(channel))
        if line.started and (first := self._face.first(topic, line)):
            session.push(topic, self.spell(topic, first))

    def spell(self, topic: Topic, body: bytes) -> bytes:
        """Rewrite one message of v2."""
        channel, native = topic
        now = self._face.floor.now_ns()
        at = f'"{now // NS}.{now // 1000 % 1_000_000:06d}"'
        if channel == "ticker":
            parts = [orjson.dumps(self._ticker(self._face.lines[native])).decode()]
        elif channel == "trade":
            parts = [_trades(body, at)]
        else:
            parts = _levels(body, at)
        tail = f'"{_channel_name(topic)}","{self._names[native]}"'
        return f'[{self._channel_id(topic)},{",".join(parts)},{tail}]'.encode()

    def _ticker(self, line: Line) -> dict[str, Any]:
        """Return the figures of REST; whole lots are numbers here, the first price is two."""
        row: dict[str, Any] = self._face.rest_ticker(line)
        for side in "ab":
            row[side] = [row[side][0], int(row[side][1]), row[side][2]]
        return row | {"o": [row["o"], row["o"]]}

    def _channel_id(self, topic: Topic) -> int:
        names = list(self._face.lines)
        channels = (*(f"book:{depth}" for depth in DEPTHS), "trade", "ticker")
        return 300 + len(channels) * names.index(topic[1]) + channels.index(topic[0])


def _channel_name(topic: Topic) -> str:
    return topic[0].replace(":", "-")


def _trades(body: bytes, at: str) -> str:
    rows = [f'["{price.decode()}","{size.decode()}",{at},"{side.decode()}","{kind.decode()}",""]'
            for side, price, size, kind in _TRADE.findall(body)]
    return f"[{','.join(rows)}]"


def _levels(body: bytes, at: str) -> list[str]:
    """Return the sides of a book message, in a snapshot both, else those with changes."""
    first = b'"type":"snapshot"' in body
    bids, asks = body.split(b'"asks":', 1)
    sides = {"a": _LEVEL.findall(asks), "b": _LEVEL.findall(bids)}
    rows = {side: ",".join(f'["{price.decode()}","{size.decode()}",{at}]'
                           for price, size in levels) for side, levels in sides.items()}
    if first:
        return [f'{{"as":[{rows["a"]}],"bs":[{rows["b"]}]}}']
    parts = [f'"{side}":[{row}]' for side, row in rows.items() if row]
    found = _CHECKSUM.search(body)
    if found:
        parts[-1] += f',"c":"{found[1].decode()}"'
    return [f"{{{part}}}" for part in parts]
