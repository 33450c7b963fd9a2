"""The public side of Binance's markets: streams, depth, catalogue.

Source: shared/venues/binance.md, 2026-11-21.

Diffs carry every change since the last diff: U..u on spot, and on USD-M pu as the link, where
ids are shared by all symbols and leave holes.  bookTicker runs ahead of the diffs.  An unknown
or upper-case stream is acknowledged and stays silent, as the venue does.
"""

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from random import Random
from typing import Final, NamedTuple
from urllib.parse import parse_qsl, unquote

import orjson

from engine.model.clock import Clock
from ops.sim.book import ASK, BID, Touch
from ops.sim.face import (
    BUY,
    Face,
    Outlet,
    Print,
    Session,
    Topic,
    Update,
    json_object,
    strings,
)
from ops.sim.floor import Floor
from ops.sim.listing import Line

FIRST_ID: Final = 50_000_000_000
HOLE_MAX: Final = 90  # USD-M: ids that other symbols took in between
SHUTDOWN: Final = "!serverShutdown"  # sent to all, subscribed by none
METHODS: Final = (
    "`SUBSCRIBE`, `UNSUBSCRIBE`, `LIST_SUBSCRIPTIONS`, `SET_PROPERTY`, `GET_PROPERTY`"
)
Pending = tuple[dict[int, int], dict[int, int]]  # changed levels of bids and asks


class Aggregate(NamedTuple):
    """What one taker did at one price."""

    id: int
    side: int
    price: int
    size: int
    first_id: int
    last_id: int


class _State:
    """What one line's streams stand at."""

    def __init__(self, line: Line, touch: Touch) -> None:
        self.ids = Random(line.native)  # noqa: S311  not a secret
        self.pending: Pending = ({}, {})
        self.first_id = 0  # of the pending diff
        self.sent_id = line.last_id
        self.touch = touch
        self.aggregates = 0  # ids given so far


class PublicFace(Face):
    """The public side that spot and USD-M share; spot's where they differ by a constant."""

    path = "/stream"
    clocked = True
    ping_every_s = 20.0
    pong_within_s = 60.0
    requests_per_s = 5
    perpetual = False

    def __init__(
        self, lines: Sequence[Line], outlet: Outlet, clock: Clock, floor: Floor
    ) -> None:
        super().__init__(lines, outlet, clock, floor)
        for number, line in enumerate(lines):
            line.last_id = line.last_id or FIRST_ID + number * 1_000_003
        self._state = {line.native: _State(line, line.book.touch()) for line in lines}

    # --- streams ---------------------------------------------------------------------------

    def opened(self, session: Session) -> None:
        """Subscribe what the url names: /ws/a@depth/b@trade or /stream?streams=a@depth/b@trade."""
        _, raw, names = session.path.rpartition("/ws/")
        session.combined = not (raw or session.path.endswith("/ws"))
        names = dict(parse_qsl(session.query)).get("streams", unquote(names) if raw else "")
        self._subscribe(session, [name for name in names.split("/") if name])

    def _subscribe(self, session: Session, names: Sequence[str]) -> None:
        for name in names:
            if topic := self.topic(name, session.path):
                session.subscribe(topic, name)

    @abstractmethod
    def topic(self, name: str, path: str) -> Topic | None:
        """Return the topic of a stream name; None for one that stays silent."""

    def text(self, session: Session, message: bytes) -> None:
        """Serve SUBSCRIBE, UNSUBSCRIBE, LIST_SUBSCRIPTIONS and the combined property."""
        request = json_object(message)
        if request is None:
            session.send(b'{"code":3,"msg":"Invalid JSON: expected value at line 1 column 1"}')
            return
        method, request_id, params = request.get("method"), request.get("id"), request.get("params")
        names = strings(params)
        result: object = None
        if method in ("SUBSCRIBE", "UNSUBSCRIBE") and names is not None:
            if method == "SUBSCRIBE":
                self._subscribe(session, names)
            for name in names if method == "UNSUBSCRIBE" else ():
                if topic := self.topic(name, session.path):
                    session.unsubscribe(topic)
        elif method == "LIST_SUBSCRIPTIONS":
            result = [word for word in session.topics.values() if word != SHUTDOWN]
        elif method == "SET_PROPERTY" and params in (["combined", True], ["combined", False]):
            session.combined = params == ["combined", True]
        elif method == "GET_PROPERTY" and params == ["combined"]:
            result = session.combined
        else:
            text = f"Invalid request: unknown variant `{method}`, expected one of {METHODS}"
            session.send(orjson.dumps({"code": 2, "msg": text, "id": request_id}))
            return
        session.send(orjson.dumps({"result": result, "id": request_id}))

    def wrap(self, session: Session, topic: Topic, body: bytes) -> bytes:
        """Name the stream on combined connections."""
        if not session.combined:
            return body
        return b'{"stream":"%s","data":%s}' % (session.topics[topic].encode(), body)

    def recorded(self, session: Session, topic: Topic, frame: bytes) -> bytes:
        """Pass a combined frame on, or take it out of its envelope."""
        return frame if session.combined else frame[frame.index(b'"data":') + 7 : -1]

    # --- market ----------------------------------------------------------------------------

    def update(self, line: Line, update: Update) -> None:
        """Send, under new ids, the quote, prints and, when due, the diff."""
        state, changes = self._state[line.native], update.changes
        if changes:
            hole = int(state.ids.random() * HOLE_MAX) if self.perpetual else 0
            state.first_id = state.first_id or line.last_id + hole + 1
            line.last_id += hole + len(changes)
            for side, price, size in changes:
                state.pending[side][price] = size
        touch = line.book.touch()
        if touch != state.touch:
            state.touch = touch
            if self.outlet.wanted(("bookTicker", line.native)):
                self.outlet.publish(("bookTicker", line.native), self._quote(line, touch))
        if update.prints:
            self._publish_prints(line, state, update.prints)
        if update.send:
            self.batch(line)

    def _publish_prints(self, line: Line, state: _State, prints: Sequence[Print]) -> None:
        """Send each match, then what each taker did at each price."""
        if self.outlet.wanted(("trade", line.native)):
            for each in prints:
                self.outlet.publish(("trade", line.native), self._print(line, each))
        first = state.aggregates + 1
        sums = aggregated(first, prints)
        state.aggregates += len(sums)
        if self.outlet.wanted(("aggTrade", line.native)):
            for total in sums:
                self.outlet.publish(("aggTrade", line.native), self._aggregate(line, total))
        self.traded(line, prints, sums)

    def traded(
        self, line: Line, prints: Sequence[Print], sums: Sequence[Aggregate]
    ) -> None:
        """Remember prints, where a market can be asked for them."""

    def flush(self, line: Line) -> None:
        """Send all that waits."""
        self.batch(line)

    def batch(self, line: Line) -> None:
        """Send the diff of everything since the last one."""
        state = self._state[line.native]
        if not state.first_id:
            return
        if self.outlet.wanted(("depth", line.native)):
            self.outlet.publish(
                ("depth", line.native), self.diff(line, state.first_id, state.pending))
        self.batched(line, state.first_id, state.pending)
        state.sent_id, state.first_id = line.last_id, 0
        for side in (BID, ASK):
            state.pending[side].clear()

    def batched(self, line: Line, first_id: int, pending: Pending) -> None:
        """Feed streams that are slower, or of another form, than the diffs."""

    def diff(self, line: Line, first_id: int, pending: Pending) -> bytes:
        """Write the changes that came since ``first_id``."""
        now_ms = self.now_ms()
        stamp = f'"T":{now_ms - 1},' if self.perpetual else ""
        link = f'"pu":{self._state[line.native].sent_id},' if self.perpetual else ""
        bids = _levels(line, pending[BID].items())
        asks = _levels(line, pending[ASK].items())
        return (
            f'{{"e":"depthUpdate","E":{now_ms},{stamp}"s":"{line.native}","U":{first_id},'
            f'"u":{line.last_id},{link}"b":[{bids}],"a":[{asks}]}}'
        ).encode()

    def _quote(self, line: Line, touch: Touch) -> bytes:
        event, stamp = '"e":"bookTicker",', f',"T":{self.now_ms()},"E":{self.now_ms()}'
        return (
            f'{{{event if self.perpetual else ""}"u":{line.last_id},"s":"{line.native}",'
            f'"b":"{line.price(touch.bid)}","B":"{line.size(touch.bid_size)}",'
            f'"a":"{line.price(touch.ask)}","A":"{line.size(touch.ask_size)}"'
            f'{stamp if self.perpetual else ""}}}'
        ).encode()

    def _aggregate(self, line: Line, each: Aggregate) -> bytes:
        now_ms = self.now_ms()
        maker = "false" if each.side == BUY else "true"  # m: was the buyer the maker?
        tail = "" if self.perpetual else ',"M":true'
        return (
            f'{{"e":"aggTrade","E":{now_ms},"s":"{line.native}","a":{each.id},'
            f'"p":"{line.price(each.price)}","q":"{line.size(each.size)}","f":{each.first_id},'
            f'"l":{each.last_id},"T":{now_ms},"m":{maker}{tail}}}'
        ).encode()

    def _print(self, line: Line, each: Print) -> bytes:
        now_ms, trade_id = self.now_ms(), each.trade_id
        price, size = line.price(each.price), line.size(each.size)
        maker = "false" if each.side == BUY else "true"
        head = f'{{"e":"trade","E":{now_ms},'
        body = f'"s":"{line.native}","t":{trade_id},"p":"{price}","q":"{size}",'
        if self.perpetual:
            return f'{head}"T":{now_ms},{body}"X":"MARKET","m":{maker}}}'.encode()
        return f'{head}{body}"T":{now_ms},"m":{maker},"M":true}}'.encode()

    # --- books -----------------------------------------------------------------------------

    def depth(self, line: Line, limit: int) -> bytes:
        """Return the snapshot of a line; it includes changes that no diff has carried yet."""
        now_ms = self.now_ms()
        stamp = f'"E":{now_ms},"T":{now_ms},' if self.perpetual else ""
        bids = _levels(line, line.book.top(BID, limit))
        asks = _levels(line, line.book.top(ASK, limit))
        return (
            f'{{"lastUpdateId":{line.last_id},{stamp}"bids":[{bids}],"asks":[{asks}]}}'
        ).encode()


def aggregated(first_id: int, prints: Sequence[Print]) -> list[Aggregate]:
    """Sum up neighbours of one side and price; number the sums from ``first_id`` on."""
    sums: list[Aggregate] = []
    for each in prints:
        last = sums[-1] if sums else None
        if last and (last.side, last.price) == (each.side, each.price):
            sums[-1] = last._replace(size=last.size + each.size, last_id=each.trade_id)
        else:
            sums.append(Aggregate(first_id + len(sums), each.side, each.price, each.size,
                                  each.trade_id, each.trade_id))
    return sums


def _levels(line: Line, levels: Iterable[tuple[int, int]]) -> str:
    prices, written = line.prices, line.size
    return ",".join([f'["{prices[price]}","{written(size)}"]' for price, size in levels])
