"""What a trade does to money: one balanced transaction, then what differs per party.

``None`` in place of an order is the outside flow: the HOUSE account, which pays no fee.
"""

from typing import Final

import msgspec

from ops.sim.exchange.accounts import Accounts, Listed, kept
from ops.sim.exchange.events import Fill, Sink, Traded
from ops.sim.exchange.fees import FeeIn, share
from ops.sim.exchange.ledger import FEES, FREE, HOUSE, LOCKED, OPEN, Cause, Entry, Ledger
from ops.sim.exchange.orders import BUY, Ids, Order, Status
from ops.sim.exchange.perpetuals import Perpetuals


class Match(msgspec.Struct, frozen=True, gc=False):
    """Two parties, one price; ``side`` is the taker's."""

    now_ns: int
    trade_id: int
    listed: Listed
    side: int
    price: int
    size: int
    taker: Order | None
    maker: Order | None


class Charge(msgspec.Struct, frozen=True, gc=False):
    """What a party paid for the trade, and what a perpetual's position earned."""

    fee: int
    asset: str
    profit: int = 0


NOTHING: Final = Charge(0, "")


class Settlement:
    """Turns matches into postings and fills."""

    def __init__(self, ledger: Ledger, accounts: Accounts, ids: Ids, sink: Sink) -> None:
        self._ledger, self._accounts, self._ids, self._sink = ledger, accounts, ids, sink
        self.perpetuals = Perpetuals(ledger, accounts, sink)
        self.rates: dict[tuple[str, str], tuple[int, int]] = {}  # (third, quote): third per quote

    def trade(
        self, now_ns: int, listed: Listed, taker: Order | None, maker: Order | None,
        *, side: int, price: int, size: int,
    ) -> None:
        """Let ``taker``, on ``side``, trade with ``maker``; tell the sink."""
        match = Match(
            now_ns, self._ids.trade(listed.symbol.name), listed, side, price, size, taker, maker)
        self.public(now_ns, listed, side, price, size, match.trade_id)
        for order in (taker, maker):
            if order is not None:
                order.filled += size
                order.value += listed.symbol.value(price, size)
                order.updated_ns = now_ns
                if not order.remaining:
                    order.status = Status.FILLED
        settle = self._contracts if listed.symbol.perpetual else self._coins
        for order, charge in zip((taker, maker), settle(match), strict=True):
            if order is not None:
                self._tell(match, order, charge)

    def public(
        self, now_ns: int, listed: Listed, side: int, price: int, size: int, trade_id: int = 0
    ) -> None:
        """Tell a trade to all; one of the outside flow alone gets its number here."""
        listed.last = price
        self._sink(Traded(
            now_ns, trade_id or self._ids.trade(listed.symbol.name), listed.symbol.name, side,
            price, size))

    def _tell(self, match: Match, order: Order, charge: Charge) -> None:
        symbol = match.listed.symbol
        self._sink(Fill(
            match.now_ns, match.trade_id, order.account, order.id, order.client_id, symbol.name,
            order.side, match.price, match.size, symbol.value(match.price, match.size),
            order is match.taker, charge.fee, charge.asset, charge.profit,
            order.filled, order.value,
        ))

    # --- perpetuals ----------------------------------------------------------------------------

    def _contracts(self, match: Match) -> tuple[Charge, Charge]:
        """Exchange contracts for entry cost, then settle each party by itself."""
        symbol, side = match.listed.symbol, match.side
        value = symbol.value(match.price, match.size)
        buyer, seller = (match.taker, match.maker) if side == BUY else (match.maker, match.taker)
        bought = buyer.account if buyer else HOUSE
        sold = seller.account if seller else HOUSE
        self._ledger.post(match.now_ns, Cause.TRADE, match.trade_id, (
            (bought, symbol.name, OPEN, match.size), (sold, symbol.name, OPEN, -match.size),
            (bought, symbol.quote, OPEN, -value), (sold, symbol.quote, OPEN, value),
        ))
        return self._contract(match, match.taker, side), self._contract(match, match.maker, -side)

    def _contract(self, match: Match, order: Order | None, side: int) -> Charge:
        about = (match.now_ns, match.trade_id, match.listed.symbol)
        if order is None:
            self.perpetuals.settle_house(*about, side, match.price, match.size)
            return NOTHING
        rate = _rate(match, order)
        fee, profit = self.perpetuals.settle(*about, order, match.price, match.size, rate)
        return Charge(fee, match.listed.symbol.quote, profit)

    # --- spot ----------------------------------------------------------------------------------

    def _coins(self, match: Match) -> tuple[Charge, Charge]:
        """Exchange base for quote, fees included; a maker gives back what it need not hold."""
        entries: list[Entry] = []
        taken = self._coin(entries, match, match.taker, match.side)
        made = self._coin(entries, match, match.maker, -match.side)
        self._ledger.post(match.now_ns, Cause.TRADE, match.trade_id, entries)
        taker, maker = match.taker, match.maker
        if taker is not None and taker.fees.taken is FeeIn.THIRD:
            taken = self._charge_third(match, taker)
        if maker is not None:
            if maker.fees.taken is FeeIn.THIRD:
                made = self._charge_third(match, maker)
            symbol = match.listed.symbol
            self._accounts.hold(match.now_ns, maker, kept(maker, symbol, match.size))
        return taken, made

    @staticmethod
    def _coin(entries: list[Entry], match: Match, order: Order | None, side: int) -> Charge:
        """Add one party's entries: pay from what is locked, receive free, fee in either."""
        symbol = match.listed.symbol
        value, amount = symbol.value(match.price, match.size), symbol.amount(match.size)
        if side == BUY:
            paid, paid_in, got, got_in = value, symbol.quote, amount, symbol.base
        else:
            paid, paid_in, got, got_in = amount, symbol.base, value, symbol.quote
        if order is None:
            entries += (HOUSE, paid_in, FREE, -paid), (HOUSE, got_in, FREE, got)
            return NOTHING
        owner, taken = order.account, order.fees.taken
        entries += (owner, paid_in, LOCKED, -paid), (owner, got_in, FREE, got)
        order.reserved -= paid
        if taken is FeeIn.THIRD:
            return NOTHING
        in_quote = taken is FeeIn.QUOTE or (taken is FeeIn.RECEIVED and side != BUY)
        asset = symbol.quote if in_quote else symbol.base
        fee = share(value if in_quote else amount, _rate(match, order))
        if fee > 0 and asset == paid_in:  # a part of the reservation
            order.reserved -= fee
            entries += (owner, asset, LOCKED, -fee), (FEES, asset, FREE, fee)
        elif fee:
            entries += (owner, asset, FREE, -fee), (FEES, asset, FREE, fee)
        return Charge(fee, asset)

    def _charge_third(self, match: Match, order: Order) -> Charge:
        """Take the fee in the third asset; in the received one where that is too little."""
        symbol, owner, asset = match.listed.symbol, order.account, order.fees.third
        value, rate = symbol.value(match.price, match.size), _rate(match, order)
        numerator, denominator = self.rates.get((asset, symbol.quote), (0, 1))
        fee = share(value * numerator // denominator, rate)
        if not numerator or fee > self._ledger.free(owner, asset):
            buys = order.side == BUY
            asset = symbol.base if buys else symbol.quote
            fee = share(symbol.amount(match.size) if buys else value, rate)
        if fee:
            self._ledger.post(match.now_ns, Cause.FEE, match.trade_id, (
                (owner, asset, FREE, -fee), (FEES, asset, FREE, fee)))
        return Charge(fee, asset)


def _rate(match: Match, order: Order) -> int:
    return order.fees.taker_ppm if order is match.taker else order.fees.maker_ppm
