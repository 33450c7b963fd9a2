"""An account at a simulated venue, traded through ccxt and compared with the venue's ledger.

ccxt hands out floats; the ledger's decimal texts are compared as the floats nearest to them, so
every digit that a float can hold has to be right.
"""

from collections import Counter
from decimal import Decimal
from typing import Any, Final, NamedTuple

from ops.sim.exchange.orders import Status
from ops.sim.truth import AccountTruth
from tests.clients.stage import Stage

ACCOUNT: Final = "main"
CLIENT_ID: Final = {"coinbase": "client_order_id"}  # ccxt drops its own word for it there
DUST: Final = 2e-8  # quote units
CLIENT_ID_OVER_SOCKET: Final = {  # where ccxt sends its own word along, which nobody reads
    "binance": "newClientOrderId", "binance-usdm": "newClientOrderId"}
STATUSES: Final = {  # what ccxt may call an order that stands so
    Status.OPEN.value: {"open"}, Status.FILLED.value: {"closed"},
    Status.CANCELLED.value: {"canceled"}, Status.EXPIRED.value: {"canceled", "expired"},
}


class Filled(NamedTuple):
    """One fill, told apart by what it is; ``order`` is the place of its order by age."""

    order: int
    side: str
    price: float
    size: float
    taker: bool
    fee: float
    fee_asset: str


class Trader:
    """Places orders by ccxt and knows which order of the ledger each one is."""

    def __init__(self, stage: Stage, amount: float) -> None:
        self.stage, self.client, self.amount = stage, stage.client, amount
        self.symbol = stage.symbols[0]
        self.ages: dict[str, int] = {}  # the venue's id -> place among the account's orders
        self.over_socket = False  # whether orders go by the venue's order socket

    def truth(self) -> AccountTruth:
        """Return the ledger's word on the account."""
        truth = self.stage.world.account_truth(self.stage.name, ACCOUNT)
        assert truth is not None
        return truth

    def price(self, factor: float) -> float:
        """Return a price relative to the best bid, on the tick."""
        bid = self.stage.book(self.symbol, 1)["bids"][0][0]
        return float(self.client.price_to_precision(self.symbol, bid * factor))

    async def place(
        self, kind: str, side: str, factor: float | None = None, **params: Any
    ) -> dict[str, Any]:
        """Place an order ``factor`` times the best bid; check that the ledger has it."""
        before = self.truth().orders
        words = CLIENT_ID_OVER_SOCKET if self.over_socket else CLIENT_ID
        params[words.get(self.stage.name, "clientOrderId")] = f"mine{len(before):05d}"
        price = self.price(1.001 if factor is None else factor)
        if factor is None and self.stage.name != "coinbase":  # there it says what to spend
            price = None  # type: ignore[assignment]
        create = self.client.create_order_ws if self.over_socket else self.client.create_order
        order: dict[str, Any] = await create(
            self.symbol, kind, side, self.amount, price, params)
        after = self.truth().orders
        assert len(after) == len(before) + 1
        assert after[-1].client_id == f"mine{len(before):05d}"
        assert after[-1].side == side
        if factor is not None:
            assert float(after[-1].price) == price
            assert float(after[-1].size) == self.amount
        self.ages[order["id"]] = len(before)
        return order

    # --- comparing -----------------------------------------------------------------------------

    def check_order(self, order: dict[str, Any], *, streamed: bool = False) -> None:
        """Compare one order, as the client has it, with the ledger's.

        Coinbase's stream forgets the size of an order that ended; Kraken's tells what changed,
        which ccxt does not put together with what it knew.
        """
        age = self.ages[order["id"]]
        truth = self.truth().orders[age]
        where = f"{self.stage.name}: {truth} against {order}"
        assert order["status"] in STATUSES[truth.status], where
        if order["symbol"] is None:
            assert float(order["info"].get("cum_qty", 0)) == float(truth.filled), where
            return
        assert order["side"] == truth.side, where
        assert order["filled"] == float(truth.filled), where
        if truth.price != "0":
            assert order["price"] == float(truth.price), where
            left = Decimal(truth.size) - Decimal(truth.filled)
            if truth.status == Status.OPEN.value or not streamed:
                assert order["amount"] == float(truth.size), where
                assert order["remaining"] == float(left), where
        fills = [each for each in self.filled() if each.order == age]
        if fills and order["average"] is not None:
            value = sum(each.price * each.size for each in fills)
            mean = value / sum(each.size for each in fills)
            assert abs(order["average"] / mean - 1) < 1e-6, where

    def filled(self) -> list[Filled]:
        """Return the ledger's fills."""
        truth = self.truth()
        places = {order.id: place for place, order in enumerate(truth.orders)}
        return [
            Filled(places[each.order_id], each.side, float(each.price), float(each.size),
                   each.taker, float(each.fee), each.fee_asset) for each in truth.fills]

    def check_fills(self, trades: list[dict[str, Any]], *, streamed: bool = False) -> None:
        """Compare the client's fills with the ledger's, each once."""
        sign = -1 if streamed and self.stage.name == "okx" else 1  # ccxt keeps the venue's there
        told = Counter(Filled(
            self.ages[each["order"]], each["side"], each["price"], each["amount"],
            each["takerOrMaker"] == "taker", sign * each["fee"]["cost"], each["fee"]["currency"],
        ) for each in trades)
        truth = Counter(self.filled())
        assert len({each["id"] for each in trades}) == len(trades)
        where = f"{self.stage.name}: only told {told - truth}, only true {truth - told}"
        assert told == truth, where

    def check_balances(self, balances: dict[str, Any], *, every: bool = True) -> None:
        """Compare free and used money with the ledger's, of all assets or of those told."""
        if self.stage.name == "binance-usdm":
            self._check_wallet(balances)
            return
        for asset, (free, locked) in self.truth().balances.items():
            if not every and asset not in balances:
                continue
            told = balances[asset]
            where = f"{self.stage.name}: {asset} {free} + {locked} against {told}"
            if told["free"] is not None:  # Kraken streams totals
                assert told["free"] == float(free), where
                assert told["used"] == float(locked), where
            assert told["total"] == float(Decimal(free) + Decimal(locked)), where

    def _check_wallet(self, balances: dict[str, Any]) -> None:
        """Compare a margin wallet, which has eight decimals there, with the ledger's money."""
        ((asset, (free, locked)),) = self.truth().balances.items()
        info, wallet = balances["info"], Decimal(free) + Decimal(locked)
        if "assets" in info:  # asked for
            (row,) = [each for each in info["assets"] if each["asset"] == asset]
            told = Decimal(row["walletBalance"])
            worth = float(told + Decimal(row["unrealizedProfit"]))
            assert balances[asset]["total"] == worth
            assert abs(balances[asset]["used"] - float(locked)) < DUST
        else:
            told = Decimal(repr(balances[asset]["total"]))
        assert abs(told - wallet) < DUST, f"{told} against {free} + {locked}"
