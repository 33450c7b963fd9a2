"""What live orders may still do at their worst, as sums that move with each order.

Kept by ``exec.state`` so that a gate reads a few numbers instead of every live order.  Sums are of
what remains, so of nothing once an order is settled; money in quanta of 10**-24.
"""

from bisect import bisect_left, insort
from typing import Final, NamedTuple

from exec import records as r

NOBODY: Final = -1  # the strategy of operators' orders
MONEY_DECIMALS: Final = 24  # of price and size together at most
Place = tuple[str, str]  # (venue, symbol) or (venue, asset)


class Terms(NamedTuple):
    """What an instrument's quanta are worth, and what its orders use up."""

    base: str
    quote: str
    buy_pays: str  # the asset; margin for a perpetual
    sell_pays: str
    value_scale: int  # price times size in quanta of the quote
    amount_scale: int  # size in quanta of the base
    margined: bool

    def pays(self, side: int) -> str:
        """Return the asset that an order of that side uses up."""
        return self.buy_pays if side > 0 else self.sell_pays

    def needs(self, side: int, price: int, size: int) -> int:
        """Return how much of it, fees left out; a perpetual's margin counts in full."""
        if side > 0 or self.margined:
            return price * size * self.value_scale
        return size * self.amount_scale

    @classmethod
    def of(cls, listed: r.Listed) -> "Terms":
        """Return an instrument's terms; price and size have 24 decimals together at most."""
        decimals = listed.price_decimals + listed.size_decimals
        assert decimals <= MONEY_DECIMALS, listed
        value: int = 10 ** (MONEY_DECIMALS - decimals)
        amount: int = 10 ** (MONEY_DECIMALS - listed.size_decimals)
        return cls(
            listed.base, listed.quote, listed.settle or listed.quote,
            listed.settle or listed.base, value, amount, bool(listed.settle))


class Outstanding:
    """The sums."""

    def __init__(self) -> None:
        self.by_venue: dict[str, dict[str, int]] = {}  # value by quote, of each venue
        self.by_strategy: dict[int, dict[str, int]] = {}
        self.whole: dict[str, int] = {}
        self.buys: dict[str, int] = {}  # amount by base, all venues together
        self.sells: dict[str, int] = {}
        self.reserved: dict[Place, int] = {}  # by (venue, asset), fees left out
        self.kept: dict[Place, int] = {}  # the same for second legs that wait for their first
        self.counts: dict[str, int] = {}  # live orders by venue, those with nothing left too
        self._prices: dict[tuple[str, str, int], list[int]] = {}  # (venue, symbol, side): sorted

    def move(self, order: r.Intended, strategy: int, terms: Terms, change: int, left: int) -> None:
        """Let what may still fill of an order grow by ``change``, which makes it ``left``."""
        base, quote, buy_pays, sell_pays, value_scale, amount_scale, margined = terms
        value, amount = order.price * change * value_scale, change * amount_scale
        buys, venue, whole = order.side > 0, order.venue, self.whole
        of_venue, of_strategy = self.by_venue.get(venue), self.by_strategy.get(strategy)
        if of_venue is None:
            of_venue = self.by_venue[venue] = {}
        if of_strategy is None:
            of_strategy = self.by_strategy[strategy] = {}
        of_venue[quote] = of_venue.get(quote, 0) + value
        of_strategy[quote] = of_strategy.get(quote, 0) + value
        whole[quote] = whole.get(quote, 0) + value
        side = self.buys if buys else self.sells
        side[base] = side.get(base, 0) + amount
        place = (venue, buy_pays if buys else sell_pays)
        used = value if buys or margined else amount
        self.reserved[place] = self.reserved.get(place, 0) + used
        if left == change or not left:
            self._rest(order, rests=left > 0)

    def _rest(self, order: r.Intended, *, rests: bool) -> None:
        prices = self._prices.setdefault((order.venue, order.symbol, order.side), [])
        if rests:
            insort(prices, order.price)
        else:
            del prices[bisect_left(prices, order.price)]

    def keep(self, leg: r.Leg, terms: Terms, change: int) -> None:
        """Let what a plan's second leg owes grow by ``change``."""
        place = (leg.venue, terms.pays(leg.side))
        self.kept[place] = self.kept.get(place, 0) + terms.needs(leg.side, leg.price, change)

    def count(self, venue: str, change: int) -> None:
        """Let a venue's live orders be more, or fewer."""
        _add(self.counts, venue, change)

    def best(self, venue: str, symbol: str, side: int) -> int:
        """Return the best price of what may still fill of a side, 0 if there is nothing."""
        prices = self._prices.get((venue, symbol, side))
        if not prices:
            return 0
        return prices[-1] if side > 0 else prices[0]


def _add(sums: dict[str, int], key: str, change: int) -> None:
    sums[key] = sums.get(key, 0) + change
