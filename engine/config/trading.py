"""The tables that say what execution may do: risk, orders, accounts, paper money, books kept.

Money is in units of the reference currency, which USD, USDT and USDC each count as one of.
"""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from engine.config.tables import (
    Core,
    Milliseconds,
    Notional,
    NotionalMin,
    Ppm,
    Seconds,
    Table,
)

Share = Annotated[int, Meta(ge=0, le=1_000_000)]  # ppm
PLENTY: Final = {"USD": 1_000_000.0, "USDT": 1_000_000.0, "USDC": 1_000_000.0, "BTC": 20.0,
                 "ETH": 500.0, "SOL": 10_000.0, "XRP": 500_000.0}
Count = Annotated[int, Meta(ge=1, le=1_000_000)]


class RiskLimits(Table, frozen=True):
    """Every limit that the gate compares with; a profile sets all of them, none is infinite."""

    order_notional_max: Notional  # of one order
    plan_notional_max: Notional  # of all legs of one plan
    price_collar_ppm: Share  # how far beyond the touch a limit price may lie
    profit_max: Notional  # of one plan: more is bad data
    signal_age_ms_max: Milliseconds
    venue_gross_max: Notional  # of orders that may still fill, per venue
    asset_net_max: Notional  # of one asset over all venues, absolute
    strategy_gross_max: Notional
    total_gross_max: Notional
    open_orders_max: Count  # per venue
    unhedged_max: Notional  # what open plans hold on one side only
    orders_per_s_max: Count  # per venue
    cancel_reserve_ppm: Share  # of the request budget, for cancels alone
    loss_day_max: Notional
    loss_hour_max: Notional
    losses_in_row_max: Count
    loss_plan_max: Notional  # of one plan: more restricts trading
    turnover_day_max: Notional  # value of all fills of a UTC day, both legs
    plans_open_max: Count  # at once
    drift_ppm_max: Share  # of our own prices in one book within a minute
    rejects_max: Count  # of one strategy's orders within repeats_window_s: so many stop it
    executions_max: Count  # plans of one strategy within that window: so many stop it
    repeats_window_s: Seconds
    cautious_ppm: Share  # in CAUTIOUS the maxima of size shrink to this share


class Risk(Table, frozen=True):
    """A shipped profile (configs/risk), and what this config sets otherwise."""

    profile: Literal["conservative", "moderate", "aggressive"]
    order_notional_max: Notional | None = None
    plan_notional_max: Notional | None = None
    price_collar_ppm: Share | None = None
    profit_max: Notional | None = None
    signal_age_ms_max: Milliseconds | None = None
    venue_gross_max: Notional | None = None
    asset_net_max: Notional | None = None
    strategy_gross_max: Notional | None = None
    total_gross_max: Notional | None = None
    open_orders_max: Count | None = None
    unhedged_max: Notional | None = None
    orders_per_s_max: Count | None = None
    cancel_reserve_ppm: Share | None = None
    loss_day_max: Notional | None = None
    loss_hour_max: Notional | None = None
    losses_in_row_max: Count | None = None
    loss_plan_max: Notional | None = None
    turnover_day_max: Notional | None = None
    plans_open_max: Count | None = None
    drift_ppm_max: Share | None = None
    rejects_max: Count | None = None
    executions_max: Count | None = None
    repeats_window_s: Seconds | None = None
    cautious_ppm: Share | None = None


class Execution(Table, frozen=True):
    """What execution demands of a signal, and how it goes about orders."""

    edge_min_ppm: Ppm  # on the books as they are when the signal arrives
    durability: Literal["process", "power"] = "power"  # survives a crash; or a power cut as well
    policy: Literal["best", "chase", "unwind", "hold"] = "best"  # of a failed leg
    order: Literal["together", "riskier-first"] = "together"  # of legs
    plan_deadline_ms: Milliseconds = 5_000.0  # then what is not hedged halts trading
    collar_ppm: Share = 5_000  # from its first price, for chasing and unwinding a leg
    slack_ppm: Share = 500  # beyond what the book shows, so that a hedge fills
    attempts_max: Count = 8  # hedging orders per plan
    retry_ms: Milliseconds = 100.0
    hold_max: NotionalMin = 5.0  # a residual worth less is kept
    answer_ms_max: Milliseconds = 2_000.0  # an order without an answer is in doubt then
    request_life_ms: Annotated[float, Meta(ge=1_000, le=60_000)] = 5_000.0  # venues refuse later
    proof_margin_ms: Milliseconds = 2_000.0  # absence counts this long after that
    query_first_ms: Milliseconds = 100.0
    query_ms_max: Milliseconds = 3_000.0
    survey_s: Seconds = 30.0  # between reconciliations of a venue
    drift_surveys_max: Count = 3  # unexplained differences in a row that halt
    dead_man_s: Annotated[float, Meta(ge=0, le=3_600)] = 60.0  # 0: never armed
    breaker_failures_max: Count = 5
    breaker_open_s: Seconds = 30.0
    fee_reserve_ppm: Share = 2_000  # kept beside an order's value
    cool_down_s: Annotated[float, Meta(ge=0, le=86_400)] = 0.0  # 0: only an operator lowers
    guard_after_ms: Milliseconds = 3_000.0  # dead or hung for so long: the guard cancels all
    cpu: Core | None = None


class Account(Table, frozen=True):
    """The API key that trades at a venue: where its parts are, never what they are."""

    key: str  # "env:NAME" or "file:/PATH"
    secret: str
    fingerprint: Annotated[str, Meta(pattern="^[0-9a-f]{12}$")]  # that this key must have
    passphrase: str = ""
    orders_url: str = ""  # empty: the venue's own
    user_url: str = ""
    rest_url: str = ""


class Paper(Table, frozen=True):
    """The account and the delays of paper trading and of dry runs."""

    latency_ms: Milliseconds = 20.0  # to the venue, and back again
    latency_jitter_ms: Annotated[float, Meta(ge=0, le=10_000)] = 10.0
    seed: Annotated[int, Meta(ge=0, le=2**63 - 1)] = 1
    balances: dict[str, NotionalMin] = msgspec.field(default_factory=PLENTY.copy)  # at each venue


class Ledger(Table, frozen=True):
    """Where the ledger is written."""

    url: str = ""  # empty: SQLite beside the journal; or postgresql://user@host/database
    password: str = ""  # "env:NAME" or "file:/PATH", for PostgreSQL
    metrics_every_s: Seconds = 10.0


class Storage(Table, frozen=True):
    """Where journals and ledgers lie."""

    folder: str = ""  # empty: $XDG_STATE_HOME/trypto-engine/<name>/books

