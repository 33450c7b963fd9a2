"""Reading order requests of USD-M: which words mean what, and what does not go together.

Source: developers.binance.com/docs/derivatives/usds-margined-futures/trade/rest-api (New Order,
Modify Order) and faq/stp-faq, read 2026-11-21.
"""

import re
from decimal import Decimal
from typing import Final, NamedTuple

from ops.sim.book import ASK, BID
from ops.sim.exchange.orders import BUY, SELL, Kind, Request, Stp, Tif
from ops.sim.exchange.symbols import Symbol
from ops.sim.faces.binance.errors import (
    BAD_SIDE,
    BAD_SYMBOL,
    BAD_TIF,
    BAD_TYPE,
    MANDATORY,
    NOT_REQUIRED,
    Problem,
    Refused,
)
from ops.sim.faces.binance.params import Params, quanta
from ops.sim.faces.binance.usdm_errors import (
    ALGO_ORDER,
    CLIENT_ID,
    CLIENT_ID_LONG,
    GOOD_TILL,
    NO_DEPTH,
    OTHER_SIDE,
    POSITION_SIDE,
    PRECISION,
    PRICE_MATCH,
    PRICE_MATCH_TYPE,
    PRICE_ZERO,
    QUANTITY_ZERO,
    RESPONSE_TYPE,
    STP_MODE,
    TIF_NOT_REQUIRED,
)
from ops.sim.faces.binance.usdm_text import STP_WORDS, Terms
from ops.sim.floor import Floor
from ops.sim.listing import Line

SIDES: Final = {"BUY": BUY, "SELL": SELL}
CONDITIONAL: Final = {
    "STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET"}
TIFS: Final = {"GTC": Tif.GTC, "IOC": Tif.IOC, "FOK": Tif.FOK, "GTX": Tif.GTC, "GTD": Tif.GTC}
CLIENT_IDS: Final = re.compile(r"[.A-Z:/a-z0-9_-]{1,36}")
CLIENT_ID_MAX: Final = 36
MATCHES: Final = {  # which level of which side: True is the counterparty's
    "OPPONENT": (True, 1), "OPPONENT_5": (True, 5), "OPPONENT_10": (True, 10),
    "OPPONENT_20": (True, 20), "QUEUE": (False, 1), "QUEUE_5": (False, 5),
    "QUEUE_10": (False, 10), "QUEUE_20": (False, 20),
}
GOOD_TILL_AHEAD_MS: Final = 600_000
GOOD_TILL_MAX_MS: Final = 253_402_300_799_000
MODE_OF_SIDE: Final = {"BOTH": True, "LONG": False, "SHORT": False}


class Wanted(NamedTuple):
    """An order as asked for, and how the client wants to be answered."""

    request: Request
    terms: Terms
    accepted: bool  # ACK: before it met any other


class Reader:
    """Reads requests against what is listed."""

    def __init__(self, floor: Floor, lines: dict[str, Line]) -> None:
        self._floor, self._lines = floor, lines

    def symbol(self, params: Params) -> str:
        """Return the contract that must be named."""
        native = params.required("symbol")
        if native not in self._lines:
            raise Refused(BAD_SYMBOL)
        return native

    def optional_symbol(self, params: Params) -> str:
        """Return the contract, empty if none is named."""
        native = params.text("symbol") or ""
        if native and native not in self._lines:
            raise Refused(BAD_SYMBOL)
        return native

    def order(self, account: str, params: Params, client_id: str) -> Wanted:
        """Read a new order; ``client_id`` is used if the client gives none."""
        native = self.symbol(params)
        symbol = self._floor.exchange.listed[native].symbol
        side = params.choice("side", SIDES, BAD_SIDE)
        if side is None:
            raise Refused(MANDATORY, "side")
        kind = self._kind(params)
        self._position_side(params)
        market = kind is Kind.MARKET
        word = self._tif(params, market=market)
        terms = self._read_terms(params, word, market=market)
        stp = params.choice("selfTradePreventionMode", STP_WORDS, STP_MODE)
        request = Request(
            account=account, symbol=native, side=side, kind=kind,
            price=0 if market else self.price(params, symbol, side, terms),
            size=self.size(params, symbol), tif=Tif.GTC if market else TIFS[word],
            post_only=word == "GTX", reduce_only=bool(params.flag("reduceOnly")),
            stp=Stp.NONE if word == "FOK" else Stp.EXPIRE_MAKER if stp is None else stp,
            client_id=self.client_id(params, "newClientOrderId") or client_id,
        )
        self._refuse_conditions(params)
        answer = params.choice("newOrderRespType", {"ACK": True, "RESULT": False}, RESPONSE_TYPE)
        return Wanted(request, terms, answer is not False)

    @staticmethod
    def _kind(params: Params) -> Kind:
        word = params.required("type")
        if word in CONDITIONAL:
            raise Refused(ALGO_ORDER)
        if word not in ("LIMIT", "MARKET"):
            raise Refused(BAD_TYPE)
        return Kind.LIMIT if word == "LIMIT" else Kind.MARKET

    @staticmethod
    def _position_side(params: Params) -> None:
        """Refuse LONG and SHORT: the account is in one-way mode."""
        if params.choice("positionSide", MODE_OF_SIDE, POSITION_SIDE) is False:
            raise Refused(OTHER_SIDE)

    @staticmethod
    def _tif(params: Params, *, market: bool) -> str:
        word = params.text("timeInForce")
        if market:
            if word is not None:
                raise Refused(TIF_NOT_REQUIRED)
            return "GTC"
        if word is None:
            raise Refused(MANDATORY, "timeInForce")
        if word not in TIFS:
            raise Refused(BAD_TIF)
        return word

    def _read_terms(self, params: Params, word: str, *, market: bool) -> Terms:
        match = self.price_match(params)
        if match != "NONE" and market:
            raise Refused(PRICE_MATCH_TYPE)
        until_ms = params.whole("goodTillDate")
        if word != "GTD":
            if until_ms:
                raise Refused(NOT_REQUIRED, "goodTillDate")
            return Terms(match)
        if until_ms is None:
            raise Refused(MANDATORY, "goodTillDate")
        now_ms = self._floor.now_ns() // 1_000_000
        if not now_ms + GOOD_TILL_AHEAD_MS < until_ms < GOOD_TILL_MAX_MS:
            raise Refused(GOOD_TILL)
        return Terms(match, until_ms // 1000 * 1000)

    @staticmethod
    def price_match(params: Params) -> str:
        """Return which of the book's prices an order shall take, NONE for its own."""
        match = params.text("priceMatch") or "NONE"
        if match != "NONE" and match not in MATCHES:
            raise Refused(PRICE_MATCH)
        return match

    @staticmethod
    def _refuse_conditions(params: Params) -> None:
        """Read what only conditional orders use: defaults pass, conditions do not."""
        for name in ("stopPrice", "activationPrice", "callbackRate"):
            if params.text(name) is not None:
                raise Refused(NOT_REQUIRED, name)
        if params.flag("closePosition"):
            raise Refused(NOT_REQUIRED, "closePosition")
        params.text("workingType")
        params.text("priceProtect")

    # --- numbers -------------------------------------------------------------------------------

    def price(self, params: Params, symbol: Symbol, side: int, terms: Terms) -> int:
        """Return the limit price, or the book's that ``priceMatch`` asks for."""
        if terms.price_match == "NONE":
            return self._number(params, "price", symbol.price_decimals, PRICE_ZERO)
        if params.text("price") is not None:
            raise Refused(NOT_REQUIRED, "price")
        opposite, level = MATCHES[terms.price_match]
        line = self._lines[symbol.name]
        top = line.book.top(ASK if (side == BUY) is opposite else BID, level)
        if len(top) < level:
            raise Refused(NO_DEPTH)
        factor: int = 10 ** (symbol.price_decimals - line.price_decimals)
        return top[-1][0] * factor

    def size(self, params: Params, symbol: Symbol) -> int:
        """Return the quantity."""
        return self._number(params, "quantity", symbol.size_decimals, QUANTITY_ZERO)

    @staticmethod
    def _number(params: Params, name: str, decimals: int, problem: Problem) -> int:
        if params.required(name).startswith("-"):
            raise Refused(problem)
        value = params.decimal(name, decimals_max=20) or Decimal(0)
        if not value:
            raise Refused(problem)
        number = quanta(value, decimals)
        if number is None:
            raise Refused(PRECISION)
        return number

    @staticmethod
    def client_id(params: Params, name: str) -> str | None:
        """Return a client order id, None if there is none."""
        value = params.text(name)
        if value is None or CLIENT_IDS.fullmatch(value):
            return value
        raise Refused(CLIENT_ID_LONG if len(value) > CLIENT_ID_MAX else CLIENT_ID)
