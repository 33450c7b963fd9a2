"""Binance USD-M: a listen key names the user stream; funding is read from the income history.

Orders are answered at once (ACK); their fills come by the stream, which alone has fees.  The
listen key lives 60 min and is renewed every 30; with one that expired the connection ends too.
A countdown per contract cancels its orders unless it is set again.
Source: shared/venues/binance.md, 2026-11-21; developers.binance.com/docs/derivatives/
usds-margined-futures (trade, account, user-data-streams, websocket-api-general-info).
"""

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote

import msgspec

from engine.model.errors import DecodeError
from exec.core import ports as p
from exec.gateways.codec import ORDERS, USER, Answer, Listing, Outcome, Request
from exec.signing.binance import BinanceSigner
from exec.venues.binance import questions as q
from exec.venues.binance import rows
from exec.venues.binance.inquiry import ROWS_MAX, Shape
from exec.venues.binance.market import SUBSCRIBE, WINDOW_MS, BinanceCodec, Manner
from exec.venues.binance.numbers import MS_NS, quanta, read, shown
from exec.venues.binance.refusals import Failure
from exec.venues.binance.reports import QUERY, STREAM

PRIVATE: Final = "/private/ws"
KEY_PATH: Final = "/fapi/v1/listenKey"
NO_SUCH_KEY: Final = -1125
RENEW_NS: Final = 30 * 60 * 10**9
AGAIN_NS: Final = 10 * 10**9  # after a request for a key that was not answered
WEEK_MS: Final = 7 * 86_400_000
OVERLAP_MS: Final = 60_000  # income is asked for again from so long before
BY_TRADES: Final = frozenset({"REALIZED_PNL", "COMMISSION"})  # booked with the trades themselves
KINDS: Final = {"FUNDING_FEE": "funding", "INSURANCE_CLEAR": "insurance"}
BY_ORDERS: Final = "ORDER"  # an ACCOUNT_UPDATE for no other reason than trades


class BinanceUsdm(BinanceCodec):
    """One account at USD-M, in one-way mode."""

    orders_path = "/ws-fapi/v1"
    time_path = "/fapi/v1/time"
    rest_weight_per_s = 20.0  # of 2400 a minute, which market data and orders share
    rest_weight_burst = 400
    shape = Shape(
        root="/fapi/v1", trades="userTrades", read_trades=rows.usdm_trades, span_ms=WEEK_MS,
        weights={"order": 1, "openOrders": 1, "openOrders of all": 40, "allOrders": 5,
                 "userTrades": 5, "trades of one": 5, "balance": 5, "positionRisk": 5,
                 "income": 30, "countdown": 10})
    manner = Manner(
        reply="ACK", post_only=("LIMIT", "GTX"), place_weight=1, cancel_all="allOpenOrders",
        login="v2/account.balance",
        limits={"x-mbx-used-weight-1m": 2400, "x-mbx-order-count-10s": 300,
                "x-mbx-order-count-1m": 1200})

    def __init__(
        self, venue: str, signer: BinanceSigner, listings: Sequence[Listing], *,
        window_ms: int = WINDOW_MS,
    ) -> None:
        """Take the account's key; see BinanceCodec."""
        super().__init__(venue, signer, listings, window_ms=window_ms)
        self._listen_key = ""
        self._renew_ns = 0  # Unix
        self._asked |= {
            q.Positions: self._positions, q.Incomes: self._incomes, q.Key: self._keyed}

    # --- the listen key ------------------------------------------------------------------------

    def _listen(self, now_unix_ns: int) -> Sequence[Request]:
        key = self._wire.keyed(q.Key, "POST", KEY_PATH, "login")
        return [key, self._which_streams()]

    def _which_streams(self) -> Request:
        """Ask a connection for its streams: the listing shows whether our key is heard."""
        number = self._number(SUBSCRIBE)
        text = msgspec.json.encode({"method": "LIST_SUBSCRIPTIONS", "id": number})
        return Request(channel=USER, purpose="subscribe", id=number, text=text)

    def keep(self, now_unix_ns: int) -> Sequence[Request]:
        """Renew the listen key when half of its life is over."""
        if not self._listen_key or now_unix_ns < self._renew_ns:
            return ()
        self._renew_ns = now_unix_ns + AGAIN_NS
        return [self._wire.keyed(q.Key, "PUT", KEY_PATH, "keep")]

    def _keyed(
        self, request: q.Key, answer: Answer, failure: Failure | None, asked_unix_ns: int
    ) -> Outcome:
        """Take a listen key, or its longer life.

        Where there is no such key any more, nobody speaks to us: the connection is asked for its
        streams, and what it lists will not do.
        """
        if failure is None:
            self._renew_ns = asked_unix_ns + RENEW_NS
            if request.method == "POST":
                self._listen_key = read(rows.LISTEN_KEY, answer.body).key
                self.user_path = f"{PRIVATE}/{quote(self._listen_key, safe='')}"
        elif request.method == "PUT" and failure.code == NO_SUCH_KEY:
            self._listen_key = ""
            return Outcome(requests=[self._which_streams()])
        return Outcome()

    # --- frames --------------------------------------------------------------------------------

    def frame(self, channel: str, text: bytes, now_unix_ns: int) -> Outcome:
        """Return what a text of either connection means."""
        if channel == ORDERS:
            return super().frame(channel, text, now_unix_ns)
        frame = read(rows.STREAM_FRAME, text)
        if bytes(frame.data):
            return self._event(frame.data, now_unix_ns)
        if frame.kind:
            return self._event(text, now_unix_ns)
        number = frame.id if isinstance(frame.id, str) else ""
        if not number.startswith(SUBSCRIBE):
            raise DecodeError(f"{shown(repr(text[:200]))} is neither event nor answer")
        if frame.code or not self._heard(frame.result):
            why = f"the user stream does not carry our listen key: {shown(frame.msg)}"
            return Outcome(reports=[p.Ready(self.venue, why)], answers=number)
        return Outcome(answers=number, live=[USER])

    def _heard(self, result: bytes | Any) -> bool:
        """Return whether a stream lists our key."""
        names = read(rows.NAMES, result)
        return bool(self._listen_key) and any(
            name.partition("@")[0] == self._listen_key for name in names)

    def _opened(
        self, number: str, failure: Failure | None, spent: Sequence[p.Report]
    ) -> Outcome:
        if failure is None:
            return Outcome(reports=spent, answers=number, live=[ORDERS])
        return Outcome(reports=[*spent, *self._unready(failure)], answers=number)

    def _event(self, text: bytes | Any, now_unix_ns: int) -> Outcome:
        """Return what an event means; TRADE_LITE lacks the fee and is left aside, as are others."""
        kind = read(rows.KIND, text).kind
        if kind == "ORDER_TRADE_UPDATE":
            return Outcome(reports=self._reports.execution(read(rows.ORDER_UPDATE, text).order))
        if kind == "ACCOUNT_UPDATE":
            return self._account_update(read(rows.ACCOUNT_UPDATE, text), now_unix_ns)
        if kind == "listenKeyExpired":
            self._listen_key = ""
            return Outcome(reports=[p.Ready(self.venue, "the listen key expired")])
        return Outcome()

    def _account_update(self, row: rows.AccountUpdate, now_unix_ns: int) -> Outcome:
        """Tell positions and wallets; money that no trade moved is looked up first by its number.

        Its new balance is left to the next survey, which comes after the money is booked.
        """
        held: list[p.Report] = [
            self._holding(each.symbol, each.size, STREAM) for each in row.change.positions
            if each.symbol in self._reports.listings]
        if row.change.why != BY_ORDERS:
            since_ms = max(0, row.time_ms - OVERLAP_MS)
            return Outcome(reports=held, requests=[self._income(since_ms, 1, now_unix_ns)])
        wallets = [p.Balance(self.venue, each.asset, each.wallet, "0", STREAM)
                   for each in row.change.wallets]
        return Outcome(reports=[*held, *wallets])

    # --- what the account holds ----------------------------------------------------------------

    def _holdings(self, since_unix_ns: int, now_unix_ns: int) -> Sequence[Request]:
        def get(kind: Any, name: str) -> Any:
            return self._wire.rest(kind, "GET", f"/fapi/v3/{name}", "", now_unix_ns,
                                   purpose="survey", weight=self.shape.weights[name])

        return [self._income(since_unix_ns // MS_NS, 1, now_unix_ns), get(q.Money, "balance"),
                get(q.Positions, "positionRisk")]

    def _money(
        self, request: Request, answer: Answer, failure: Failure | None, asked_unix_ns: int
    ) -> Outcome:
        """Tell wallets: what was paid in, earned and paid for, without open profit."""
        if failure is not None:
            return self._inquiry.lost(request, failure)
        return Outcome(reports=[
            p.Balance(self.venue, row.asset, row.wallet, "0", QUERY)
            for row in read(rows.USDM_BALANCES, answer.body)])

    def _positions(
        self, request: Request, answer: Answer, failure: Failure | None, asked_unix_ns: int
    ) -> Outcome:
        """Tell positions; a contract that is not among them has none."""
        if failure is not None:
            return self._inquiry.lost(request, failure)
        found = {row.symbol: row.size for row in read(rows.POSITIONS, answer.body)}
        return Outcome(reports=[
            self._holding(native, found.get(native, "0"), QUERY)
            for native in self._reports.listings])

    def _holding(self, native: str, size: str, source: str) -> p.Holding:
        listing = self._reports.listings[native]
        return p.Holding(self.venue, listing.symbol, quanta(size, listing.size_decimals), source)

    def _income(
        self, start_ms: int, page: int, now_unix_ns: int, end_ms: int = 0
    ) -> Request:
        end_ms = end_ms or start_ms + WEEK_MS - 1
        fields = f"&startTime={start_ms}&endTime={end_ms}&page={page}&limit={ROWS_MAX}"
        return self._wire.rest(
            q.Incomes, "GET", f"{self.shape.root}/income", fields, now_unix_ns, purpose="survey",
            weight=self.shape.weights["income"], start_ms=start_ms, end_ms=end_ms, page=page)

    def _incomes(
        self, request: q.Incomes, answer: Answer, failure: Failure | None, asked_unix_ns: int
    ) -> Outcome:
        """Tell money that no trade moved; a number is unique within its kind."""
        if failure is not None:
            return self._inquiry.lost(request, failure)
        page, following = read(rows.INCOMES, answer.body), list[Request]()
        if len(page) >= ROWS_MAX:
            following.append(self._income(
                request.start_ms, request.page + 1, asked_unix_ns, request.end_ms))
        elif request.end_ms < asked_unix_ns // MS_NS:
            following.append(self._income(request.end_ms + 1, 1, asked_unix_ns))
        return Outcome(requests=following, reports=[
            p.Moved(self.venue, row.asset, row.income, _kind(row), f"{row.kind}:{row.number}",
                    row.time_ms * MS_NS)
            for row in page if row.kind not in BY_TRADES])

    def _ends(self, body: bytes) -> list[p.Report]:
        """Tell nothing: the answer names no order, the stream does."""
        return []

    # --- the dead-man switch -------------------------------------------------------------------

    def arm(self, timeout_ms: int, now_unix_ns: int) -> Sequence[Request]:
        """Return what sets or renews the countdown of every contract; 0 disarms it."""
        return [self._wire.rest(
            Request, "POST", f"{self.shape.root}/countdownCancelAll",
            f"&symbol={quote(native, safe='')}&countdownTime={timeout_ms}", now_unix_ns,
            purpose="arm", weight=self.shape.weights["countdown"])
            for native in self._reports.listings]


def _kind(row: rows.Income) -> str:
    if row.kind == "TRANSFER":
        return "withdrawal" if row.income.startswith("-") else "deposit"
    return KINDS.get(row.kind, row.kind.lower())
