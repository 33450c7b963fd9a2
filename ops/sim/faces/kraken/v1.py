"""Kraken's WebSocket v1, frozen by the venue but served beside v2: the same market, spelt anew.

Whatever v2 would send is rewritten for connections of v1: arrays that end in the channel's and
the pair's name, numbers as text with the digits of v2, so that the checksum is the same.
Source: shared/venues/kraken.md, 2026-11-21 ("v1 captures"); the texts of errors from the field.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

import orjson

from ops.sim.face import Session, Topic, json_object, strings
from ops.sim.faces.kraken.instruments import Instrument
from ops.sim.faces.kraken.public import Public
from ops.sim.faces.kraken.stream import DEPTHS, Stream
from ops.sim.floor import Floor

CHANNELS: Final = ("book", "trade", "ticker")
NS: Final = 1_000_000_000
_LEVEL: Final = re.compile(rb'\{"price":([0-9.]+),"qty":([0-9.]+)\}')
_CHECKSUM: Final = re.compile(rb'"checksum":(\d+)')
_TRADE: Final = re.compile(rb'"side":"(.)[a-z]+","price":([0-9.]+),"qty":([0-9.]+),'
                           rb'"ord_type":"(.)')


class V1:
    """Speaks v1 for the streams of v2."""

    def __init__(
        self, floor: Floor, stream: Stream, public: Public,
        instruments: Mapping[str, Instrument],
    ) -> None:
        self._floor, self._stream, self._public = floor, stream, public
        self._instruments = instruments
        self._natives = {each.wsname: native for native, each in instruments.items()}

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
        native, channel = self._natives.get(pair), wanted.get("name")
        depth = wanted.get("depth", 10)
        problem = None
        if channel not in CHANNELS:
            problem = "Subscription name invalid"
        elif native is None:
            problem = f"Currency pair not supported {pair}"
        elif channel == "book" and depth not in DEPTHS:
            problem = "Subscription depth not supported"
        about = {"event": "subscriptionStatus", "pair": pair, "subscription": wanted} | tail
        if problem is not None or native is None:
            session.send(orjson.dumps({"errorMessage": problem, "status": "error"} | about))
            return
        topic = (f"book:{depth}" if channel == "book" else str(channel), native)
        session.send(orjson.dumps(about | {
            "channelID": self._channel_id(topic), "channelName": _channel_name(topic),
            "status": f"{event}d", "subscription": (
                {"depth": depth, "name": "book"} if channel == "book" else {"name": channel})}))
        if event == "unsubscribe":
            session.unsubscribe(topic)
            return
        session.subscribe(topic, str(channel))
        line = self._stream.lines[native]
        if line.started and channel != "trade":
            session.push(topic, self.spell(topic, self._stream.first(topic, line)))

    def spell(self, topic: Topic, body: bytes) -> bytes:
        """Rewrite one message of v2."""
        channel, native = topic
        now = self._floor.now_ns()
        at = f'"{now // NS}.{now // 1000 % 1_000_000:06d}"'
        if channel == "ticker":
            parts = [orjson.dumps(self._ticker(self._instruments[native])).decode()]
        elif channel == "trade":
            parts = [_trades(body, at)]
        else:
            parts = _levels(body, at)
        tail = f'"{_channel_name(topic)}","{self._instruments[native].wsname}"'
        return f'[{self._channel_id(topic)},{",".join(parts)},{tail}]'.encode()

    def _ticker(self, each: Instrument) -> dict[str, Any]:
        """Return the figures of REST; whole lots are numbers here, the first price is two."""
        row = self._public.ticker_row(each)
        for side in "ab":
            row[side] = [row[side][0], int(row[side][1]), row[side][2]]
        return row | {"o": [row["o"], row["o"]]}

    def _channel_id(self, topic: Topic) -> int:
        names = list(self._instruments)
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
