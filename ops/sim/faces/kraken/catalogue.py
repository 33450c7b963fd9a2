"""What Kraken lists: AssetPairs and Assets in REST, the instrument channel in v2.

Both read the limits in force, so a fault that changes them shows at once.
Source: shared/venues/kraken.md (Symbols, Fees), 2026-11-21.
"""

from collections.abc import Iterable
from typing import Any, Final

from engine.model.quanta import plain
from ops.sim.faces.kraken import names
from ops.sim.faces.kraken.answers import STATUSES
from ops.sim.faces.kraken.instruments import (
    COST_DECIMALS,
    Instrument,
    balance_decimals,
    money,
    number,
)
from ops.sim.rules import HOUSES

_HOUSE: Final = HOUSES["kraken"]
TAKER_TIERS: Final = ((0, _HOUSE.taker_ppm / 10_000), (10_000, 0.35), (50_000, 0.24))
MAKER_TIERS: Final = ((0, _HOUSE.maker_ppm / 10_000), (10_000, 0.2), (50_000, 0.14))


def pair_row(each: Instrument) -> dict[str, Any]:
    """Return one pair of AssetPairs."""
    filters = each.filters
    return {
        "altname": each.altname, "wsname": each.wsname, "aclass_base": "currency",
        "base": names.code(each.base), "aclass_quote": "currency",
        "quote": names.code(each.quote), "lot": "unit", "cost_decimals": COST_DECIMALS,
        "pair_decimals": _decimals(each.tick()), "lot_decimals": _decimals(each.size(filters.lot)),
        "lot_multiplier": 1, "leverage_buy": [], "leverage_sell": [],
        "fees": TAKER_TIERS, "fees_maker": MAKER_TIERS, "fee_volume_currency": "ZUSD",
        "margin_call": 80, "margin_stop": 40, "ordermin": each.size_min(),
        "costmin": money(filters.notional_min, 1), "tick_size": each.tick(),
        "status": STATUSES[filters.mode],
    }


def _decimals(step: str) -> int:
    """Return how many decimals a step needs: faults make steps coarser."""
    return len(plain(step).partition(".")[2])


def asset_row(asset: str) -> dict[str, Any]:
    """Return one asset of Assets."""
    return {
        "aclass": "currency", "altname": names.short(asset),
        "decimals": balance_decimals(asset), "display_decimals": balance_decimals(asset) // 2,
        "status": "enabled",
    }


def instruments(pairs: Iterable[Instrument], assets: Iterable[str]) -> dict[str, Any]:
    """Return the data of the instrument channel."""
    return {
        "assets": [{
            "id": asset, "status": "enabled", "precision": balance_decimals(asset),
            "precision_display": balance_decimals(asset) // 2, "borrowable": False,
            "collateral_value": number("1.00"),
        } for asset in assets],
        "pairs": [_v2_row(each) for each in pairs],
    }


def _v2_row(each: Instrument) -> dict[str, Any]:
    filters, line = each.filters, each.line
    tick = number(each.tick())
    return {
        "symbol": each.native, "base": each.base, "quote": each.quote,
        "status": STATUSES[filters.mode], "qty_precision": line.lot_decimals,
        "qty_increment": number(each.size(filters.lot)),
        "price_precision": line.tick_decimals, "cost_precision": COST_DECIMALS,
        "marginable": False, "has_index": True,
        "cost_min": number(money(filters.notional_min, 2)), "tick_size": tick,
        "price_increment": tick, "qty_min": number(each.size(filters.size_min)),
    }
