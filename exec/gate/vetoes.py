"""The reason code of each refusal, as fates and counters know it."""

from typing import Final

from exec.gate.checks import Refusal
from shm.layout import Veto

BOOK: Final = "book"  # its number is the reason code itself
VETOES: Final = {
    "killed": Veto.KILLED, "trading_state": Veto.TRADING_STATE,
    "side": Veto.INSANE, "price": Veto.INSANE, "size": Veto.INSANE, "notional": Veto.INSANE,
    "needs": Veto.INSANE, "orders": Veto.INSANE,
    "expired": Veto.EXPIRED, "signal_age": Veto.SIGNAL_AGE, "duplicate": Veto.DUPLICATE,
    "strategy_paused": Veto.STRATEGY_PAUSED, "paused": Veto.VENUE_PAUSED,
    "venue_unready": Veto.VENUE_UNREADY, "breaker": Veto.BREAKER,
    "strategy_barred": Veto.BREAKER, "plans_open": Veto.EXPOSURE, "turnover": Veto.EXPOSURE,
    "instrument": Veto.INSANE,
    "edge": Veto.EDGE, "too_good": Veto.TOO_GOOD, "profit": Veto.PROFIT,
    "tick": Veto.GRID, "lot": Veto.GRID, "size_min": Veto.SIZE, "notional_min": Veto.NOTIONAL,
    "no_touch": Veto.COLLAR, "collar": Veto.COLLAR, "no_reference": Veto.COLLAR,
    "reference": Veto.COLLAR, "drift": Veto.COLLAR,
    "order_notional": Veto.ORDER_NOTIONAL, "plan_notional": Veto.PLAN_NOTIONAL,
    "open_orders": Veto.OPEN_ORDERS, "order_rate": Veto.ORDER_RATE,
    "self_trade": Veto.SELF_TRADE,
    "loss_day": Veto.LOSS, "loss_hour": Veto.LOSS, "losses_in_row": Veto.LOSS,
    "asset_net": Veto.EXPOSURE, "venue_gross": Veto.EXPOSURE, "strategy_gross": Veto.EXPOSURE,
    "total_gross": Veto.EXPOSURE, "unhedged": Veto.EXPOSURE, "balance": Veto.BALANCE,
}


def veto_of(refusal: Refusal) -> Veto:
    """Return the code of a refusal; KeyError for a check that no code is given."""
    return Veto(refusal.number) if refusal.check == BOOK else VETOES[refusal.check]
