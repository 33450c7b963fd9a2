"""The kinds of records, by the numbers and fields that ``exec/records.py`` promises never to move.

Written down a second time on purpose: a field that changes its place there is found here.
"""

from typing import Any, Final, NamedTuple, TypeAlias


class Opened(NamedTuple):
    """1: a life begins."""

    schema: int
    engine: str
    mode: str
    birth: int
    life: int
    config: str
    pid: int


class Closed(NamedTuple):
    """2: it ended by itself."""

    why: str


class Listed(NamedTuple):
    """3: how an instrument is counted from now on."""

    venue: str
    symbol: str
    native: str
    base: str
    quote: str
    settle: str
    price_decimals: int
    size_decimals: int


class Decided(NamedTuple):
    """4: a signal was judged; legs are [venue, symbol, side, price, size, version]."""

    run: int
    sequence: int
    strategy: int
    window: int
    legs: list[list[Any]]
    net_edge_ppm: int
    refused: str
    number: int
    limit: int
    profit_micro: int


class Planned(NamedTuple):
    """5: legs that belong together: [venue, symbol, side, price, size, collar]."""

    plan: int
    run: int
    sequence: int
    strategy: int
    legs: list[list[Any]]
    policy: str
    unwind: list[list[Any]]
    deadline_ns: int
    profit_micro: int
    turns: str = "together"  # riskier-first: the first leg leaves alone


class PlanClosed(NamedTuple):
    """6: a plan is over."""

    plan: int
    outcome: str
    residual: int
    profit_micro: int


class Intended(NamedTuple):
    """7: an order is about to leave."""

    order: int
    plan: int
    leg: int
    venue: str
    symbol: str
    side: int
    price: int
    size: int
    tif: int
    post_only: bool
    reduce_only: bool
    client_id: str
    approval: int
    deadline_unix_ns: int
    purpose: str


class Sent(NamedTuple):
    """8: its bytes left; ``book_version`` and ``distrust`` say what the book was worth then."""

    order: int
    channel: str
    book_version: int = -1  # -1: a journal from before this was written down
    distrust: int = 0


class Unsent(NamedTuple):
    """9: not a byte of it left."""

    order: int
    why: str


class Acknowledged(NamedTuple):
    """10: the venue has it."""

    order: int
    venue_order: str


class Rejected(NamedTuple):
    """11: the venue refused it."""

    order: int
    code: str
    text: str


class Filled(NamedTuple):
    """12: a trade; order 0 is not ours."""

    order: int
    venue: str
    symbol: str
    trade: str
    side: int
    price: int
    size: int
    fee: str
    fee_asset: str
    taker: bool
    venue_unix_ns: int
    source: str
    realised: str = ""  # of a perpetual, as the venue credited it; "": it said nothing


class Busted(NamedTuple):
    """13: a trade was taken back."""

    venue: str
    symbol: str
    trade: str
    evidence: str


class Ended(NamedTuple):
    """14: it rests no more."""

    order: int
    how: str
    venue_filled: int
    evidence: str


class CancelAsked(NamedTuple):
    """15: a cancel is about to leave."""

    order: int
    why: str


class CancelRefused(NamedTuple):
    """16: the venue did not cancel."""

    order: int
    code: str
    text: str


class Doubted(NamedTuple):
    """17: nobody knows."""

    order: int
    why: str


class Proven(NamedTuple):
    """18: evidence; found is 1 open, 2 ended, 3 absent."""

    order: int
    found: int
    venue_order: str
    venue_filled: int
    evidence: str


class Odd(NamedTuple):
    """19: something that cannot be."""

    order: int
    event: str
    text: str


class Posted(NamedTuple):
    """20: money moved without a trade."""

    venue: str
    asset: str
    amount: str
    kind: str
    reference: str


class Counted(NamedTuple):
    """21: the venue's word of a balance."""

    venue: str
    asset: str
    free: str
    locked: str
    source: str


class Held(NamedTuple):
    """22: the venue's word of a position."""

    venue: str
    symbol: str
    size: int
    source: str


class StateChanged(NamedTuple):
    """23: the trading state moved: 1 active, 2 cautious, 3 restricted, 4 halted, 5 emergency."""

    before: int
    now: int
    why: str
    who: str


class BreakerMoved(NamedTuple):
    """24: a circuit breaker moved."""

    name: str
    before: str
    now: str
    why: str


class Commanded(NamedTuple):
    """25: an operator's command."""

    command_id: str
    verb: str
    arguments: str
    refused: str


class Foreign(NamedTuple):
    """26: somebody else acted on the account."""

    venue: str
    symbol: str
    venue_order: str
    client_id: str
    text: str


Fact: TypeAlias = (
    Opened | Closed | Listed | Decided | Planned | PlanClosed | Intended | Sent | Unsent
    | Acknowledged | Rejected | Filled | Busted | Ended | CancelAsked | CancelRefused | Doubted
    | Proven | Odd | Posted | Counted | Held | StateChanged | BreakerMoved | Commanded | Foreign
)
KINDS: Final[dict[int, Any]] = dict(enumerate((
    Opened, Closed, Listed, Decided, Planned, PlanClosed, Intended, Sent, Unsent, Acknowledged,
    Rejected, Filled, Busted, Ended, CancelAsked, CancelRefused, Doubted, Proven, Odd, Posted,
    Counted, Held, StateChanged, BreakerMoved, Commanded, Foreign), start=1))
