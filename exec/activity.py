"""What we did lately, as limits over a time need it: a day's turnover, a minute's own prices."""

from typing import Final

DAY_NS: Final = 86_400 * 10**9
STEP_NS: Final = 6 * 10**9  # own prices are kept as the lowest and highest of so long
STEPS: Final = 10  # such times before the present one: a minute

Place = tuple[str, str]  # (venue, symbol)


class Activity:
    """Kept by the state, record by record; times are Unix ns."""

    def __init__(self) -> None:
        self._day = 0
        self._traded: dict[str, int] = {}  # asset -> value of the day's fills, in its quanta
        self._prices: dict[Place, list[tuple[int, int, int]]] = {}  # (step, lowest, highest)

    def trade(self, asset: str, value: int, unix_ns: int) -> None:
        """Count a fill; one that is taken back later was traded all the same."""
        day = unix_ns // DAY_NS
        if day > self._day:
            self._day, self._traded = day, {}
        self._traded[asset] = self._traded.get(asset, 0) + value

    def traded(self, unix_ns: int) -> dict[str, int]:
        """Return the value of the fills of the UTC day, by the asset that they were paid in."""
        return self._traded if unix_ns // DAY_NS <= self._day else {}

    def ask(self, place: Place, price: int, unix_ns: int) -> None:
        """Note the price of an order of ours."""
        step, steps = unix_ns // STEP_NS, self._prices.get(place)
        if steps is None:
            steps = self._prices[place] = []
        if steps and steps[-1][0] >= step:
            newest, low, high = steps[-1]
            if not low <= price <= high:
                steps[-1] = (newest, min(low, price), max(high, price))
            return
        steps.append((step, price, price))
        del steps[: -STEPS - 1]

    def asked(self, place: Place, unix_ns: int) -> tuple[int, int]:
        """Return the lowest and the highest price of the last minute, zeros if there was none."""
        oldest, low, high = unix_ns // STEP_NS - STEPS, 0, 0
        for step, lowest, highest in self._prices.get(place, ()):
            if step < oldest:
                continue
            if not low or lowest < low:
                low = lowest
            if highest > high:
                high = highest
        return low, high

    def digest(self) -> list[object]:
        """Return all of it, in order."""
        return [self._day, sorted((asset, str(value)) for asset, value in self._traded.items()),
                sorted(self._prices.items())]
