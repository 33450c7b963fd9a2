"""What Binance spot and USD-M share: order entry over the WebSocket API, cancels, questions.

The id of a frame says what it asked for and for which order, so an answer explains itself:
p-<client id>, c-<number>-<client id>, l-<number> (log on), u-<number> (user stream).
Source: shared/venues/binance.md, 2026-11-21.
"""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from engine.model.errors import DecodeError
from exec.core import ports as p
from exec.gateways.codec import ORDERS, Answer, Codec, Listing, Outcome, Request
from exec.records import Intended
from exec.signing.binance import BinanceSigner
from exec.venues.binance import questions as q
from exec.venues.binance import refusals, rows
from exec.venues.binance.budget import Budgets
from exec.venues.binance.entry import PLACE, Entry
from exec.venues.binance.inquiry import Inquiry, Shape
from exec.venues.binance.numbers import MS_NS, read, unix_ns
from exec.venues.binance.reports import Reports
from exec.venues.binance.wire import Value, Wire

CANCEL, LOGIN, SUBSCRIBE = "c-", "l-", "u-"
WINDOW_MS: Final = 5_000


class Manner(NamedTuple):
    """How one market takes orders."""

    reply: str  # newOrderRespType
    post_only: tuple[str, str]  # type, timeInForce
    place_weight: int
    cancel_all: str  # path of what cancels a symbol's orders
    login: str  # method that proves a key which cannot log on
    limits: Mapping[str, int]  # by header


class BinanceCodec(Codec):
    """One account at one market of Binance."""

    shape: Shape
    manner: Manner

    def __init__(
        self, venue: str, signer: BinanceSigner, listings: Sequence[Listing], *,
        window_ms: int = WINDOW_MS,
    ) -> None:
        """``window_ms`` is the recvWindow of all but orders, which have their own deadline."""
        self.venue = venue
        manner = self.manner
        self._wire, self._reports = Wire(signer, window_ms), Reports(venue, listings)
        self._entry = Entry(
            self._wire, listings, f"{self.shape.root}/order", manner.reply, manner.post_only,
            weight=manner.place_weight)
        self._inquiry = Inquiry(self._wire, self._reports, self.shape)
        self._budgets = Budgets(venue, manner.limits)
        self._natives = {each.symbol: each.native for each in listings}
        self._numbers = count(1)
        ask = self._inquiry
        self._asked: dict[type[Request], Callable[[Any, Answer, Any, int], Outcome]] = {
            q.Fate: ask.fate, q.FillsOf: ask.fills, q.StillOpen: ask.still_open,
            q.Among: ask.among, q.Trades: ask.trades, q.NamesOf: ask.names,
            q.OpenOrders: lambda _, answer, failure, __: ask.listing(answer, failure),
            q.Strays: self._strays, q.Money: self._money,
        }

    def clock(self, body: bytes) -> tuple[int, int]:
        """Return the venue's Unix time in an answer of ``time_path``, and its resolution, in ns."""
        return unix_ns(read(rows.SERVER_TIME, body).time_ms), MS_NS

    # --- opening -------------------------------------------------------------------------------

    def opening(self, channel: str, now_unix_ns: int) -> Sequence[Request]:
        """Return what must be said first; a Ready of a frame stands until a channel is live again.

        An Ed25519 key logs on; any other proves itself by a signed question, whose answer shows
        that key, signature and clock are good.
        """
        if channel != ORDERS:
            return self._listen(now_unix_ns)
        number, wire = self._number(LOGIN), self._wire
        method = "session.logon" if wire.signer.ed25519 else self.manner.login
        text = wire.signed(number, method, self._stamped(now_unix_ns))
        return [Request(channel=ORDERS, purpose="login", id=number, text=text, weight=20)]

    @abstractmethod
    def _listen(self, now_unix_ns: int) -> Sequence[Request]:
        """Return what opens the user stream."""

    # --- orders --------------------------------------------------------------------------------

    def place(self, order: Intended, now_unix_ns: int, *, rest: bool) -> Request:
        """Return the request that places an order; the venue refuses it after its deadline."""
        return self._entry.place(order, now_unix_ns, rest=rest)

    def cancel(
        self, order: Intended, venue_order: str, now_unix_ns: int, *, rest: bool
    ) -> Request:
        """Return the request that cancels it, by the venue's id where it is known."""
        native, name = self._natives[order.symbol], order.client_id
        by, value = ("orderId", venue_order) if venue_order else ("origClientOrderId", name)
        if rest:
            fields = f"&symbol={quote(native, safe='')}&{by}={quote(value, safe='')}"
            return self._wire.rest(Request, "DELETE", f"{self.shape.root}/order", fields,
                                   now_unix_ns, purpose="cancel", client_id=name)
        number = f"{self._number(CANCEL)}-{name}"
        values = {"symbol": native, by: int(value) if venue_order else value}
        text = self._wire.session(number, "order.cancel", values | self._stamped(now_unix_ns))
        return Request(channel=ORDERS, purpose="cancel", client_id=name, id=number, text=text)

    def cancel_all(self, now_unix_ns: int) -> Sequence[Request]:
        """Return what cancels everything: symbol by symbol, then whatever else turns out to rest.

        By REST: it does not need a connection that may be the reason for all this.
        """
        strays = self._wire.rest(
            q.Strays, "GET", f"{self.shape.root}/openOrders", "", now_unix_ns,
            purpose="cancel_all", weight=self.shape.weights["openOrders of all"])
        return [*(self._cancel_symbol(native, now_unix_ns) for native in self._reports.listings),
                strays]

    def _cancel_symbol(self, native: str, now_unix_ns: int) -> Request:
        return self._wire.rest(
            Request, "DELETE", f"{self.shape.root}/{self.manner.cancel_all}",
            f"&symbol={quote(native, safe='')}", now_unix_ns, purpose="cancel_all")

    # --- questions -----------------------------------------------------------------------------

    def query(self, order: Intended, venue_order: str, now_unix_ns: int) -> Sequence[Request]:
        """Return the first question about an order; the others follow from its answer."""
        return [self._inquiry.query(order, venue_order, now_unix_ns)]

    def survey(self, since_unix_ns: int, now_unix_ns: int) -> Sequence[Request]:
        """Return what brings fills since, open orders, balances and positions."""
        return [*self._inquiry.trades_since(since_unix_ns, now_unix_ns),
                self._inquiry.open_orders(now_unix_ns),
                *self._holdings(since_unix_ns, now_unix_ns)]

    @abstractmethod
    def _holdings(self, since_unix_ns: int, now_unix_ns: int) -> Sequence[Request]:
        """Return what brings money, positions, and the money that moved."""

    # --- what comes over the WebSocket API -----------------------------------------------------

    def frame(self, channel: str, text: bytes, now_unix_ns: int) -> Outcome:
        """Return what a text means."""
        frame = read(rows.FRAME, text)
        if bytes(frame.event):
            return self._event(frame.event, now_unix_ns)
        failure = None if frame.status == 200 else refusals.of_frame(
            frame.status, frame.error, now_unix_ns)
        spent = [*self._budgets.of_rates(frame.rates), *self._barred(failure)]
        number = frame.id if isinstance(frame.id, str) else ""
        if number.startswith(PLACE):
            reports = self._placed(number.removeprefix(PLACE), frame.result, failure)
        elif number.startswith(CANCEL):
            client_id = number.removeprefix(CANCEL).partition("-")[2]
            reports = self._cancelled(client_id, frame.result, failure)
        elif number.startswith((LOGIN, SUBSCRIBE)):
            return self._opened(number, failure, spent)
        elif frame.id is None and failure is not None:  # about the connection itself
            return Outcome(reports=[*spent, *self._unready(failure)])
        else:
            raise DecodeError(f"an answer to {frame.id!r}, which was never asked")
        return Outcome(reports=[*reports, *spent], answers=number)

    @abstractmethod
    def _event(self, text: bytes | Any, now_unix_ns: int) -> Outcome:
        """Return what an event of the user stream means."""

    @abstractmethod
    def _opened(
        self, number: str, failure: refusals.Failure | None, spent: Sequence[p.Report]
    ) -> Outcome:
        """Return what the answer to a log-on or subscription means."""

    # --- what comes over REST ------------------------------------------------------------------

    def answer(self, request: Request, answer: Answer, asked_unix_ns: int) -> Outcome:
        """Return what a REST answer means; one to an order that cannot be read is Lost."""
        failure = refusals.of_answer(answer)
        spent = [*self._budgets.of_headers(answer.headers), *self._barred(failure)]
        understand = self._asked.get(type(request))
        if understand is not None:
            found = understand(request, answer, failure, asked_unix_ns)
        elif request.purpose in ("place", "cancel"):
            act = self._placed if request.purpose == "place" else self._cancelled
            try:
                found = Outcome(reports=act(request.client_id, answer.body, failure))
            except DecodeError as error:
                found = Outcome(reports=[p.Lost(
                    self.venue, request.client_id, request.purpose, str(error))])
        elif request.purpose == "cancel_all":
            found = self._symbol_cancelled(request, answer, failure)
        elif failure is not None:
            found = self._inquiry.lost(request, failure)
        else:
            found = Outcome()
        return Outcome(reports=[*found.reports, *spent], requests=found.requests,
                       live=found.live)

    def _placed(
        self, client_id: str, text: bytes | Any, failure: refusals.Failure | None
    ) -> list[p.Report]:
        if failure is None:
            return self._reports.placed(read(rows.PLACED, text), client_id)
        if failure.leaves_open:
            return [p.Lost(self.venue, client_id, "place", failure.words)]
        return [p.Denied(self.venue, client_id, str(failure.code or failure.status), failure.text,
                         failure.business)]

    def _cancelled(
        self, client_id: str, text: bytes | Any, failure: refusals.Failure | None
    ) -> list[p.Report]:
        if failure is None:
            return self._reports.cancelled(read(rows.CANCELLED, text), client_id)
        if failure.leaves_open:
            return [p.Lost(self.venue, client_id, "cancel", failure.words)]
        return [p.CancelDenied(
            self.venue, client_id, str(failure.code or failure.status), failure.text)]

    def _symbol_cancelled(
        self, request: Request, answer: Answer, failure: refusals.Failure | None
    ) -> Outcome:
        if failure is None:
            return Outcome(reports=self._ends(answer.body))
        if failure.code == refusals.CANCEL_REJECTED:  # nothing was open
            return Outcome()
        return self._inquiry.lost(request, failure)

    @abstractmethod
    def _ends(self, body: bytes) -> list[p.Report]:
        """Return what the answer to cancelling a symbol's orders tells."""

    def _strays(
        self, request: Request, answer: Answer, failure: refusals.Failure | None,
        asked_unix_ns: int,
    ) -> Outcome:
        if failure is not None:
            return self._inquiry.lost(request, failure)
        found = {row.symbol for row in read(rows.ORDERS, answer.body)}
        return Outcome(requests=[self._cancel_symbol(native, asked_unix_ns)
                                 for native in sorted(found - self._reports.listings.keys())])

    @abstractmethod
    def _money(
        self, request: Request, answer: Answer, failure: refusals.Failure | None,
        asked_unix_ns: int,
    ) -> Outcome:
        """Return what the account holds."""

    # --- parts ---------------------------------------------------------------------------------

    def _barred(self, failure: refusals.Failure | None) -> list[p.Budget]:
        return [] if failure is None else self._budgets.barred(failure.barred_ns)

    def _unready(self, failure: refusals.Failure) -> list[p.Ready]:
        """Return that a connection is not let in; nothing where we only came too often."""
        if failure.too_many:
            return []
        return [p.Ready(self.venue, f"the venue refuses us: {failure.words}")]

    def _number(self, what: str) -> str:
        return f"{what}{next(self._numbers)}"

    def _stamped(self, now_unix_ns: int) -> dict[str, Value]:
        return {"timestamp": now_unix_ns // MS_NS, "recvWindow": self._wire.window_ms}
