"""Balances, fees, portfolios and key permissions of an account.

Source: shared/venues/coinbase.md "Private" and "Fees", 2026-11-21; shapes after the samples of
ccxt and Nautilus.  An account has one wallet per asset and one portfolio; spot only.
"""

from typing import Any, Final

from engine.model.quanta import from_quanta, plain
from ops.sim.exchange.events import Fill
from ops.sim.face import Answer, Query, count, iso, to_json
from ops.sim.faces.coinbase.app import FIAT
from ops.sim.faces.coinbase.names import uuid_named
from ops.sim.faces.coinbase.reasons import invalid, refused
from ops.sim.floor import Floor
from ops.sim.rules import MONEY_DECIMALS
from ops.sim.truth import money

WALLETS_PAGE: Final = 49  # unless asked for
WALLETS_MAX: Final = 250
DOLLARS: Final = ("USD", "USDC", "USDT", "DAI")
TIER: Final = {"pricing_tier": "Advanced 1", "usd_from": "0", "usd_to": "1000"}


class Accounts:
    """What an account holds and pays."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self._opened = iso(floor.now_ns())
        self._volume: dict[str, tuple[int, int]] = {}  # dollars traded, fees paid

    def note(self, fill: Fill) -> None:
        """Count a fill in the account's volume; only what was traded for dollars counts."""
        if self._floor.exchange.listed[fill.symbol].symbol.quote in DOLLARS:
            volume, fees = self._volume.get(fill.account, (0, 0))
            self._volume[fill.account] = (volume + fill.value, fees + fill.fee)

    def wallets(self, account: str, query: Query) -> Answer:
        """Tell the balances, a page at a time."""
        limit = count(query.get("limit"), default=WALLETS_PAGE, most=WALLETS_MAX)
        if limit is None:
            return invalid(f"limit must be a number within 1..{WALLETS_MAX}")
        rows = self._rows(account)
        cursor = query.get("cursor", "")
        if cursor:
            rows = [row for row in rows if row["currency"] > cursor]
        page, more = rows[:limit], len(rows) > limit
        return to_json({
            "accounts": page, "has_next": more,
            "cursor": page[-1]["currency"] if more else "", "size": len(page)})

    def wallet(self, account: str, name: str) -> Answer:
        """Tell one balance."""
        for row in self._rows(account):
            if row["uuid"] == name:
                return to_json({"account": row})
        return refused("NOT_FOUND", "account was not found", 404)

    def _rows(self, account: str) -> list[dict[str, Any]]:
        now = iso(self._floor.now_ns())
        return [
            {
                "uuid": uuid_named("wallet", account, asset), "name": f"{asset} Wallet",
                "currency": asset,
                "available_balance": {"value": money(free), "currency": asset},
                "default": True, "active": True, "created_at": self._opened, "updated_at": now,
                "deleted_at": None,
                "type": "ACCOUNT_TYPE_FIAT" if asset in FIAT else "ACCOUNT_TYPE_CRYPTO",
                "ready": True,
                "hold": {"value": money(locked), "currency": asset},
                "retail_portfolio_id": uuid_named("portfolio", account),
                "platform": "ACCOUNT_PLATFORM_CONSUMER",
            }
            for asset, (free, locked) in sorted(self._floor.exchange.balances(account).items())
        ]

    def old_wallets(self, account: str, query: Query) -> Answer:
        """Tell the balances as the old app's /v2 does: one amount, holds included."""
        limit = count(query.get("limit"), default=25, most=WALLETS_MAX)
        if limit is None:
            return invalid(f"limit must be a number within 1..{WALLETS_MAX}")
        rows = [
            {
                "id": uuid_named("wallet", account, asset), "name": f"{asset} Wallet",
                "primary": False, "type": "fiat" if asset in FIAT else "wallet",
                "currency": {"code": asset, "name": FIAT.get(asset, asset),
                             "exponent": 2 if asset in FIAT else 8,
                             "type": "fiat" if asset in FIAT else "crypto"},
                "balance": {"amount": money(free + locked), "currency": asset},
                "created_at": self._opened, "updated_at": self._opened, "resource": "account",
                "resource_path": f"/v2/accounts/{uuid_named('wallet', account, asset)}",
                "allow_deposits": True, "allow_withdrawals": True,
            }
            for asset, (free, locked) in sorted(self._floor.exchange.balances(account).items())
        ]
        first = query.get("starting_after", "")
        start = next((i + 1 for i, row in enumerate(rows) if row["id"] == first), 0)
        page = rows[start : start + limit]
        more = start + limit < len(rows)
        return to_json({
            "pagination": {
                "ending_before": None, "starting_after": first or None,
                "previous_ending_before": None,
                "next_starting_after": page[-1]["id"] if more else None,
                "limit": limit, "order": "desc", "previous_uri": None, "next_uri": None,
            },
            "data": page,
        })

    def fees(self, account: str) -> Answer:
        """Tell what was traded for dollars, and the rates in force."""
        fees = self._floor.exchange.accounts.by_name[account].fees
        volume, paid = (_number(each) for each in self._volume.get(account, (0, 0)))
        return to_json({
            "total_volume": volume, "total_fees": paid,
            "fee_tier": TIER | {
                "taker_fee_rate": _rate(fees.taker_ppm), "maker_fee_rate": _rate(fees.maker_ppm),
                "aop_from": "", "aop_to": ""},
            "margin_rate": None, "goods_and_services_tax": None,
            "advanced_trade_only_volume": volume, "advanced_trade_only_fees": paid,
            "coinbase_pro_volume": 0, "coinbase_pro_fees": 0, "total_balance": "",
            "has_promo_fee": False,
        })

    @staticmethod
    def permissions(account: str) -> Answer:
        """Tell what a key may do."""
        return to_json({
            "can_view": True, "can_trade": True, "can_transfer": False,
            "portfolio_uuid": uuid_named("portfolio", account), "portfolio_type": "DEFAULT"})

    @staticmethod
    def portfolios(account: str) -> Answer:
        """Tell the account's only portfolio."""
        return to_json({"portfolios": [{
            "name": "Default", "uuid": uuid_named("portfolio", account), "type": "DEFAULT",
            "deleted": False}]})


def _rate(ppm: int) -> str:
    return plain(from_quanta(ppm, 6))


def _number(amount: int) -> float:
    """Return an amount as the JSON number that the venue has here; for display alone."""
    return float(from_quanta(amount, MONEY_DECIMALS))
