"""One paper venue: what arrives is judged, taken from the live book, or rests in it.

Every entry is told nothing of how long the way was: it acts on the book as it is now.  Its answers
and its stream go to the two callables that it was given.
"""

import hashlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import msgspec

from exec.core import ports as p
from exec.core.ports import Clock
from exec.paper.account import Account, text
from exec.paper.consumed import Consumed, Levels
from exec.paper.manners import Reason, manner_of
from exec.paper.prints import Print, Prints
from exec.paper.queue import UNSEEN, Queue, Resting
from exec.paper.rules import Market, refusal, worst_fee_ppm
from exec.records import Found, Intended, Tif
from exec.state.state import State

REMEMBERED_MAX: Final = 100_000  # fills, and ended orders
SOURCE: Final = "model"  # of fills, as records.Filled has it
Tell = Callable[[p.Report], None]


class _Ended(msgspec.Struct, frozen=True):
    venue_order: str
    how: str
    filled: int


class Venue:
    """A venue's engine for one account; prices and sizes in quanta."""

    def __init__(
        self, account: Account, market: Market, prints: Prints, state: State, clock: Clock, *,
        answer: Tell, stream: Tell,
    ) -> None:
        """Go on where the journal's ``state`` ends; nothing rests: it died with the last life."""
        self.venue, self.account = account.venue, account
        self._market, self._prints, self._clock = market, prints, clock
        self._answer, self._stream = answer, stream
        self._manner = manner_of(account.venue)
        self._open: dict[str, Resting] = {}  # by client id, oldest first
        self._queues: dict[tuple[str, int, int], Queue] = {}  # symbol, side, price
        self._consumed = {(symbol, side): Consumed(side)
                          for symbol in account.listed for side in (1, -1)}
        self._looked: dict[str, tuple[int, int]] = {}  # versions of the books as observed last
        self._ended: dict[str, _Ended] = {}
        self.fills: deque[p.Traded] = deque(maxlen=REMEMBERED_MAX)
        own = [each for each in state.orders.values() if each.intent.venue == self.venue]
        for order in own:
            if not order.settled and (order.venue_order or order.booked):
                self._ended[order.intent.client_id] = _Ended(
                    order.venue_order, "cancelled", order.booked)
        self._last_order = _greatest(each.venue_order for each in own)
        self._last_trade = _greatest(
            trade for venue, _, trade in state.trades if venue == self.venue)

    # --- what arrives --------------------------------------------------------------------------

    def place(self, order: Intended) -> None:
        """Take an order that arrives now, or refuse it."""
        if order.client_id in self._open or order.client_id in self._ended:
            self._answer(p.Lost(self.venue, order.client_id, "place", "its id was used before"))
            return
        reason = refusal(
            order, self._market, self.account, unix_ns=self._clock.unix_ns(),
            open_count=len(self._open), fee_ppm=self._fee_beside(order.symbol))
        levels = self._look(order.symbol) if reason is None else None
        if reason is None and (levels is None or self._would_take(order, levels[order.side])):
            reason = Reason.HALTED if levels is None else Reason.WOULD_TAKE
        if reason is not None or levels is None:
            reason = reason or Reason.HALTED
            code, words = self._manner.words[reason]
            self._answer(p.Denied(self.venue, order.client_id, code, words, reason.business))
            return
        self._last_order += 1
        resting = Resting(order, str(self._last_order), order.size)
        self._open[order.client_id] = resting
        self._answer(p.Accepted(self.venue, order.client_id, resting.venue_order))
        self._match(resting, levels)

    def cancel(self, order: Intended) -> None:
        """Take an order out, or say that it is not there."""
        resting = self._open.get(order.client_id)
        if resting is not None:
            self._end(resting, "cancelled")
            return
        code, words = self._manner.words[Reason.UNKNOWN_ORDER]
        self._answer(p.CancelDenied(self.venue, order.client_id, code, words))

    def cancel_all(self) -> None:
        """Take everything out."""
        for resting in [*self._open.values()]:
            self._end(resting, "cancelled")

    def told_of(self, order: Intended, asked_unix_ns: int) -> list[p.Report]:
        """Return one order's fills and where it stands."""
        client_id = order.client_id
        found: list[p.Report] = [each for each in self.fills if each.client_id == client_id]
        resting, ended = self._open.get(client_id), self._ended.get(client_id)
        if resting is not None:
            return [*found, p.Seen(self.venue, client_id, resting.venue_order, Found.OPEN, "",
                                   order.size - resting.left, asked_unix_ns)]
        if ended is not None:
            return [*found, p.Seen(self.venue, client_id, ended.venue_order, Found.ENDED, ended.how,
                                   ended.filled, asked_unix_ns)]
        return [p.Seen(self.venue, client_id, "", Found.ABSENT, "", 0, asked_unix_ns)]

    def told_of_all(self, since_unix_ns: int) -> list[p.Report]:
        """Return fills since, open orders, balances and positions, as they are now."""
        found: list[p.Report] = [
            each for each in self.fills if each.venue_unix_ns >= since_unix_ns]
        found.append(p.Listing(self.venue, tuple(
            (client_id, each.venue_order, each.intent.symbol, each.intent.size - each.left)
            for client_id, each in self._open.items())))
        found += told_of_account(self.account)
        return found

    # --- the market ----------------------------------------------------------------------------

    @property
    def watches(self) -> bool:
        """Return whether the market matters: an order rests, or what we took is remembered."""
        return bool(self._open) or any(self._consumed.values())

    def observe(self) -> None:
        """Let the market have moved: trades and levels advance queues, fill, and restore depth."""
        if not self._open:
            self._prints.skip()
        printed = self._prints.read() if self._open else []
        mine = {each.intent.symbol for each in self._open.values()}
        mine |= {symbol for (symbol, _), each in self._consumed.items() if each}
        for symbol in sorted(mine):
            prints = [each for each in printed if each.symbol == symbol]
            versions = self._market.versions(self.venue, symbol)
            if not prints and versions == self._looked.get(symbol):
                continue
            levels = self._look(symbol)
            if levels is None:
                continue  # what is printed while the book is not live is nobody's
            self._looked[symbol] = versions
            for each in prints:
                self._print(each)
            for side in (1, -1):
                self._crossed(symbol, side, levels[side])
                self._queue_up(symbol, side, levels[-side])

    def _look(self, symbol: str) -> dict[int, Levels] | None:
        """Return what takers of either side meet now, None where it is not to be believed."""
        levels: dict[int, Levels] = {
            side: self._market.levels(self.venue, symbol, side) for side in (1, -1)}
        if self._market.quote(self.venue, symbol).distrust:  # asked after: as shm.book says
            return None
        for side in (1, -1):
            self._consumed[symbol, side].look(levels[side])
        return levels

    def _print(self, each: Print) -> None:
        """Let a public trade fill what of ours stood in its way, best price first."""
        side, flow = -each.side, each.size
        for price in self._prices(each.symbol, side):
            beyond = (price - each.price) * side
            if beyond < 0 or not flow:
                return
            queue = self._queues[each.symbol, side, price]
            fills = queue.swept(flow) if beyond else queue.trade(flow, self._clock.mono_ns())
            for resting, size in fills:
                flow -= size
                self._fill(resting, price, size, taker=False)

    def _crossed(self, symbol: str, side: int, opposite: Levels) -> None:
        """Fill what rests at prices which the other side offers now: it would have met us."""
        for price in self._prices(symbol, side):
            for resting in [*self._queues[symbol, side, price].waiting]:
                self._walk(resting, opposite, price=price)

    def _queue_up(self, symbol: str, side: int, own: Levels) -> None:
        """Let queues see what others have at their prices."""
        prices = self._prices(symbol, side)
        if prices:
            shown, now_ns = dict(own), self._clock.mono_ns()
            for price in prices:
                self._queues[symbol, side, price].look(_shown_at(price, side, own, shown), now_ns)

    def _prices(self, symbol: str, side: int) -> list[int]:
        """Return where our orders of a side rest, best first."""
        found = [price for where, which, price in self._queues if (where, which) == (symbol, side)]
        return sorted(found, reverse=side > 0)

    # --- matching ------------------------------------------------------------------------------

    def _would_take(self, order: Intended, levels: Levels) -> bool:
        """Return whether a post-only order would meet somebody, us included."""
        return order.post_only and (
            bool(self._takeable(order, levels)) or self._meets_own(order))

    def _meets_own(self, order: Intended) -> bool:
        own = self._own_best(order.symbol, -order.side)
        return own is not None and (order.price - own) * order.side >= 0

    def _takeable(self, order: Intended, levels: Levels) -> list[tuple[int, int]]:
        """Return the levels that it may take: before its limit, and before our own orders."""
        own = self._own_best(order.symbol, -order.side)
        return [(price, size) for price, size in
                self._consumed[order.symbol, order.side].left(levels)
                if (order.price - price) * order.side >= 0
                and (own is None or (own - price) * order.side > 0)]

    def _own_best(self, symbol: str, side: int) -> int | None:
        return next(iter(self._prices(symbol, side)), None)

    def _match(self, resting: Resting, levels: Mapping[int, Levels]) -> None:
        """Take what can be taken; let the rest stay, or end."""
        order = resting.intent
        takeable = self._takeable(order, levels[order.side])
        if order.tif == Tif.FOK and sum(size for _, size in takeable) < order.size:
            self._end(resting, "expired")
            return
        self._walk(resting, levels[order.side])
        if not resting.left:
            return
        if order.tif != Tif.GTC or self._meets_own(order):  # the newer of two that meet ends
            self._end(resting, "expired")
            return
        beside = levels[-order.side]
        shown = _shown_at(order.price, order.side, beside, dict(beside))
        key, now_ns = (order.symbol, order.side, order.price), self._clock.mono_ns()
        queue = self._queues.setdefault(key, Queue(shown, now_ns))
        queue.join(resting, shown, now_ns)
        self._lock(resting)

    def _walk(self, resting: Resting, levels: Levels, price: int | None = None) -> None:
        """Take level by level: as taker at their prices, or where it rests at its own ``price``."""
        order, shown = resting.intent, dict(levels)
        consumed = self._consumed[order.symbol, order.side]
        own = self._own_best(order.symbol, -order.side) if price is None else None
        for at, there in consumed.left(levels):
            beyond_own = own is not None and (own - at) * order.side <= 0
            if not resting.left or (order.price - at) * order.side < 0 or beyond_own:
                return
            size = min(resting.left, there)
            consumed.take(at, size, shown[at])
            self._fill(resting, at if price is None else price, size, taker=price is None)

    def _fill(self, resting: Resting, price: int, size: int, *, taker: bool) -> None:
        order, venue = resting.intent, self.venue
        ppm = (self._market.taker_fee_ppm(venue, order.symbol) if taker
               else self._market.maker_fee_ppm(venue, order.symbol))
        fee, asset = self.account.book(
            order.symbol, order.side, price, size, ppm, received=self._manner.fee_received)
        self._last_trade += 1
        traded = p.Traded(
            venue, order.symbol, order.client_id, resting.venue_order, str(self._last_trade),
            order.side, price, size, text(fee), asset, taker, self._clock.unix_ns(), SOURCE)
        self.fills.append(traded)
        self._stream(traded)
        resting.left -= size
        if not resting.left:
            self._end(resting, "filled")
        for other in self._open.values():  # a perpetual's position changed what they need
            if other.intent.client_id in self.account.locks:
                self._lock(other)

    def _lock(self, resting: Resting) -> None:
        order = resting.intent
        self.account.locks[order.client_id] = self.account.needs(
            order.symbol, order.side, order.price, resting.left,
            fee_ppm=self._fee_beside(order.symbol))

    def _fee_beside(self, symbol: str) -> int:
        """Return the fee that is held beside an order: none where it is taken from what comes."""
        listed = self.account.listed.get(symbol)
        if listed is None or (self._manner.fee_received and not listed.settle):
            return 0
        return worst_fee_ppm(self._market, self.venue, symbol)

    def _end(self, resting: Resting, how: str) -> None:
        order = resting.intent
        filled = order.size - resting.left
        del self._open[order.client_id]
        self.account.locks.pop(order.client_id, None)
        key = (order.symbol, order.side, order.price)
        queue = self._queues.get(key)
        if queue is not None:
            queue.waiting = [each for each in queue.waiting if each is not resting]
            if not queue.waiting:
                del self._queues[key]
        self._ended[order.client_id] = _Ended(resting.venue_order, how, filled)
        if len(self._ended) > REMEMBERED_MAX:
            del self._ended[next(iter(self._ended))]
        self._stream(p.Over(
            self.venue, order.client_id, resting.venue_order, how, filled, SOURCE))

    def digest(self) -> str:
        """Return a hash of account, orders, queues, consumption and fills."""
        parts = [
            sorted((asset, str(total)) for asset, total in self.account.totals.items()),
            sorted((symbol, each.size, str(each.cost), str(each.realised))
                   for symbol, each in self.account.positions.items()),
            [(each.intent, each.left, each.ahead) for each in self._open.values()],
            sorted((key, each.words()) for key, each in self._consumed.items()),
            [*self.fills], self._last_order, self._last_trade,
        ]
        return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()


def told_of_account(account: Account) -> Iterator[p.Report]:
    """Yield balances and perpetual positions, as a survey brings them."""
    for asset in account.totals:
        yield p.Balance(account.venue, asset, *account.told(asset), SOURCE)
    for symbol, listed in account.listed.items():
        if listed.settle:
            yield p.Holding(account.venue, symbol, account.size_of(symbol), SOURCE)


def _shown_at(price: int, side: int, own: Levels, shown: dict[int, int]) -> int:
    """Return what others have at a price of their own side, UNSEEN beyond the last level shown."""
    if price not in shown and own and (own[-1][0] - price) * side > 0:
        return UNSEEN
    return shown.get(price, 0)


def _greatest(ids: Iterator[str]) -> int:
    return max((int(each) for each in ids if each.isascii() and each.isdigit()), default=0)
