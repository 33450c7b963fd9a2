"""A refusal of the gate in words: what was found, what it was compared with, in people's units."""

from typing import Final

from engine.model.quanta import from_quanta, plain
from exec.gate.checks import Refusal
from exec.records import Listed
from shm.layout import TradingState, Veto

_MICRO_DECIMALS: Final = 6
_PRICES: Final = frozenset({
    "price", "tick", "collar", "no_touch", "self_trade", "reference", "no_reference", "drift"})
_SIZES: Final = frozenset({"size", "lot", "size_min"})
_MONEY: Final = frozenset({
    "notional", "notional_min", "order_notional", "plan_notional", "asset_net", "venue_gross",
    "strategy_gross", "total_gross", "unhedged", "loss_day", "loss_hour", "profit", "balance",
    "turnover"})
_SAID: Final = {
    "killed": "the kill word is set; take it back with: trypto-engine reset REASON",
    "trading_state": "trading is {number}, orders like this one need {limit} or better",
    "venue_unready": "no orders can go to {where}",
    "breaker": "the breaker of {where} is open: its last orders failed",
    "instrument": "no instrument of this run: {where}",
    "book": "the book of {where} is not to be believed now: {number}",
    "tick": "price {number} of {where} is no multiple of its tick {limit}",
    "lot": "size {number} of {where} is no multiple of its lot {limit}",
    "size_min": "size {number} is less than {where} takes: {limit}",
    "notional_min": "worth {number}, less than {where} takes: {limit}",
    "no_touch": "the book of {where} is empty on that side",
    "collar": "price {number} is farther beyond the touch of {where}, {limit}, than the collar"
              " allows: risk.price-collar-ppm",
    "reference": "price {number} of {where} is farther from where the venues are, {limit}, than"
                 " the collar allows: risk.price-collar-ppm",
    "drift": "price {number} of {where} is farther from one that we asked there within the last"
             " minute, {limit}, than risk.drift-ppm-max allows",
    "self_trade": "price {number} of {where} would meet an order of ours at {limit}",
    "open_orders": "{number} orders would be open at {where}, the limit is {limit}",
    "order_rate": "{number} orders at {where}, but its request budget has room for {limit} now",
    "balance": "{number} of {where} needed, {limit} free",
}
_PLAIN: Final = "{check}: {number}, the limit is {limit}{at}"


def of_refusal(refusal: Refusal, listed: Listed | None) -> str:
    """Return a refusal in words; ``listed`` is the order's instrument, whose quanta it counts."""
    number, limit = (_read(refusal.check, each, listed)
                     for each in (refusal.number, refusal.limit))
    at = f" ({refusal.where})" if refusal.where else ""
    return _SAID.get(refusal.check, _PLAIN).format(
        check=refusal.check.replace("_", " "), number=number, limit=limit, where=refusal.where,
        at=at)


def _read(check: str, number: int, listed: Listed | None) -> str:
    if check == "trading_state":
        return TradingState(number).name
    if check == "book":
        return Veto(number).name.lower().replace("_", " ")
    if check in _MONEY:
        return plain(from_quanta(number, _MICRO_DECIMALS))
    if listed is not None and check in _PRICES:
        return plain(from_quanta(number, listed.price_decimals))
    if listed is not None and check in _SIZES:
        return plain(from_quanta(number, listed.size_decimals))
    return str(number)
