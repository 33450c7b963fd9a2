"""What an account may choose on USD-M, and what it is charged.

Source: developers.binance.com/docs/derivatives/usds-margined-futures (Change Initial Leverage,
Change Margin Type, Change Position Mode, Change Multi-Assets Mode, User Commission Rate,
Notional and Leverage Brackets), read 2026-11-21.  Hedge mode and multi-asset margin are refused.
"""

from typing import Final

from ops.sim.faces.binance.door import Ask
from ops.sim.faces.binance.errors import INVALID, MANDATORY, Refused
from ops.sim.faces.binance.limits import Limits
from ops.sim.faces.binance.usdm_account import (
    MAINTENANCE_PPM,
    NOTIONAL_CAP,
    PPM,
    Accounts,
    Setting,
)
from ops.sim.faces.binance.usdm_errors import (
    LEVERAGE,
    LEVERAGE_LOW,
    MARGIN_OPEN_ORDERS,
    MARGIN_POSITION,
    MODE_OPEN_ORDERS,
    MODE_POSITION,
    SAME_ASSET_MODE,
    SAME_MARGIN,
    SAME_MODE,
    UPCOMING,
)
from ops.sim.faces.binance.usdm_request import Reader
from ops.sim.faces.binance.usdm_text import rate
from ops.sim.faces.binance.usdm_user import UserStream
from ops.sim.floor import Floor

LEVERAGE_MAX: Final = 125
RPI_PPM: Final = 50  # documented sample; nobody places RPI orders here
SUCCESS: Final = {"code": 200, "msg": "success"}
MARGIN_TYPES: Final = {"ISOLATED": True, "CROSSED": False}


class Config:
    """Reads and changes settings."""

    def __init__(
        self, floor: Floor, reader: Reader, accounts: Accounts, user: UserStream, limits: Limits,
    ) -> None:
        self._floor, self._reader, self._accounts = floor, reader, accounts
        self._user, self._limits = user, limits

    def set_leverage(self, ask: Ask) -> object:
        """Choose the leverage of a contract."""
        native = self._reader.symbol(ask.params)
        leverage = ask.params.whole("leverage")
        if leverage is None:
            raise Refused(MANDATORY, "leverage")
        ask.params.done()
        if not 1 <= leverage <= LEVERAGE_MAX:
            raise Refused(LEVERAGE, leverage)
        setting = self._accounts.setting(ask.account, native)
        if setting.leverage != leverage:
            if self._floor.set_margin(ask.account, native, -(-PPM // leverage)) is not None:
                raise Refused(LEVERAGE_LOW)
            setting.leverage = leverage
            self._user.leverage(ask.account, native, leverage)
        return {"symbol": native, "leverage": leverage, "maxNotionalValue": str(NOTIONAL_CAP)}

    def set_margin_type(self, ask: Ask) -> object:
        """Choose crossed or isolated margin of a contract that has neither position nor orders."""
        native = self._reader.symbol(ask.params)
        isolated = ask.params.choice("marginType", MARGIN_TYPES, INVALID)
        if isolated is None:
            raise Refused(MANDATORY, "marginType")
        ask.params.done()
        setting, exchange = self._accounts.setting(ask.account, native), self._floor.exchange
        if setting.isolated is isolated:
            raise Refused(SAME_MARGIN)
        if exchange.open_orders(ask.account, native):
            raise Refused(MARGIN_OPEN_ORDERS)
        if exchange.position(ask.account, native).size:
            raise Refused(MARGIN_POSITION)
        setting.isolated = isolated
        return SUCCESS

    def position_mode(self, ask: Ask) -> object:
        """Return that the account is in one-way mode."""
        ask.params.done()
        return {"dualSidePosition": False}

    def set_position_mode(self, ask: Ask) -> object:
        """Refuse hedge mode; one-way mode is what the account has."""
        dual = ask.params.flag("dualSidePosition")
        if dual is None:
            raise Refused(MANDATORY, "dualSidePosition")
        ask.params.done()
        if not dual:
            raise Refused(SAME_MODE)
        exchange = self._floor.exchange
        if exchange.open_orders(ask.account):
            raise Refused(MODE_OPEN_ORDERS)
        if any(exchange.position(ask.account, native).size for native in exchange.listed):
            raise Refused(MODE_POSITION)
        raise Refused(UPCOMING)

    def asset_mode(self, ask: Ask) -> object:
        """Return that the account is in single-asset mode."""
        ask.params.done()
        return {"multiAssetsMargin": False}

    def set_asset_mode(self, ask: Ask) -> object:
        """Refuse multi-asset margin; single-asset mode is what the account has."""
        multi = ask.params.flag("multiAssetsMargin")
        if multi is None:
            raise Refused(MANDATORY, "multiAssetsMargin")
        ask.params.done()
        raise Refused(UPCOMING if multi else SAME_ASSET_MODE)

    def commission(self, ask: Ask) -> object:
        """Return what the account pays for a contract."""
        native = self._reader.symbol(ask.params)
        ask.params.done()
        fees = self._floor.exchange.accounts.by_name[ask.account].fees
        return {
            "symbol": native, "makerCommissionRate": rate(fees.maker_ppm, 4),
            "takerCommissionRate": rate(fees.taker_ppm, 4), "rpiCommissionRate": rate(RPI_PPM, 5),
        }

    def account_config(self, ask: Ask) -> object:
        """Return the account's modes."""
        ask.params.done()
        return {
            "feeTier": 0, "canTrade": True, "canDeposit": True, "canWithdraw": True,
            "dualSidePosition": False, "updateTime": 0, "multiAssetsMargin": False,
            "tradeGroupId": -1,
        }

    def symbol_config(self, ask: Ask) -> object:
        """Return what the account chose for each contract."""
        native = self._reader.optional_symbol(ask.params)
        ask.params.done()
        natives = [native] if native else list(self._floor.exchange.listed)
        rows = []
        for each in natives:
            setting: Setting = self._accounts.setting(ask.account, each)
            rows.append({
                "symbol": each, "marginType": "ISOLATED" if setting.isolated else "CROSSED",
                "isAutoAddMargin": False, "leverage": setting.leverage,
                "maxNotionalValue": str(NOTIONAL_CAP),
            })
        return rows

    def brackets(self, ask: Ask) -> object:
        """Return the one bracket that each contract has."""
        native = self._reader.optional_symbol(ask.params)
        ask.params.done()
        bracket = {
            "bracket": 1, "initialLeverage": LEVERAGE_MAX, "notionalCap": NOTIONAL_CAP,
            "notionalFloor": 0, "maintMarginRatio": MAINTENANCE_PPM / PPM, "cum": 0.0,
        }
        if native:
            return {"symbol": native, "brackets": [bracket]}
        return [{"symbol": each, "brackets": [bracket]} for each in self._floor.exchange.listed]

    def order_limits(self, ask: Ask) -> object:
        """Return the account's order count."""
        ask.params.done()
        return self._limits.order_rows(self._floor.mono_ns(), ask.account)
