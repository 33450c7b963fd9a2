"""WebSocket v1, frozen but in use (cryptofeed): the public channels, on any path but v2's.

Lists instead of objects, texts instead of numbers, XBT/USD instead of BTC/USD; the checksum is
made of v1's own digits and rides in the last map of an update.  Private v1 is not served.
Source: shared/venues/kraken.md (v1 captures), 2026-11-21.
"""

import zlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from ops.sim.book import ASK, BID, Touch
from ops.sim.day import Deal
from ops.sim.face import Outlet, Session, Topic, Update, json_object, strings
from ops.sim.faces.kraken.instruments import PRICE_DECIMALS_MIN, Instrument
from ops.sim.faces.kraken.instruments import long_price as _price
from ops.sim.faces.kraken.tape import Tape
from ops.sim.faces.kraken.views import Levels, Views
from ops.sim.floor import Floor
from ops.sim.listing import Line

DEPTHS: Final = (10, 25, 100, 500, 1000)
NAMES: Final = ("book", "trade", "ticker", "spread")
EVENTS: Final = ("subscribe", "unsubscribe")
CHECKSUM_DEPTH: Final = 10
CHANNELS_PER_PAIR: Final = 16  # of the numbers that messages are labelled with
Fields = dict[str, Any]


class V1:
    """The public half of the old protocol."""

    def __init__(
        self, floor: Floor, outlet: Outlet, instruments: Mapping[str, Instrument],
        tapes: Mapping[str, Tape],
    ) -> None:
        self._floor, self._outlet, self._tapes = floor, outlet, tapes
        self._instruments = instruments
        self._by_name = {each.wsname: each for each in instruments.values()}
        self._order = {native: index for index, native in enumerate(instruments)}
        self._topics = {native: [(depth, (f"v1:book-{depth}", native)) for depth in DEPTHS]
                        for native in instruments}
        self._views = Views()

    # --- requests ------------------------------------------------------------------------------

    def opened(self, session: Session) -> None:
        """Send the status of the system."""
        session.send(orjson.dumps({
            "connectionID": session.connection_id, "event": "systemStatus", "status": "online",
            "version": "1.8.3"}))

    def text(self, session: Session, message: bytes) -> None:
        """Serve ping, subscribe and unsubscribe; one answer per pair."""
        request = json_object(message)
        if request is None:
            session.send(b'{"errorMessage":"Malformed request","event":"error"}')
            return
        number = request.get("reqid")
        tail = {"reqid": number} if type(number) is int else {}
        event, wanted = request.get("event"), request.get("subscription")
        if event == "ping":
            session.send(orjson.dumps({"event": "pong"} | tail))
            return
        if event not in EVENTS:
            session.send(orjson.dumps(
                {"errorMessage": "Unsupported event", "event": "error"} | tail))
            return
        wanted = wanted if isinstance(wanted, dict) else {}
        problem = None
        if wanted.get("name") not in NAMES:
            problem = "Subscription name invalid"
        elif type(wanted.get("depth", 10)) is not int or wanted.get("depth", 10) not in DEPTHS:
            problem = "Subscription depth not supported"
        pairs = strings(request.get("pair"))
        if not pairs:
            problem, pairs = problem or "Pair(s) not found", [""]
        for name in pairs:
            self._one(session, str(event), name, wanted, tail, problem)

    def _one(
        self, session: Session, event: str, name: str, wanted: Fields, tail: Fields,
        problem: str | None,
    ) -> None:
        """Answer for one pair, then send its first message."""
        instrument = self._by_name.get(name)
        if problem is None and instrument is None:
            problem = f"Currency pair not supported {name}"
        if problem is not None or instrument is None:
            session.send(orjson.dumps({
                "errorMessage": problem, "event": "subscriptionStatus", "pair": name,
                "status": "error"} | tail))
            return
        channel, topic = _channel(wanted), _topic(wanted, instrument.native)
        told = {"name": wanted["name"]}
        if wanted["name"] == "book":
            told = {"depth": wanted.get("depth", 10)} | told
        if event == "subscribe":
            session.subscribe(topic, channel)
        else:
            session.unsubscribe(topic)
        session.send(orjson.dumps({
            "channelID": self._number(instrument.native, channel), "channelName": channel,
            "event": "subscriptionStatus", "pair": name, "status": f"{event}d",
            "subscription": told} | tail))
        if event == "subscribe" and instrument.line.started:
            self._first(session, topic, instrument, channel)

    def _first(
        self, session: Session, topic: Topic, instrument: Instrument, channel: str
    ) -> None:
        line, name = instrument.line, channel.partition("-")[0]
        if name == "book":
            depth = int(channel.partition("-")[2])
            self._views.join(topic, line, depth)
            session.push(topic, self._snapshot(instrument, depth, channel))
        elif name == "ticker":
            session.push(topic, self._ticker(instrument, line.book.touch()))
        elif name == "spread":
            session.push(topic, self._spread(instrument, line.book.touch()))

    # --- market --------------------------------------------------------------------------------

    def update(self, line: Line, update: Update, deals: Sequence[Deal], *, moved: bool) -> None:
        """Publish what happened to a line; ``moved``: its best prices or sizes changed."""
        instrument, native = self._instruments[line.native], line.native
        for name, write in (("ticker", self._ticker), ("spread", self._spread)):
            if (moved or (deals and name == "ticker")) and self._outlet.wanted(
                    (f"v1:{name}", native)):
                self._outlet.publish(
                    (f"v1:{name}", native), write(instrument, line.book.touch()))
        if deals and self._outlet.wanted(("v1:trade", native)):
            rows = [[_price(line, deal.price), line.size(deal.size), _time(deal.unix_ns),
                     "b" if deal.taker_buys else "s", "m", ""] for deal in deals]
            self._outlet.publish(("v1:trade", native), self._frame(instrument, "trade", rows))
        for depth, topic in self._topics[native]:
            if not self._outlet.wanted(topic):
                self._views.drop(topic)
                continue
            bids, asks = self._views.rows(topic, line, depth, update.changes)
            maps: list[dict[str, Any]] = [
                {key: self._levels(line, rows)}
                for key, rows in (("a", asks), ("b", bids)) if rows]
            if maps:
                maps[-1]["c"] = str(checksum(line))
                self._outlet.publish(topic, self._frame(instrument, f"book-{depth}", *maps))

    def restart(self, line: Line) -> None:
        """Send a snapshot to the subscribers of every depth."""
        for depth in DEPTHS:
            topic = (f"v1:book-{depth}", line.native)
            if self._outlet.wanted(topic):
                self._views.begin(topic, line, depth)
                self._outlet.publish(topic, self._snapshot(
                    self._instruments[line.native], depth, f"book-{depth}"))

    # --- frames --------------------------------------------------------------------------------

    def _number(self, native: str, channel: str) -> int:
        channels = [*(f"book-{depth}" for depth in DEPTHS), *NAMES[1:]]
        return (self._order[native] + 1) * CHANNELS_PER_PAIR + channels.index(channel)

    def _frame(self, instrument: Instrument, channel: str, *body: Any) -> bytes:
        number = self._number(instrument.native, channel)
        return orjson.dumps([number, *body, channel, instrument.wsname])

    def _levels(self, line: Line, levels: Levels) -> list[list[str]]:
        now = _time(self._floor.now_ns())
        return [[_price(line, price), line.size(size), now] for price, size in levels]

    def _snapshot(self, instrument: Instrument, depth: int, channel: str) -> bytes:
        line = instrument.line
        return self._frame(instrument, channel, {
            "as": self._levels(line, line.book.top(ASK, depth)),
            "bs": self._levels(line, line.book.top(BID, depth))})

    def _ticker(self, instrument: Instrument, touch: Touch) -> bytes:
        line, day = instrument.line, self._tapes[instrument.native].summary()
        unit = int(10**line.size_decimals)
        return self._frame(instrument, "ticker", {
            "a": [_price(line, touch.ask), touch.ask_size // unit, line.size(touch.ask_size)],
            "b": [_price(line, touch.bid), touch.bid_size // unit, line.size(touch.bid_size)],
            "c": day.last, "v": day.volume, "p": day.average, "t": day.trades, "l": day.low,
            "h": day.high, "o": [day.open] * 2})

    def _spread(self, instrument: Instrument, touch: Touch) -> bytes:
        line = instrument.line
        return self._frame(instrument, "spread", [
            _price(line, touch.bid), _price(line, touch.ask), _time(self._floor.now_ns()),
            line.size(touch.bid_size), line.size(touch.ask_size)])


def checksum(line: Line) -> int:
    """Return the CRC32 of the top ten in v1's digits, asks first, without points and zeros."""
    zeros = "0" * (PRICE_DECIMALS_MIN - line.price_decimals)
    text = "".join(
        f"{price}{zeros}{size}"
        for side in (ASK, BID) for price, size in line.book.top(side, CHECKSUM_DEPTH))
    return zlib.crc32(text.encode())


def _channel(wanted: Fields) -> str:
    name = str(wanted["name"])
    return f"book-{wanted.get('depth', 10)}" if name == "book" else name


def _topic(wanted: Fields, native: str) -> Topic:
    return f"v1:{_channel(wanted)}", native


def _time(unix_ns: int) -> str:
    return f"{unix_ns // 10**9}.{unix_ns // 1000 % 10**6:06d}"
