"""An execution that traded, written into a made-up engine's shared memory by the real writer."""

from collections.abc import Mapping

from exec import records as r
from exec.portfolio import Portfolio
from exec.state.state import State
from shm.layout import TradingState
from shm.portfolio import PortfolioSegment
from tests.exec.test_portfolio import Rates
from tests.ops.world import World

BTC = ("okx", "BTC/USDT")
PERP = ("binance-usdm", "BTC/USDT:USDT")


class Traded:
    """A state that grows by records, and its writer."""

    def __init__(self, world: World, *, mode: str = "live") -> None:
        self.world, self.state, self.books = world, State(), Rates()
        self.portfolio = Portfolio(
            PortfolioSegment(world.made["portfolio"].words), self.state, self.books, world.clock,
            "0123456789ab", mode)
        self.apply(r.Opened(r.SCHEMA, "e", mode, 1_700_000_000, 3, "c", 1),
                   r.Listed(*BTC, "BTC-USDT", "BTC", "USDT", "", 2, 5),
                   r.Listed(*PERP, "BTCUSDT", "BTC", "USDT", "USDT", 1, 3))

    def apply(self, *records: r.Record) -> None:
        for record in records:
            self.state.apply(record, self.world.clock.unix_ns())

    def order(self, number: int, *, size: int = 1_000, place: tuple[str, str] = BTC,
              plan: int = 0, side: int = 1) -> None:
        self.apply(r.Intended(
            number, plan, 0, *place, side, 6_000_000, size, r.Tif.IOC, False, False,
            f"tabcx{number}", 1, 2, "enter"), r.Sent(number, "ws"))

    def fill(self, number: int, size: int, *, place: tuple[str, str] = BTC) -> None:
        self.apply(r.Filled(number, *place, f"t{number}-{size}", 1, 6_000_000, size, "0.06",
                            "USDT", True, 5, "stream"))

    def day(self) -> None:
        """Trade a little: one order each filled, in part, rejected, in doubt; two plans."""
        leg = r.Leg(*BTC, 1, 6_000_000, 1_000, 6_100_000)
        self.apply(*(r.Counted("okx", asset, total, "0", "rest")
                     for asset, total in (("USDT", "250000.5"), ("BTC", "1.5"), ("XYZ", "7"))))
        self.apply(r.Planned(1, 2, 3, 0, (leg, leg), "best", (), 9, 11))
        for number in (11, 12, 13, 14):
            self.order(number, plan=1)
        self.fill(11, 1_000)
        self.fill(12, 250)
        self.apply(r.Ended(12, "expired", 250, "stream"), r.Rejected(13, "-2010", "no money"),
                   r.Doubted(14, "no answer"))
        self.order(15, place=PERP, size=100)
        self.fill(15, 100, place=PERP)
        self.apply(r.Planned(2, 2, 4, 0, (leg, leg), "best", (), 9, 11),
                   r.PlanClosed(2, "done", 0, 12_340_000))

    def tell(self, trading: TradingState = TradingState.ACTIVE,
             unready: Mapping[str, str] | None = None) -> None:
        self.portfolio.publish(trading=trading, unready=unready or {})
