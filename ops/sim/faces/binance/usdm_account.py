"""An account on USD-M: its balances and positions.

Source: developers.binance.com/docs/derivatives/usds-margined-futures/account and trade/rest-api,
read 2026-11-21.  One-way mode and single-asset margin only.  Nobody is liquidated, so
``liquidationPrice`` is always "0"; initial margins are what the matching engine holds.
"""

import base64
import hashlib
from typing import Final

import msgspec

from ops.sim.exchange.orders import BUY
from ops.sim.exchange.positions import Position
from ops.sim.faces.binance.door import Ask
from ops.sim.faces.binance.usdm_request import Reader
from ops.sim.faces.binance.usdm_text import Rows, money
from ops.sim.floor import Floor

LEVERAGE_FIRST: Final = 20
MAINTENANCE_PPM: Final = 4_000  # of the one bracket that every contract has
NOTIONAL_CAP: Final = 500_000_000  # quote units
PPM: Final = 1_000_000


class Setting(msgspec.Struct):
    """What an account chose for one contract."""

    leverage: int = LEVERAGE_FIRST
    isolated: bool = False


class Wallet(msgspec.Struct, frozen=True):
    """One asset of an account, in money quanta."""

    balance: int
    unrealised: int
    positions: int  # initial margin of positions
    orders: int  # and of open orders
    maintenance: int
    available: int
    isolated: int


class Accounts:
    """Reads and sets what belongs to accounts."""

    def __init__(self, floor: Floor, reader: Reader, rows: Rows) -> None:
        self._floor, self._reader, self._rows = floor, reader, rows
        self._settings: dict[tuple[str, str], Setting] = {}
        self.updated_ms: dict[tuple[str, str], int] = {}  # account, asset or contract
        self._paid_in_ms = floor.now_ns() // 1_000_000  # a wallet without a time is none to ccxt

    def setting(self, account: str, native: str) -> Setting:
        """Return what an account chose for a contract."""
        return self._settings.setdefault((account, native), Setting())

    def mark(self, native: str) -> int:
        """Return the price that open profit goes by, in the contract's price quanta."""
        return self._floor.exchange.listed[native].reference or self._floor.mid(native)

    # --- sums ----------------------------------------------------------------------------------

    def unrealised(self, native: str, position: Position) -> int:
        """Return a position's open profit."""
        symbol = self._floor.exchange.listed[native].symbol
        return position.unrealised(symbol.value(self.mark(native), 1)) if position.size else 0

    def notional(self, native: str, position: Position) -> int:
        """Return a position's signed value at the mark price."""
        symbol = self._floor.exchange.listed[native].symbol
        return position.size * symbol.value(self.mark(native), 1)

    def held(self, account: str, native: str) -> int:
        """Return what open orders of a contract hold."""
        return sum(order.reserved
                   for order in self._floor.exchange.open_orders(account, native))

    def wallet(self, account: str, asset: str) -> Wallet:
        """Sum up one asset of an account."""
        exchange = self._floor.exchange
        free, locked = exchange.balance(account, asset)
        unrealised = margins = maintenance = orders = isolated = 0
        for native, listed in exchange.listed.items():
            if listed.symbol.quote != asset:
                continue
            position = exchange.position(account, native)
            unrealised += self.unrealised(native, position)
            margins += position.margin
            orders += self.held(account, native)
            maintenance += abs(self.notional(native, position)) * MAINTENANCE_PPM // PPM
            if self.setting(account, native).isolated:
                isolated += position.margin
        available = exchange.accounts.available(exchange.accounts.by_name[account], asset)
        return Wallet(
            free + locked, unrealised, margins, orders, maintenance, max(0, available), isolated)

    def _assets(self) -> list[str]:
        return sorted(self._floor.exchange.assets)

    # --- balances ------------------------------------------------------------------------------

    def balance(self, ask: Ask) -> object:
        """Return the wallet of every asset."""
        ask.params.done()
        rows = []
        for asset in self._assets():
            wallet = self.wallet(ask.account, asset)
            rows.append({
                "accountAlias": alias(ask.account), "asset": asset,
                "balance": money(wallet.balance),
                "crossWalletBalance": money(wallet.balance - wallet.isolated),
                "crossUnPnl": money(wallet.unrealised),
                "availableBalance": money(wallet.available),
                "maxWithdrawAmount": money(wallet.available), "marginAvailable": True,
                "updateTime": self.updated_ms.get((ask.account, asset), self._paid_in_ms),
            })
        return rows

    def account_v2(self, ask: Ask) -> object:
        """Return the account as version 2 tells it: every contract, traded or not."""
        ask.params.done()
        head: dict[str, object] = {
            "feeTier": 0, "feeBurn": False, "canTrade": True, "canDeposit": True,
            "canWithdraw": True, "updateTime": 0, "multiAssetsMargin": False, "tradeGroupId": -1,
        }
        assets = [row | {"marginAvailable": True} for row in self._asset_rows(ask.account)]
        positions = [self._account_v2_position(ask.account, native)
                     for native in self._floor.exchange.listed]
        return head | self._totals(ask.account) | {"assets": assets, "positions": positions}

    def account_v3(self, ask: Ask) -> object:
        """Return the account as version 3 tells it: contracts with a position or orders."""
        ask.params.done()
        positions = [self._account_v3_position(ask.account, native)
                     for native in self._touched(ask.account)]
        return self._totals(ask.account) | {
            "assets": self._asset_rows(ask.account), "positions": positions}

    def _totals(self, account: str) -> dict[str, object]:
        """Return the sums of the account: of USDT, as in single-asset mode."""
        assets = self._floor.exchange.assets
        wallet = self.wallet(account, "USDT" if "USDT" in assets else self._assets()[0])
        return {
            "totalInitialMargin": money(wallet.positions + wallet.orders),
            "totalMaintMargin": money(wallet.maintenance),
            "totalWalletBalance": money(wallet.balance),
            "totalUnrealizedProfit": money(wallet.unrealised),
            "totalMarginBalance": money(wallet.balance + wallet.unrealised),
            "totalPositionInitialMargin": money(wallet.positions),
            "totalOpenOrderInitialMargin": money(wallet.orders),
            "totalCrossWalletBalance": money(wallet.balance - wallet.isolated),
            "totalCrossUnPnl": money(wallet.unrealised),
            "availableBalance": money(wallet.available),
            "maxWithdrawAmount": money(wallet.available),
        }

    def _asset_rows(self, account: str) -> list[dict[str, object]]:
        rows = list[dict[str, object]]()
        for asset in self._assets():
            wallet = self.wallet(account, asset)
            rows.append({
                "asset": asset, "walletBalance": money(wallet.balance),
                "unrealizedProfit": money(wallet.unrealised),
                "marginBalance": money(wallet.balance + wallet.unrealised),
                "maintMargin": money(wallet.maintenance),
                "initialMargin": money(wallet.positions + wallet.orders),
                "positionInitialMargin": money(wallet.positions),
                "openOrderInitialMargin": money(wallet.orders),
                "crossWalletBalance": money(wallet.balance - wallet.isolated),
                "crossUnPnl": money(wallet.unrealised),
                "availableBalance": money(wallet.available),
                "maxWithdrawAmount": money(wallet.available),
                "updateTime": self.updated_ms.get((account, asset), self._paid_in_ms),
            })
        return rows

    # --- positions -----------------------------------------------------------------------------

    def _touched(self, account: str) -> list[str]:
        exchange = self._floor.exchange
        return [native for native in exchange.listed
                if exchange.position(account, native).size
                or exchange.open_orders(account, native)]

    def _margins(self, account: str, native: str) -> dict[str, object]:
        position = self._floor.exchange.position(account, native)
        held = self.held(account, native)
        maintenance = abs(self.notional(native, position)) * MAINTENANCE_PPM // PPM
        return {
            "initialMargin": money(position.margin + held), "maintMargin": money(maintenance),
            "positionInitialMargin": money(position.margin),
            "openOrderInitialMargin": money(held),
        }

    def _account_v2_position(self, account: str, native: str) -> dict[str, object]:
        position, setting = self._floor.exchange.position(account, native), self.setting(
            account, native)
        numbers = self._rows.numbers[native]
        bids, asks = self._notionals(account, native)
        return {"symbol": native} | self._margins(account, native) | {
            "unrealizedProfit": money(self.unrealised(native, position)),
            "leverage": str(setting.leverage), "isolated": setting.isolated,
            "entryPrice": numbers.average(position.cost, position.size),
            "breakEvenPrice": self.break_even(account, native, position),
            "maxNotional": str(NOTIONAL_CAP), "bidNotional": bids, "askNotional": asks,
            "positionSide": "BOTH", "positionAmt": numbers.size(position.size),
            "updateTime": self.updated_ms.get((account, native), 0),
        }

    def _account_v3_position(self, account: str, native: str) -> dict[str, object]:
        position = self._floor.exchange.position(account, native)
        unrealised = self.unrealised(native, position)
        margins = self._margins(account, native)
        return {
            "symbol": native, "positionSide": "BOTH",
            "positionAmt": self._rows.numbers[native].size(position.size),
            "unrealizedProfit": money(unrealised),
            "notional": money(self.notional(native, position)),
            "initialMargin": margins["initialMargin"], "maintMargin": margins["maintMargin"],
            "updateTime": self.updated_ms.get((account, native), 0),
        } | self._isolated(account, native, position, unrealised)

    def _isolated(
        self, account: str, native: str, position: Position, unrealised: int
    ) -> dict[str, object]:
        isolated = self.setting(account, native).isolated and position.size
        return {
            "isolatedMargin": money(position.margin + unrealised if isolated else 0),
            "isolatedWallet": money(position.margin if isolated else 0),
        }

    def _notionals(self, account: str, native: str) -> tuple[str, str]:
        """Return what open buys and open sells are worth at their limits."""
        symbol, sums = self._floor.exchange.listed[native].symbol, {True: 0, False: 0}
        for order in self._floor.exchange.open_orders(account, native):
            sums[order.side == BUY] += symbol.value(order.price, order.remaining)
        return money(sums[True]), money(sums[False])

    def break_even(self, account: str, native: str, position: Position) -> str:
        """Return the entry price moved by what closing costs at the taker's rate."""
        fees = self._floor.exchange.accounts.by_name[account].fees
        cost = position.cost + abs(position.cost) * fees.taker_ppm // PPM
        return self._rows.numbers[native].average(cost, position.size)

    def risk_v2(self, ask: Ask) -> object:
        """Return positions as version 2 tells them: every contract, held or not."""
        native = self._reader.optional_symbol(ask.params)
        ask.params.done()
        natives = [native] if native else list(self._floor.exchange.listed)
        return [self._risk_v2(ask.account, each) for each in natives]

    def _risk_v2(self, account: str, native: str) -> dict[str, object]:
        position, numbers = self._floor.exchange.position(account, native), self._rows.numbers[
            native]
        setting, unrealised = self.setting(account, native), self.unrealised(native, position)
        return {
            "symbol": native, "positionAmt": numbers.size(position.size),
            "entryPrice": numbers.average(position.cost, position.size),
            "breakEvenPrice": self.break_even(account, native, position),
            "markPrice": numbers.mark(self.mark(native)), "unRealizedProfit": money(unrealised),
            "liquidationPrice": "0", "leverage": str(setting.leverage),
            "maxNotionalValue": str(NOTIONAL_CAP),
            "marginType": "isolated" if setting.isolated else "cross",
            "isAutoAddMargin": "false", "positionSide": "BOTH",
            "notional": money(self.notional(native, position)),
            "updateTime": self.updated_ms.get((account, native), 0),
        } | self._isolated(account, native, position, unrealised)

    def risk_v3(self, ask: Ask) -> object:
        """Return positions as version 3 tells them: contracts with a position or orders."""
        native = self._reader.optional_symbol(ask.params)
        ask.params.done()
        return [self._risk_v3(ask.account, each) for each in self._touched(ask.account)
                if native in ("", each)]

    def _risk_v3(self, account: str, native: str) -> dict[str, object]:
        position, numbers = self._floor.exchange.position(account, native), self._rows.numbers[
            native]
        unrealised = self.unrealised(native, position)
        bids, asks = self._notionals(account, native)
        return {
            "symbol": native, "positionSide": "BOTH",
            "positionAmt": numbers.size(position.size),
            "entryPrice": numbers.average(position.cost, position.size),
            "breakEvenPrice": self.break_even(account, native, position),
            "markPrice": numbers.mark(self.mark(native)), "unRealizedProfit": money(unrealised),
            "liquidationPrice": "0", "notional": money(self.notional(native, position)),
            "marginAsset": self._floor.exchange.listed[native].symbol.quote,
            "adl": 2 if position.size else 0, "bidNotional": bids, "askNotional": asks,
            "updateTime": self.updated_ms.get((account, native), 0),
        } | self._margins(account, native) | self._isolated(
            account, native, position, unrealised)


def alias(account: str) -> str:
    """Return the code that balances name an account by."""
    return base64.b64encode(hashlib.sha512(account.encode()).digest(), b"Aa").decode()[:4]
