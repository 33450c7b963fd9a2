"""What execution holds and does, as lines of text: money, orders, positions, balances."""

from decimal import Decimal
from typing import Final

from rich.text import Text

from ops.portfolio import Balance, Order, Portfolio, Position
from ops.screen import text
from ops.screen.sample import Sample
from ops.screen.section import ALL, BAD, CARE, GOOD, QUIET, Section, line
from ops.screen.text import Cell, Column
from shm.layout import TradingState
from shm.portfolio_layout import OrderState

TRADING: Final = {
    TradingState.ACTIVE: GOOD, TradingState.CAUTIOUS: CARE, TradingState.RESTRICTED: CARE,
    TradingState.HALTED: BAD, TradingState.EMERGENCY: BAD,
}
_ORDER: Final = {
    OrderState.FILLED: GOOD, OrderState.UNKNOWN: BAD, OrderState.REJECTED: CARE,
    OrderState.UNSENT: CARE, OrderState.ABSENT: CARE, OrderState.CANCELLED: QUIET,
    OrderState.EXPIRED: QUIET,
}
ASSETS_WIDTH: Final = 55
ORDERS: Final = (
    Column("orders", 13), Column("age", 6, right=True), Column("venue", 12, grows=True),
    Column("symbol", 8, grows=True), Column("side", 4), Column("price", 10, right=True),
    Column("size", 8, right=True), Column("state", 12, grows=True),
)
POSITIONS: Final = (
    Column("positions", 13, grows=True), Column("symbol", 13, grows=True),
    Column("size", 11, right=True), Column("worth", 11, right=True),
    Column("unrealised", 11, right=True), Column("realised", 11, right=True),
)
VENUE_BALANCES: Final = (
    Column("balances", 13), Column("worth", 10, right=True),
    Column("held", ASSETS_WIDTH, grows=True),
)
BALANCES: Final = (
    Column("balances", 13, grows=True), Column("asset", 8), Column("total", 16, right=True),
    Column("reserved", 13, right=True), Column("worth", 12, right=True),
    Column("counted", 7, right=True),
)


def money_lines(sample: Sample) -> list[Text]:
    """Return two lines of figures: what was made and is at risk, and what was done for it."""
    portfolio = sample.portfolio
    if portfolio is None:
        return []
    made = line("P&L today ", signed(portfolio.profit_day), "  hour ",
                signed(portfolio.profit_hour), "  total ", signed(portfolio.profit))
    if portfolio.losses_in_row:
        made.append(f"  {portfolio.losses_in_row} lost in a row", CARE)
    made.append_text(line("  unhedged ", (
        big(portfolio.unhedged), CARE if portfolio.unhedged else QUIET)))
    made.append(f"  equity {big(portfolio.equity)}")  # the first to go where a screen is narrow
    done = line(
        f"orders {text.count(portfolio.order_count)}: {text.count(portfolio.live_count)} live,",
        (f" {text.count(portfolio.unknown_count)} in doubt",
         BAD if portfolio.unknown_count else QUIET),
        f"  fills {text.count(portfolio.fill_count)}"
        f"  plans {text.count(portfolio.plan_count)}: {text.count(portfolio.open_plans)} open"
        f"  account {portfolio.account}  life {portfolio.life}",
        (f"  rejected {text.count(sample.rejects)}", CARE if sample.rejects else QUIET))
    if sample.doubt:
        done = line((sample.doubt, BAD))
    return [made, done]


def signed(amount: Decimal) -> Cell:
    """Return an amount with its sign, to the cent, in the colour of gain or loss."""
    style = GOOD if amount > 0 else BAD if amount < 0 else QUIET
    return (f"{amount:+,.2f}" if abs(amount) < 1_000_000 else f"{amount:+,.0f}", style)


def big(amount: Decimal) -> str:
    """Return an amount of the reference currency, its cents where they matter."""
    return f"{amount:,.2f}" if abs(amount) < 100_000 else f"{amount:,.0f}"


def short(amount: Decimal) -> str:
    """Return an amount of an asset in at most 8 characters below 1e8."""
    sign, number = ("-" if amount < 0 else ""), abs(float(amount))
    if not number:
        return "0"
    decimals = 0 if number >= 100_000 else 1 if number >= 10_000 else 5 if number < 1 else 2
    return f"{sign}{number:.{decimals + (1 <= number < 100)}f}"


def orders(portfolio: Portfolio, unix_ns: int) -> Section:
    """Return the section of orders: those that live, then the newest."""
    rows = [_order(each, unix_ns) for each in portfolio.orders]
    return Section(ORDERS, rows, "none yet", least=3, first=6, count=portfolio.order_count)


def _order(order: Order, unix_ns: int) -> list[Cell]:
    filled = 100 * order.filled / order.size if order.size else Decimal(0)
    style = _ORDER.get(order.state, CARE if order.live else QUIET)
    return [
        f"#{order.number} {order.purpose}"[:13],
        text.duration(unix_ns - order.born_unix_ns), order.venue,
        order.symbol.partition(":")[0], "buy" if order.side > 0 else "sell",
        text.price(float(order.price)), short(order.size),
        (f"{filled:.0f}% {order.state.name}" if 0 < filled < 100 else order.state.name, style),
    ]


def positions(portfolio: Portfolio) -> Section:
    """Return the section of perpetuals' positions."""
    rows = [_position(each) for each in portfolio.positions]
    return Section(POSITIONS, rows, "none", count=portfolio.position_count)


def _position(position: Position) -> list[Cell]:
    return [position.venue, position.symbol, short(position.size), big(position.value),
            signed(position.unrealised), signed(position.realised)]


def venue_balances(portfolio: Portfolio) -> Section:
    """Return one row for each venue: what all of it is worth, and the dearest assets."""
    by_venue: dict[str, list[Balance]] = {}
    for each in portfolio.balances:
        by_venue.setdefault(each.venue, []).append(each)
    rows: list[list[Cell]] = [
        [venue, big(Decimal(sum(each.value for each in held))), _assets(held)]
        for venue, held in by_venue.items()]
    return Section(VENUE_BALANCES, rows, "none counted yet", least=ALL)


def _assets(held: list[Balance]) -> str:
    """Return as many assets, the dearest first, as a row has room for."""
    made = ""
    for each in held:
        more = f"{'  ' * bool(made)}{each.asset} {short(each.total)}"
        if len(made) + len(more) > ASSETS_WIDTH:
            break
        made += more
    return made


def balances(portfolio: Portfolio, unix_ns: int) -> Section:
    """Return one row for each balance."""
    rows = [_balance(each, unix_ns) for each in portfolio.balances]
    return Section(BALANCES, rows, "none counted yet", least=3, count=portfolio.balance_count)


def _balance(balance: Balance, unix_ns: int) -> list[Cell]:
    counted = unix_ns - balance.counted_unix_ns if balance.counted_unix_ns else None
    return [balance.venue, balance.asset, short(balance.total), short(balance.reserved),
            big(balance.value) if balance.value else "?", text.duration(counted)]
