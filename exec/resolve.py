"""From the config's human units to execution's integers: limits, settings, gateway settings."""

import hashlib
from typing import Final

import msgspec

from engine.config import Config
from engine.config.shipped import limits_of
from engine.runtime.memory import micro
from exec.core.settings import Settings
from exec.gate.limits import Limits

_MS: Final = 1_000_000
_S: Final = 1_000_000_000


def limits(config: Config) -> Limits:
    """Return what the gate compares with; raise ConfigInvalid for a profile that is not there."""
    risk, execution = limits_of(config.risk), config.execution
    return Limits(
        order_notional_max=micro(risk.order_notional_max),
        plan_notional_max=micro(risk.plan_notional_max),
        price_collar_ppm=risk.price_collar_ppm, edge_min_ppm=execution.edge_min_ppm,
        edge_max_ppm=config.detector.edge_max_ppm, profit_max=micro(risk.profit_max),
        signal_age_ns_max=int(risk.signal_age_ms_max * _MS),
        venue_gross_max=micro(risk.venue_gross_max), asset_net_max=micro(risk.asset_net_max),
        strategy_gross_max=micro(risk.strategy_gross_max),
        total_gross_max=micro(risk.total_gross_max), open_orders_max=risk.open_orders_max,
        unhedged_max=micro(risk.unhedged_max), orders_per_s_max=risk.orders_per_s_max,
        cancel_reserve_ppm=risk.cancel_reserve_ppm, loss_day_max=micro(risk.loss_day_max),
        loss_hour_max=micro(risk.loss_hour_max), losses_in_row_max=risk.losses_in_row_max,
        loss_plan_max=micro(risk.loss_plan_max), turnover_day_max=micro(risk.turnover_day_max),
        plans_open_max=risk.plans_open_max, drift_ppm_max=risk.drift_ppm_max,
        rejects_max=risk.rejects_max, executions_max=risk.executions_max,
        repeats_window_ns=int(risk.repeats_window_s * _S),
        cautious_ppm=risk.cautious_ppm)


def settings(config: Config) -> Settings:
    """Return how the core goes about it; raise ConfigInvalid as ``limits`` does."""
    table = config.execution
    return Settings(
        engine=config.name, mode=config.mode, config=fingerprint(config), limits=limits(config),
        policy=table.policy, order=table.order,
        plan_deadline_ns=int(table.plan_deadline_ms * _MS),
        collar_ppm=table.collar_ppm, slack_ppm=table.slack_ppm, attempts_max=table.attempts_max,
        retry_ns=int(table.retry_ms * _MS), hold_max=micro(table.hold_max),
        answer_max_ns=int(table.answer_ms_max * _MS),
        proof_margin_ns=int(table.proof_margin_ms * _MS),
        request_life_ns=int(table.request_life_ms * _MS),
        query_first_ns=int(table.query_first_ms * _MS), query_max_ns=int(table.query_ms_max * _MS),
        survey_ns=int(table.survey_s * _S), drift_surveys_max=table.drift_surveys_max,
        dead_man_ms=int(table.dead_man_s * 1_000),
        breaker_failures_max=table.breaker_failures_max,
        breaker_open_ns=int(table.breaker_open_s * _S), fee_reserve_ppm=table.fee_reserve_ppm,
        cool_down_ns=int(table.cool_down_s * _S))


def fingerprint(config: Config) -> str:
    """Return a hash of the whole config, as the journal keeps it."""
    return hashlib.sha256(msgspec.json.encode(config)).hexdigest()[:16]
