"""A small venue for tests: prices and sizes are plain numbers, one coin costs 100 or so."""

from typing import Any, TypeVar

from ops.sim.exchange.audit import audit, audit_ledger
from ops.sim.exchange.events import Event
from ops.sim.exchange.exchange import Exchange
from ops.sim.exchange.fees import NO_FEES, Fees
from ops.sim.exchange.filters import Filters, Reason, Refusal
from ops.sim.exchange.orders import BUY, SELL, ClientIds, Kind, Order, Request
from ops.sim.exchange.symbols import Asset, perpetual, spot

COIN, PERP = "COIN/USD", "COIN/USD:USD"
RICH = 10**9
T = TypeVar("T")


class Venue:
    """An exchange with one spot symbol and one perpetual; what it said is in ``events``."""

    def __init__(
        self, *, filters: Filters | None = None, client_ids: ClientIds = ClientIds.UNIQUE_OPEN,
        keep: int = 1000, epoch: int = 0,
    ) -> None:
        self.events: list[Event] = []
        self.exchange = Exchange(
            self.events.append, client_ids=client_ids, keep=keep, epoch=epoch)
        coin, usd = Asset("COIN", 0), Asset("USD", 0)
        limits = filters or Filters()
        self.exchange.list_symbol(
            spot(COIN, coin, usd, price_decimals=0, size_decimals=0), limits)
        self.exchange.list_symbol(
            perpetual(PERP, usd, price_decimals=0, size_decimals=0, margin_ppm=100_000), limits)

    def client(
        self, name: str, *, usd: int = RICH, coin: int = RICH, fees: Fees = NO_FEES
    ) -> str:
        self.exchange.open_account(name, fees)
        for asset, amount in (("USD", usd), ("COIN", coin)):
            if amount:
                assert self.exchange.deposit(0, name, asset, amount) is None
        return name

    def ask(self, name: str, side: int, size: int, price: int = 0, **more: Any) -> Order | Refusal:
        more.setdefault("kind", Kind.LIMIT if price else Kind.MARKET)
        more.setdefault("symbol", COIN)
        request = Request(account=name, side=side, size=size, price=price, **more)
        answer = self.exchange.place(1, request)
        self.check()
        return answer

    def order(self, name: str, side: int, size: int, price: int = 0, **more: Any) -> Order:
        answer = self.ask(name, side, size, price, **more)
        assert isinstance(answer, Order), answer
        return answer

    def buy(self, name: str, size: int, price: int = 0, **more: Any) -> Order:
        return self.order(name, BUY, size, price, **more)

    def sell(self, name: str, size: int, price: int = 0, **more: Any) -> Order:
        return self.order(name, SELL, size, price, **more)

    def refused(self, name: str, side: int, size: int, price: int = 0, **more: Any) -> Refusal:
        before = (dict(self.exchange.ledger.purses()), self.depth(BUY), self.depth(SELL))
        answer = self.ask(name, side, size, price, **more)
        assert isinstance(answer, Refusal), answer
        after = (dict(self.exchange.ledger.purses()), self.depth(BUY), self.depth(SELL))
        assert before == after, "a refusal changed something"
        return answer

    def reason(self, name: str, side: int, size: int, price: int = 0, **more: Any) -> Reason:
        return self.refused(name, side, size, price, **more).reason

    def level(self, side: int, price: int, size: int, symbol: str = COIN) -> None:
        self.exchange.set_level(1, symbol, side, price, size)
        self.check()

    def trade(self, side: int, price: int, size: int, symbol: str = COIN) -> None:
        self.exchange.print_trade(1, symbol, side, price, size)
        self.check()

    def depth(self, side: int, symbol: str = COIN) -> list[tuple[int, int]]:
        return self.exchange.depth(symbol, side, 100)

    def of(self, kind: type[T]) -> list[T]:
        return [event for event in self.events if isinstance(event, kind)]

    def check(self) -> None:
        audit(self.exchange)
        audit_ledger(self.exchange)
