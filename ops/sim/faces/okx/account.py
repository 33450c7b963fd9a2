"""An account as the venue tells it: balances, configuration, fees, the currencies there are.

Source: shared/venues/okx.md, Private and Fees, 2026-11-21, and the documentation's samples.  The
account is in spot mode; fields that other modes have are empty.
"""

import hashlib
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

from engine.model.quanta import from_quanta
from ops.sim.face import Answer, Query
from ops.sim.faces.okx.catalogue import GROUP, KINDS, Catalogue
from ops.sim.faces.okx.errors import answer, failure, refusal_of, wrong
from ops.sim.faces.okx.rows import MS, decimal_text, usd_text
from ops.sim.floor import Floor
from ops.sim.listing import PRICES, UNKNOWN_PRICE, Line
from ops.sim.truth import money

DOLLARS: Final = frozenset({"USD", "USDT", "USDC", "DAI"})
CURRENCIES_MAX: Final = 20  # in one question
LEVEL: Final = "Lv1"
ZEROS: Final = (
    "autoLendMtAmt", "borrowFroz", "crossLiab", "colRes", "colBorrAutoConversion", "smtSyncEq",
    "spotCopyTradingEq", "fixedBal", "frpType", "interest", "liab", "maxLoan", "rewardBal",
    "spotIsoBal", "stgyEq", "twap",
)
BLANKS: Final = (
    "imr", "isoEq", "isoLiab", "isoUpl", "mgnRatio", "mmr", "notionalLever", "spotInUseAmt",
    "clSpotInUseAmt", "maxSpotInUse", "upl", "uplLiab", "openAvgPx", "accAvgPx", "spotUpl",
    "spotUplRatio", "totalPnl", "totalPnlRatio",
)


class Wallet:
    """Tells balances."""

    def __init__(self, lines: dict[str, Line], floor: Floor) -> None:
        self._floor = floor
        self._changed_ns: dict[tuple[str, str], int] = {}  # by account and asset
        self._dollar_lines = {
            line.pair.base: line.native for line in lines.values() if line.pair.quote in DOLLARS}

    def usd(self, asset: str) -> Decimal:
        """Return the worth of one unit in USD, by the venue's own market where it has one."""
        native = self._dollar_lines.get(asset, "")
        mid = self._floor.mid(native) if native and asset not in DOLLARS else 0
        if mid:
            symbol = self._floor.exchange.listed[native].symbol
            return Decimal(from_quanta(mid, symbol.price_decimals))
        return Decimal(repr(PRICES.get(asset, UNKNOWN_PRICE)))

    def changed(self, account: str, asset: str, now_ns: int) -> None:
        """Note when a balance last changed."""
        self._changed_ns[account, asset] = now_ns

    def changed_ms(self, account: str, asset: str) -> str:
        """Return when a balance last changed; now, if it never did."""
        return str((self._changed_ns.get((account, asset)) or self._floor.now_ns()) // MS)

    def summary(self, account: str, wanted: Iterable[str] = ()) -> dict[str, Any]:
        """Return the account with a row per asset it holds, or per wanted one of them."""
        balances, chosen = self._floor.exchange.balances(account), set(wanted)
        details = [
            self.detail(account, asset, free, locked)
            for asset, (free, locked) in sorted(balances.items())
            if free + locked and (not chosen or asset in chosen)]
        return self.around(details)

    def around(self, details: list[dict[str, Any]]) -> dict[str, Any]:
        """Return the account's row around those of its assets."""
        worth = usd_text(sum((Decimal(row["eqUsd"]) for row in details), Decimal(0)))
        return {
            "adjEq": worth, "availEq": "", "borrowFroz": "0", "delta": "0", "deltaLever": "0",
            "deltaNeutralStatus": "0", "details": details, "imr": "0", "isoEq": "",
            "mgnRatio": "", "mmr": "0", "notionalUsd": "0", "notionalUsdForBorrow": "0",
            "notionalUsdForFutures": "0", "notionalUsdForOption": "0", "notionalUsdForSwap": "0",
            "ordFroz": "0", "totalEq": worth, "uTime": str(self._floor.now_ns() // MS), "upl": "",
        }

    def detail(self, account: str, asset: str, free: int, locked: int) -> dict[str, Any]:
        """Return one asset's row."""
        usd, total = self.usd(asset), money(free + locked)
        worth = usd_text(Decimal(total) * usd)
        return {
            "ccy": asset, "availBal": money(free), "availEq": money(free), "cashBal": total,
            "coinUsdPrice": decimal_text(usd), "disEq": worth, "eq": total, "eqUsd": worth,
            "frozenBal": money(locked), "ordFrozen": money(locked), "spotBal": total,
            "uTime": self.changed_ms(account, asset), "autoLendStatus": "off",
            "collateralEnabled": False, "collateralRestrict": False,
        } | dict.fromkeys(ZEROS, "0") | dict.fromkeys(BLANKS, "")


class AccountRest:
    """Answers to questions about the account."""

    def __init__(self, floor: Floor, wallet: Wallet, catalogue: Catalogue) -> None:
        self._floor, self._wallet, self._catalogue = floor, wallet, catalogue

    def answer(self, verb: str, query: Query, account: str) -> Answer:
        """Answer one request; ``verb`` is the path below /api/v5/."""
        if verb == "account/balance":
            return self._balance(query.get("ccy", ""), account)
        if verb == "account/positions":
            return self._positions(query)
        if verb == "account/config":
            return answer([self._config(account)])
        if verb == "account/trade-fee":
            return self._fees(query, account)
        if verb == "account/instruments":
            return self._catalogue.rows(query)
        if verb == "asset/currencies":
            return self._currencies(query.get("ccy", ""))
        return answer([])  # asset/balances: all money is in the trading account

    def _balance(self, wanted: str, account: str) -> Answer:
        assets = [each for each in wanted.split(",") if each]
        if len(assets) > CURRENCIES_MAX:
            return refusal_of(wrong("ccy"))
        return answer([self._wallet.summary(account, assets)])

    def _positions(self, query: Query) -> Answer:
        """Answer with none: spot has no positions."""
        kind = query.get("instType")
        return refusal_of(wrong("instType")) if kind not in (None, *KINDS) else answer([])

    def _config(self, account: str) -> dict[str, Any]:
        uid = uid_of(self._floor.venue, account)
        return {
            "acctLv": "1", "acctStpMode": "cancel_maker", "autoLoan": False,
            "ctIsoMode": "automatic", "enableSpotBorrow": False, "greeksType": "PA",
            "feeType": "0", "ip": "", "type": "0", "kycLv": "3", "label": account,
            "level": LEVEL, "levelTmp": "", "liquidationGear": "-1", "mainUid": uid,
            "mgnIsoMode": "automatic", "opAuth": "0", "perm": "read_only,trade",
            "posMode": "net_mode", "roleType": "0", "spotBorrowAutoRepay": False,
            "spotOffsetType": "", "spotRoleType": "0", "spotTraderInsts": [], "stgyType": "0",
            "traderInsts": [], "uid": uid, "settleCcy": "", "settleCcyList": [],
        }

    def _fees(self, query: Query, account: str) -> Answer:
        if query.get("instType") not in KINDS:
            return refusal_of(wrong("instType"))
        native = query.get("instId")
        if query["instType"] != "SPOT" or native not in (None, *self._catalogue.codes):
            return refusal_of(failure("51001"))
        fees = self._floor.exchange.accounts.by_name[account].fees
        maker, taker = (decimal_text(Decimal(-ppm).scaleb(-6))
                        for ppm in (fees.maker_ppm, fees.taker_ppm))
        return answer([{
            "category": "1", "delivery": "", "exercise": "",
            "feeGroup": [{"elpMaker": "", "groupId": GROUP, "maker": maker, "taker": taker}],
            "fiat": [], "instType": "SPOT", "level": LEVEL, "maker": maker, "makerU": "",
            "makerUSDC": "", "ruleType": "normal", "taker": taker, "takerU": "",
            "takerUSDC": "", "ts": str(self._floor.now_ns() // MS),
        }])

    def _currencies(self, wanted: str) -> Answer:
        chosen = {each for each in wanted.split(",") if each}
        return answer([{
            "ccy": asset, "name": asset, "chain": f"{asset}-{asset}", "ctAddr": "",
            "canDep": False, "canInternal": False, "canWd": False, "depEstOpenTime": "",
            "wdEstOpenTime": "", "mainNet": True, "needTag": False, "burningFeeRate": "",
            "depQuotaFixed": "", "depQuoteDailyLayer2": "", "fee": "0", "maxFee": "0",
            "maxFeeForCtAddr": "", "maxWd": "0", "minDep": "0", "minDepArrivalConfirm": "1",
            "minFee": "0", "minFeeForCtAddr": "", "minInternal": "0", "minWd": "0",
            "minWdUnlockConfirm": "1", "usedDepQuotaFixed": "", "usedWdQuota": "0",
            "wdQuota": "0", "wdTickSz": "8", "logoLink": "",
        } for asset in sorted(self._floor.exchange.assets) if not chosen or asset in chosen])


def uid_of(venue: str, account: str) -> str:
    """Return the number that a venue knows an account by."""
    digest = hashlib.sha256(f"{venue}:{account}".encode()).digest()
    return str(10**17 + int.from_bytes(digest[:7]) % (9 * 10**17))
