"""Coinbase Advanced Trade: the face that joins its parts.

Source: shared/venues/coinbase.md, 2026-11-21.  Public REST stands below /market and needs no key;
all else needs a token for exactly this call.  The host in a token may be the venue's own,
api.coinbase.com, or the one that the request was sent to: a client may keep the real urls.
"""

from collections.abc import Callable, Sequence
from typing import Final

from engine.model.clock import Clock
from ops.sim.day import Day
from ops.sim.exchange.events import Event, Fill
from ops.sim.face import (
    Answer,
    Face,
    HttpRequest,
    Outlet,
    Query,
    Session,
    Topic,
    Update,
    to_json,
)
from ops.sim.faces.coinbase import app
from ops.sim.faces.coinbase.account import Accounts
from ops.sim.faces.coinbase.entry import Entry
from ops.sim.faces.coinbase.history import History
from ops.sim.faces.coinbase.limits import Limits, too_many
from ops.sim.faces.coinbase.market import Market
from ops.sim.faces.coinbase.preview import Preview
from ops.sim.faces.coinbase.reasons import refused
from ops.sim.faces.coinbase.stream import Stream
from ops.sim.faces.coinbase.tickets import Tickets
from ops.sim.faces.coinbase.tokens import REAL_HOST, Denial, Tokens
from ops.sim.faces.coinbase.user import UserChannel
from ops.sim.floor import Floor
from ops.sim.listing import Line

ROOT: Final = "/api/v3/brokerage/"  # of the REST paths
OLD_WALLETS: Final = "/v2/accounts"
Call = Callable[[str, HttpRequest], Answer]  # account, request


class Coinbase(Face):
    """The Advanced Trade streams and REST."""

    path = "/"
    subscribe_within_s = 5.0

    def __init__(
        self, lines: Sequence[Line], outlet: Outlet, clock: Clock, floor: Floor
    ) -> None:
        super().__init__(lines, outlet, clock, floor)
        days = {line.native: Day(line, floor) for line in lines}
        self._limits = Limits()
        self._tokens = Tokens(floor.credentials.values(), lambda key: key in floor.credentials)
        self._tickets = Tickets(floor)
        self._market = Market(floor, self.lines, days)
        self._accounts = Accounts(floor)
        self._user = UserChannel(floor, self._tickets, outlet)
        self._stream = Stream(
            floor, self.lines, days, outlet, self._market, self._user, self._tokens, self._limits)
        entry = Entry(floor, self._tickets)
        preview, history = Preview(floor, entry, self.lines), History(floor, self._tickets)
        self._entry: dict[str, Call] = {
            "orders": lambda who, asked: entry.place(who, asked.body),
            "orders/edit": lambda who, asked: entry.edit(who, asked.body),
            "orders/batch_cancel": lambda who, asked: entry.cancel(who, asked.body),
        }
        self._posts: dict[str, Call] = {
            "orders/preview": lambda who, asked: preview.place(who, asked.body),
            "orders/edit_preview": lambda who, asked: preview.edit(who, asked.body),
        }
        self._gets: dict[str, Call] = {
            "accounts": lambda who, asked: self._accounts.wallets(who, asked.query),
            "best_bid_ask": lambda _who, asked: self._market.best(asked.query),
            "key_permissions": lambda who, _asked: self._accounts.permissions(who),
            "orders/historical/batch": lambda who, asked: history.orders(who, asked.query),
            "orders/historical/fills": lambda who, asked: history.fills(who, asked.query),
            "portfolios": lambda who, _asked: self._accounts.portfolios(who),
            "transaction_summary": lambda who, _asked: self._accounts.fees(who),
        }
        self._named: dict[str, Callable[[str, str], Answer]] = {
            "accounts/": self._accounts.wallet, "orders/historical/": history.order}

    # --- streams -------------------------------------------------------------------------------

    def text(self, session: Session, message: bytes) -> None:
        """Serve subscribe and unsubscribe."""
        self._stream.text(session, message)

    def wrap(self, session: Session, topic: Topic, body: bytes) -> bytes:
        """Write the message's number on this connection; private ones get it as they leave."""
        return body if topic[0].startswith("@") else self._stream.wrap(session, body)

    def stamp(self, session: Session, text: bytes) -> bytes:
        """Write a private message's number on this connection."""
        return self._stream.wrap(session, text)

    def beat(self, session: Session, second: int) -> None:
        """Send heartbeats and what comes every few seconds."""
        self._stream.beat(session, second)

    def update(self, line: Line, update: Update) -> None:
        """Send the prints, the changes, and the ticker."""
        self._stream.update(line, update)

    def flush(self, line: Line) -> None:
        """Send the prints that wait for their batch."""
        self._stream.flush(line.native)

    def relisted(self, line: Line) -> None:
        """Tell of a line's new limits or status."""
        self._stream.relisted()

    def heard(self, event: Event) -> None:
        """Tell accounts of their orders."""
        self._user.heard(event)
        if isinstance(event, Fill):
            self._accounts.note(event)

    def tick(self) -> None:
        """Let good-till-date orders expire, and send the prints that wait."""
        self._tickets.expire()
        self._stream.tick()

    # --- REST ----------------------------------------------------------------------------------

    def request(self, request: HttpRequest) -> Answer:
        """Answer a public call as anybody's, any other as that of the account it proves."""
        path, now_ns = request.path, self.floor.mono_ns()
        verb = path.removeprefix(ROOT)
        if path.startswith("/v2/") and path != OLD_WALLETS:
            return self._public(request)
        if path.startswith(ROOT) and (verb == "time" or verb.startswith("market/")):
            within, headers = self._limits.public(request.ip, now_ns)
            answer = self._public(request) if within else too_many()
            return answer._replace(headers=headers)
        if not path.startswith(ROOT) and path != OLD_WALLETS:
            return refused("NOT_FOUND", "Not Found", 404)
        account = self._account(request)
        if isinstance(account, Denial):
            return _denied(account)
        within, headers = self._limits.private(account, now_ns)
        answer = self._private(account, request) if within else too_many()
        return answer._replace(headers=headers)

    def rest(self, path: str, query: Query) -> Answer:
        """Serve time, products, a product's ticker and book below /api/v3/brokerage, and /v2."""
        old = app.answer(path, self.lines.values(), self.floor.now_ns(), self.now_iso())
        if old is not None:
            return old
        verb = path.removeprefix(ROOT)
        if verb == "time":
            return self._market.time()
        if not verb.startswith("market/"):
            return refused("NOT_FOUND", "Not Found", 404)
        return self._market.answer(verb.removeprefix("market/"), query)

    def _public(self, request: HttpRequest) -> Answer:
        if request.method not in ("GET", "HEAD"):
            return _not_allowed()
        return self.rest(request.path, request.query)

    def _account(self, request: HttpRequest) -> str | Denial:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return Denial.UNAUTHORIZED
        hosts = {REAL_HOST, request.headers.get("host", REAL_HOST)}
        uris = [f"{request.method} {host}{request.path}" for host in hosts]
        return self._tokens.account(token.strip(), self.floor.now_ns(), uris)

    def _private(self, account: str, request: HttpRequest) -> Answer:
        verb, method = request.path.removeprefix(ROOT), request.method
        if request.path == OLD_WALLETS:
            return self._accounts.old_wallets(account, request.query)
        posts, gets = self._entry | self._posts, self._gets
        if verb in posts and method == "POST":
            answer = posts[verb](account, request)
            return answer._replace(entry=verb in self._entry)
        if verb in posts or method != "GET":
            return _not_allowed()
        if verb in gets:
            return gets[verb](account, request)
        for root, call in self._named.items():
            if verb.startswith(root):
                return call(account, verb.removeprefix(root))
        return self._market.answer(verb, request.query)

    def refused(self, status: int, retry_s: int) -> Answer:
        """Return the venue's answer to what faults refuse; it bans no address."""
        if status in (418, 429):
            return too_many()
        error = {"id": "internal_server_error", "message": "Internal server error"}
        return to_json({"errors": [error]}, status)

    def maintenance(self) -> Answer:
        """Return the venue's answer while it is being maintained."""
        return refused("UNAVAILABLE", "under maintenance", 503)


def _denied(denial: Denial) -> Answer:
    """Return an empty 401, or one that says that the token's time is over or has not come."""
    if denial is Denial.EXPIRED:
        return to_json(
            {"errors": [{"id": "authentication_error", "message": denial.value}]}, 401)
    return Answer(b"", 401)


def _not_allowed() -> Answer:
    return refused("UNIMPLEMENTED", "Method Not Allowed", 405)
