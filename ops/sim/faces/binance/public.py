"""The public side of Binance's markets: streams, depth, catalogue.

Source: shared/venues/binance.md, 2026-11-21.

Diffs carry every change since the last diff: U..u on spot, and on USD-M pu as the link, where
ids are shared by all symbols and leave holes.  bookTicker runs ahead of the diffs.  An unknown
or upper-case stream is acknowledged and stays silent, as the venue does.
"""

from collections.abc import Iterable, Sequence
from random import Random
from typing import Final, NamedTuple

import orjson

from engine.model.clock import Clock
from ops.sim.book import ASK, BID, Touch
from ops.sim.face import (
    BUY,
    Answer,
    Face,
    Outlet,
    Print,
    Query,
    Session,
    Topic,
    Update,
    count,
    json_object,
    strings,
    to_json,
)
from ops.sim.faces.binance.catalogue import catalogue_row
from ops.sim.floor import Floor
from ops.sim.listing import Line

FIRST_ID: Final = 50_000_000_000
HOLE_MAX: Final = 90  # USD-M: ids that other symbols took in between
KINDS: Final = {"depth", "bookTicker", "trade", "aggTrade"}
METHODS: Final = (
    "`SUBSCRIBE`, `UNSUBSCRIBE`, `LIST_SUBSCRIPTIONS`, `SET_PROPERTY`, `GET_PROPERTY`"
)
MARKET_ONLY: Final = {"aggTrade", "trade"}  # on USD-M these live below /market, the rest /public
Pending = tuple[dict[int, int], dict[int, int]]  # changed levels of bids and asks
DEPTH_LIMITS: Final = (5, 10, 20, 50, 100, 500, 1000)


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
    requests_per_s = 5
    perpetual = False
    prefix = "/api/v3"
    depth_max = 5000

    def __init__(
        self, lines: Sequence[Line], outlet: Outlet, clock: Clock, floor: Floor
    ) -> None:
        super().__init__(lines, outlet, clock, floor)
        for number, line in enumerate(lines):
            line.last_id = line.last_id or FIRST_ID + number * 1_000_003
        self._state = {line.native: _State(line, line.book.touch()) for line in lines}
        self._used_weight = 0

    # --- streams ---------------------------------------------------------------------------

    def opened(self, session: Session) -> None:
        """Subscribe what the url names: /ws/a@depth/b@trade or /stream?streams=a@depth/b@trade."""
        _, raw, names = session.path.rpartition("/ws/")
        session.combined = not (raw or session.path.endswith("/ws"))
        names = names if raw else ""
        if session.query.startswith("streams="):
            names = session.query.removeprefix("streams=").partition("&")[0]
        self._subscribe(session, [name for name in names.split("/") if name])

    def _subscribe(self, session: Session, names: Sequence[str]) -> None:
        for name in names:
            if topic := self.topic(name, session.path):
                session.subscribe(topic, name)

    def topic(self, name: str, path: str) -> Topic | None:
        """Return the topic of a stream name; None for one that stays silent."""
        symbol, _, stream = name.partition("@")
        kind = stream.partition("@")[0]
        listed = symbol == symbol.lower() and symbol.upper() in self.lines
        if kind not in KINDS or not listed:
            return None
        split = self.perpetual and path.startswith(("/public", "/market"))
        if split and path.startswith("/market") != (kind in MARKET_ONLY):
            return None
        return kind, symbol.upper()

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
            result = list(session.topics.values())
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

    # --- REST ------------------------------------------------------------------------------

    def rest(self, path: str, query: Query) -> Answer:
        """Serve ping, time, exchangeInfo, depth and bookTicker below the market's prefix."""
        if not path.startswith(self.prefix + "/"):
            return Answer(b"<html><body><h2>404 Not found</h2></body></html>", 404)
        self._used_weight += 1
        verb = path.removeprefix(self.prefix + "/")
        headers = {"x-mbx-used-weight-1m": str(self._used_weight)}
        if verb == "ping":
            return to_json({}, headers=headers)
        if verb == "time":
            return to_json({"serverTime": self.now_ms()}, headers=headers)
        if verb == "exchangeInfo":
            return self._catalogue(query, headers)
        if verb not in ("depth", "ticker/bookTicker"):
            return Answer(b"<html><body><h2>404 Not found</h2></body></html>", 404)
        symbol = query.get("symbol")
        if symbol is None:
            text = "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed."
            return _refused(-1102, text)
        if (line := self.lines.get(symbol)) is None:
            return _refused(-1121, "Invalid symbol.")
        if verb == "ticker/bookTicker":
            quote = orjson.loads(self._quote(line, line.book.touch()))
            names = {"bidPrice": "b", "bidQty": "B", "askPrice": "a", "askQty": "A"}
            return to_json({"symbol": symbol} | {k: quote[v] for k, v in names.items()})
        limit = count(query.get("limit"), default=100, most=self.depth_max)
        if limit is None or (self.perpetual and limit not in DEPTH_LIMITS):
            return _refused(-1130, "Data sent for parameter 'limit' is not valid.")
        return Answer(self.depth(line, limit), headers=headers)

    def depth(self, line: Line, limit: int) -> bytes:
        """Return the snapshot of a line; it includes changes that no diff has carried yet."""
        now_ms = self.now_ms()
        stamp = f'"E":{now_ms},"T":{now_ms},' if self.perpetual else ""
        bids = _levels(line, line.book.top(BID, limit))
        asks = _levels(line, line.book.top(ASK, limit))
        return (
            f'{{"lastUpdateId":{line.last_id},{stamp}"bids":[{bids}],"asks":[{asks}]}}'
        ).encode()

    def _catalogue(self, query: Query, headers: dict[str, str]) -> Answer:
        wanted: list[str] | None = list(self.lines)
        if "symbol" in query:
            wanted = [query["symbol"]]
        elif "symbols" in query:
            try:
                wanted = strings(orjson.loads(query["symbols"]))
            except orjson.JSONDecodeError:
                wanted = None
            if wanted is None:
                return _refused(-1100, "Illegal characters found in parameter 'symbols'.")
        if any(native not in self.lines for native in wanted or ()):
            return _refused(-1121, "Invalid symbol.")
        limits = [{"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1,
                   "limit": 2400 if self.perpetual else 6000}]
        return to_json({
            "timezone": "UTC", "serverTime": self.now_ms(), "rateLimits": limits,
            "exchangeFilters": [],
            "symbols": [catalogue_row(self.lines[native]) for native in wanted or ()],
        }, headers=headers)


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


def _refused(code: int, text: str) -> Answer:
    return to_json({"code": code, "msg": text}, 400)
