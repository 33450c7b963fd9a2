"""Public streams of v2: a snapshot, then changes, each with the CRC32 of the top ten.

Subscribers see ``depth`` levels per side: a level that falls out is never deleted by message,
one that comes in is sent like a change.  Source: shared/venues/kraken.md, 2026-11-21.
"""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import orjson

from ops.sim.book import ASK, BID, Change, Touch
from ops.sim.day import Deal, average
from ops.sim.exchange.exchange import Exchange
from ops.sim.face import Outlet, Session, Topic, Update, iso
from ops.sim.faces.kraken import catalogue
from ops.sim.faces.kraken.instruments import Instrument
from ops.sim.faces.kraken.tape import Tape
from ops.sim.faces.kraken.v1 import V1
from ops.sim.faces.kraken.views import Edges, Views, edges
from ops.sim.floor import Floor
from ops.sim.listing import Line

DEPTHS: Final = (10, 25, 100, 500, 1000)
CHECKSUM_DEPTH: Final = 10
PUBLIC: Final = ("book", "trade", "ticker")
TRIGGERS: Final = ("trades", "bbo")
SNAP_TRADES_MAX: Final = 50


class Stream:
    """Everything public that is pushed."""

    def __init__(
        self, floor: Floor, outlet: Outlet, lines: Mapping[str, Line],
        instruments: Mapping[str, Instrument],
    ) -> None:
        self.lines, self._outlet, self._floor = lines, outlet, floor
        self._instruments = instruments
        self._views = Views()
        self._topics = {native: [(depth, (f"book:{depth}", native)) for depth in DEPTHS]
                        for native in lines}
        self._sums: dict[str, tuple[Edges, int]] = {}  # checksums, and how deep they reach
        self._touch = {native: line.book.touch() for native, line in lines.items()}
        self.tapes = {native: Tape(line, floor) for native, line in lines.items()}
        self.v1 = V1(floor, outlet, instruments, self.tapes)

    # --- subscriptions -------------------------------------------------------------------------

    def problem(self, fields: Mapping[str, Any]) -> str | None:
        """Return what is wrong with the options of a subscription."""
        depth = fields.get("depth", 10)
        if fields["channel"] == "book" and (type(depth) is not int or depth not in DEPTHS):
            return "Subscription depth not supported"
        if fields["channel"] == "ticker" and fields.get("event_trigger", "bbo") not in TRIGGERS:
            return "Event trigger not supported"
        return None

    def topic(self, fields: Mapping[str, Any], native: str) -> Topic:
        """Return what a subscription listens to."""
        channel = fields["channel"]
        if channel == "book":
            return f"book:{fields.get('depth', 10)}", native
        every_trade = fields.get("event_trigger", "trades") == "trades"
        if channel == "ticker" and every_trade and not self.lines[native].recorded:
            return "ticker:trades", native  # a recording has but one kind
        return channel, native

    def acknowledged(self, fields: Mapping[str, Any], *, subscribed: bool) -> dict[str, Any]:
        """Return the ``result`` of a subscription, without its symbol."""
        channel = fields["channel"]
        result: dict[str, Any] = {"channel": channel}
        if channel == "book":
            result["depth"] = fields.get("depth", 10)
        if subscribed:
            result["snapshot"] = fields.get("snapshot", channel != "trade") is True
        if channel == "ticker":
            result["event_trigger"] = fields.get("event_trigger", "trades")
        return result

    def send_first(self, session: Session, topic: Topic, line: Line) -> None:
        """Send what a subscription begins with."""
        channel, _, depth = topic[0].partition(":")
        if channel == "book":
            self._views.join(topic, line, int(depth))
            session.push(topic, self.snapshot(line, int(depth)))
        elif channel == "ticker":
            session.push(topic, self._ticker(line, line.book.touch(), "snapshot"))
        else:
            deals = self.tapes[line.native].day.latest(SNAP_TRADES_MAX)
            session.push(topic, self._trades(line, deals, "snapshot"))

    # --- instruments ---------------------------------------------------------------------------

    def instruments(self, kind: str, pairs: Iterable[Instrument] | None = None) -> bytes:
        """Return a message of the instrument channel, by default of all there is."""
        exchange: Exchange = self._floor.exchange
        data = catalogue.instruments(
            self._instruments.values() if pairs is None else pairs,
            sorted(exchange.assets) if pairs is None else ())
        return orjson.dumps({"channel": "instrument", "type": kind, "data": data})

    def relisted(self, line: Line) -> None:
        """Tell of a pair's new limits or status."""
        topic = ("instrument", "")
        if self._outlet.wanted(topic):
            self._outlet.publish(
                topic, self.instruments("update", [self._instruments[line.native]]))

    # --- market --------------------------------------------------------------------------------

    def update(self, line: Line, update: Update) -> None:
        """Send the ticker if the touch moved, the prints, and the changes to each depth."""
        native, tape = line.native, self.tapes[line.native]
        deals = [tape.traded(each) for each in update.prints]
        moved = (touch := line.book.touch()) != self._touch[native]
        if moved:
            self._touch[native] = touch
            tape.quoted(touch.bid, touch.ask)
            if self._outlet.wanted(("ticker", native)):
                self._outlet.publish(("ticker", native), self._ticker(line, touch, "update"))
        if deals:
            if self._outlet.wanted(("ticker:trades", native)):
                self._outlet.publish(
                    ("ticker:trades", native), self._ticker(line, touch, "update"))
            if self._outlet.wanted(("trade", native)):
                for deal in deals:
                    self._outlet.publish(
                        ("trade", native), self._trades(line, [deal], "update"))
        if known := self._sums.get(native):
            (bid, ask), _ = known
            for side, price, _ in update.changes:
                if price >= bid if side == BID else price <= ask:
                    del self._sums[native]
                    break
        for depth, topic in self._topics[native]:
            if self._outlet.wanted(topic):
                self._to_depth(line, topic, depth, update.changes)
            else:
                self._views.drop(topic)
        self.v1.update(line, update, deals, moved=moved)

    def _to_depth(self, line: Line, topic: Topic, depth: int, changes: Sequence[Change]) -> None:
        """Send what subscribers of one depth must apply; nothing if they see no difference."""
        bids, asks = self._views.rows(topic, line, depth, changes)
        if bids or asks:
            self._outlet.publish(topic, self._book(line, "update", bids, asks))

    def snapshot(self, line: Line, depth: int) -> bytes:
        """Return the first message of a book subscription."""
        return self._book(line, "snapshot", line.book.top(BID, depth), line.book.top(ASK, depth))

    def restart(self, line: Line) -> None:
        """Send a snapshot to the subscribers of every depth."""
        self._sums.pop(line.native, None)
        for depth, topic in self._topics[line.native]:
            if self._outlet.wanted(topic):
                self._views.begin(topic, line, depth)
                self._outlet.publish(topic, self.snapshot(line, depth))
        self.v1.restart(line)

    def _book(
        self, line: Line, kind: str, bids: Iterable[tuple[int, int]],
        asks: Iterable[tuple[int, int]],
    ) -> bytes:
        return (
            f'{{"channel":"book","type":"{kind}","data":[{{"symbol":"{line.native}",'
            f'"bids":[{_levels(line, bids)}],"asks":[{_levels(line, asks)}],'
            f'"checksum":{self._sum(line)},"timestamp":"{iso(self._floor.now_ns())}"}}]}}'
        ).encode()

    def _sum(self, line: Line) -> int:
        """Return the checksum of the book as it stands; most changes are too deep to move it."""
        known = self._sums.get(line.native)
        if known is None:
            known = self._sums[line.native] = edges(line, CHECKSUM_DEPTH), checksum(line)
        return known[1]

    def _trades(self, line: Line, deals: Sequence[Deal], kind: str) -> bytes:
        rows = ",".join(
            f'{{"symbol":"{line.native}","side":"{"buy" if each.taker_buys else "sell"}",'
            f'"price":{line.price(each.price)},"qty":{line.size(each.size)},'
            f'"ord_type":"market","trade_id":{each.trade_id},"timestamp":"{iso(each.unix_ns)}"}}'
            for each in deals)
        return f'{{"channel":"trade","type":"{kind}","data":[{rows}]}}'.encode()

    def _ticker(self, line: Line, touch: Touch, kind: str) -> bytes:
        now_ns = self._floor.now_ns()
        day = self.tapes[line.native].day.figures(now_ns)
        change = day.last - day.open
        percent = change * 10_000 // day.open if day.open else 0
        return (
            f'{{"channel":"ticker","type":"{kind}","data":[{{"symbol":"{line.native}",'
            f'"bid":{line.price(touch.bid)},"bid_qty":{line.size(touch.bid_size)},'
            f'"ask":{line.price(touch.ask)},"ask_qty":{line.size(touch.ask_size)},'
            f'"last":{line.price(day.last)},"volume":{line.size(day.volume)},'
            f'"vwap":{line.price(average(day))},"low":{line.price(day.low)},'
            f'"high":{line.price(day.high)},"change":{line.price(change)},'
            f'"change_pct":{percent / 100:.2f},"timestamp":"{iso(now_ns)}"}}]}}'
        ).encode()


def checksum(line: Line) -> int:
    """Return the unsigned CRC32 of the top ten, asks first, digits without point and zeros.

    Those are the quanta themselves: wire numbers of this venue have all decimals of the line.
    """
    text = "".join(
        f"{price}{size}"
        for side in (ASK, BID) for price, size in line.book.top(side, CHECKSUM_DEPTH))
    return zlib.crc32(text.encode())


def _levels(line: Line, levels: Iterable[tuple[int, int]]) -> str:
    prices, written = line.prices, line.size
    return ",".join([
        f'{{"price":{prices[price]},"qty":{written(size)}}}' for price, size in levels
    ])
