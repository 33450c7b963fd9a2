"""What execution does, on a screen of its own: every order, position and balance that has room."""

from rich.text import Text

from ops.screen import holdings
from ops.screen.sample import Sample
from ops.screen.section import APART, CARE, beside, fill, line
from ops.screen.view import TWO_PANES, headline, notice, signals


def render(sample: Sample, width: int, height: int, said: str = "") -> list[Text]:
    """Return at most ``height`` lines of at most ``width`` characters; ``said`` is a message."""
    lines = _lines(sample, width, height, said)
    for each in lines:
        each.truncate(width)
    return lines[:height]


def _lines(sample: Sample, width: int, height: int, said: str) -> list[Text]:
    top = [headline(sample), notice(sample, said), *holdings.money_lines(sample)]
    portfolio = sample.portfolio
    if portfolio is None:
        return [*top, line(("execution has told nothing yet", CARE))]
    for venue, why in portfolio.unready.items():
        top.append(line((f"no orders to {venue} now: {why}", CARE)))
    orders = holdings.orders(portfolio, sample.unix_ns)
    balances = holdings.balances(portfolio, sample.unix_ns)
    held = [holdings.positions(portfolio), balances] if portfolio.positions else [balances]
    room, decided = height - len(top), signals(sample)
    if width >= TWO_PANES:
        pane = (width - APART) // 2
        return top + beside(fill([orders, decided], [orders, decided], pane, room),
                            fill(held, held, pane, room), pane)
    sections = [orders, *held, decided]
    return top + fill(sections, sections, width, room)
