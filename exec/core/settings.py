"""How the core goes about it; times in ns, money in millionths of the reference currency."""

import msgspec

from exec.gate.limits import Limits


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """One config's execution table, resolved."""

    engine: str
    mode: str  # dry_run, paper or live
    config: str  # its hash
    limits: Limits
    policy: str  # chase, unwind, hold, or best: the cheaper of the first two by walking the book
    order: str  # together, or riskier-first: see exec.core.turns
    plan_deadline_ns: int  # after this a residual halts trading
    collar_ppm: int  # how far from its first price a leg may be chased or unwound
    slack_ppm: int  # beyond the price that the book shows, so that a hedge fills though it moves
    attempts_max: int  # hedging orders per plan, until an operator looked
    retry_ns: int  # between attempts that the gate refused
    hold_max: int  # a residual worth less is kept
    answer_max_ns: int  # an order without an answer for so long is in doubt
    proof_margin_ns: int  # absence counts when asked this long after the order's own deadline
    request_life_ns: int  # what venues are told: recvWindow, deadline, expTime
    query_first_ns: int  # after a doubt; doubles up to query_max_ns
    query_max_ns: int
    survey_ns: int  # between reconciliations of a venue
    drift_surveys_max: int  # unexplained differences in a row that halt an account
    dead_man_ms: int  # the venue cancels everything if not renewed for so long; 0: never armed
    breaker_failures_max: int
    breaker_open_ns: int
    fee_reserve_ppm: int  # kept beside an order's value for its fee
    cool_down_ns: int  # after which CAUTIOUS and RESTRICTED end by themselves; 0: never
