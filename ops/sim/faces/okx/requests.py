"""Bodies of order entry read into the matching engine's terms, or refused by name.

Source: shared/venues/okx.md, Private, 2026-11-21.  The same fields come over REST and WebSocket;
only the instrument is named differently.  ``slippagePct`` counts where a market order is sized in
what it is to bring.
"""

import re
from decimal import Decimal
from typing import Any, Final, NamedTuple

from ops.sim.exchange.orders import BUY, SELL, Kind, Request, Stp, Tif
from ops.sim.exchange.symbols import Symbol
from ops.sim.faces.okx.catalogue import MARKET_MAX
from ops.sim.faces.okx.errors import Failure, empty, failure, wrong
from ops.sim.faces.okx.tickets import Ticket
from ops.sim.rules import MONEY_DECIMALS

Body = dict[str, Any]
CLIENT_ID: Final = re.compile(r"[A-Za-z0-9]{1,32}")
TAG: Final = re.compile(r"[A-Za-z0-9]{1,16}")
NUMBER: Final = re.compile(r"\d{1,24}(\.\d{1,24})?")
SIDES: Final = {"buy": BUY, "sell": SELL}
TIFS: Final = {
    "market": Tif.IOC, "limit": Tif.GTC, "post_only": Tif.GTC, "ioc": Tif.IOC, "fok": Tif.FOK,
}
STPS: Final = {
    "cancel_maker": Stp.EXPIRE_MAKER, "cancel_taker": Stp.EXPIRE_TAKER,
    "cancel_both": Stp.EXPIRE_BOTH,
}
OTHER_MODES: Final = ("cross", "isolated", "spot_isolated")  # of accounts unlike ours
SLIPPAGE_MAX: Final = Decimal("0.05")
ORDER_ID_DIGITS_MAX: Final = 19


class Asked(NamedTuple):
    """An order to place, and the ticket it comes with."""

    request: Request
    ticket: Ticket
    may_shrink: bool  # a market order that the balance does not cover
    slippage: Decimal  # how far from the middle a market order may trade; 0: anywhere


class Change(NamedTuple):
    """What an amendment asks for; 0 keeps."""

    price: int
    size: int
    size_text: str
    request_id: str
    cancel_on_fail: bool


def text(body: Body, name: str) -> str:
    """Return a parameter as text; numbers count as the text they were."""
    value = body.get(name)
    return "" if value is None or isinstance(value, (dict, list, bool)) else str(value)


def flag(body: Body, name: str) -> bool | Failure:
    """Return a truth value, given as one or as its text; absent is False."""
    value = body.get(name)
    if value in (None, "", False, "false"):
        return False
    return True if value in (True, "true") else wrong(name)


def number(body: Body, name: str) -> Decimal | Failure:
    """Return a positive decimal number."""
    given = text(body, name)
    if not given:
        return empty(name)
    if not NUMBER.fullmatch(given) or not (value := Decimal(given)):
        return wrong(name)
    return value


def quanta(value: Decimal, decimals: int, too_fine: str) -> int | Failure:
    """Count whole quanta; what is finer than one is refused with the code ``too_fine``."""
    scaled = value.scaleb(decimals)
    whole = int(scaled)
    return whole if whole == scaled else failure(too_fine)


def read_order(body: Body, account: str, symbol: Symbol, mid: int) -> Asked | Failure:
    """Read a new order; ``mid`` bounds what a market order may be worth."""
    refusal = _options(body, symbol)
    if refusal is not None:
        return refusal
    order_type, side = text(body, "ordType"), SIDES[text(body, "side")]
    size = number(body, "sz")
    if isinstance(size, Failure):
        return size
    market, stp = order_type == "market", text(body, "stpMode") or "cancel_maker"
    target = text(body, "tgtCcy") or ("quote_ccy" if side == BUY else "base_ccy")
    by_value = market and target == "quote_ccy"
    amount = quanta(size, MONEY_DECIMALS if by_value else symbol.size_decimals, "51121")
    if isinstance(amount, Failure):
        return amount
    if market and (too_much := _too_much(amount, by_value, symbol, mid)):
        return too_much
    price = 0 if market else _price(body, "px", symbol, missing=failure("51204"))
    if isinstance(price, Failure):
        return price
    request = Request(
        account=account, symbol=symbol.name, side=side,
        kind=Kind.MARKET if market else Kind.LIMIT, price=price,
        size=0 if by_value else amount, quote=amount if by_value else 0,
        tif=TIFS[order_type], post_only=order_type == "post_only", post_only_ends=True,
        stp=STPS[stp], client_id=text(body, "clOrdId"))
    ticket = Ticket(
        order_type, size=text(body, "sz") if by_value else "", target=target if market else "",
        stp=stp, tag=text(body, "tag"))
    bounded = market and target == ("base_ccy" if side == BUY else "quote_ccy")
    slippage = Decimal(text(body, "slippagePct") or 0) if bounded else Decimal(0)
    return Asked(request, ticket, market and flag(body, "banAmend") is False, slippage)


def _options(body: Body, symbol: Symbol) -> Failure | None:
    """Check everything that is a word rather than a number."""
    for name in ("tdMode", "side", "ordType"):
        if not text(body, name):
            return empty(name)
    if text(body, "tdMode") != "cash":
        return failure("51010") if text(body, "tdMode") in OTHER_MODES else wrong("tdMode")
    order_type, stp = text(body, "ordType"), text(body, "stpMode")
    checks = (
        ("side", text(body, "side") in SIDES),
        ("ordType", order_type in TIFS),
        ("clOrdId", _fits(CLIENT_ID, body, "clOrdId")),
        ("tag", _fits(TAG, body, "tag")),
        ("stpMode", stp in STPS or not stp),
        ("tgtCcy", text(body, "tgtCcy") in ("", "base_ccy", "quote_ccy")),
        ("posSide", text(body, "posSide") in ("", "net")),
        ("tradeQuoteCcy", text(body, "tradeQuoteCcy") in ("", symbol.quote)),
        ("pxAmendType", text(body, "pxAmendType") in ("", "0", "1")),
        ("slippagePct", _slippage_fits(body)),
        ("banAmend", not isinstance(flag(body, "banAmend"), Failure)),
        ("reduceOnly", not isinstance(flag(body, "reduceOnly"), Failure)),
        ("attachAlgoOrds", not body.get("attachAlgoOrds")),  # no algo orders here
    )
    for name, fits in checks:
        if not fits:
            return wrong(name)
    if flag(body, "reduceOnly") is True:
        return failure("51139")
    return failure("54036") if (order_type, stp) == ("fok", "cancel_both") else None


def _fits(form: re.Pattern[str], body: Body, name: str) -> bool:
    given = text(body, name)
    return not given or form.fullmatch(given) is not None


def _slippage_fits(body: Body) -> bool:
    given = text(body, "slippagePct")
    if not given:
        return True
    form = re.fullmatch(r"0(\.\d{1,4})?", given)
    return form is not None and Decimal(given) <= SLIPPAGE_MAX


def _price(body: Body, name: str, symbol: Symbol, *, missing: Failure) -> int | Failure:
    if not text(body, name):
        return missing
    price = number(body, name)
    if isinstance(price, Failure):
        return price
    return quanta(price, symbol.price_decimals, "51150")


def _too_much(amount: int, by_value: bool, symbol: Symbol, mid: int) -> Failure | None:
    """Refuse a market order worth more than the venue takes at once."""
    value = amount if by_value else symbol.value(mid, amount)
    if value <= MARKET_MAX * 10**MONEY_DECIMALS:
        return None
    return failure("51201" if by_value else "51202")


def read_change(body: Body, symbol: Symbol) -> Change | Failure:
    """Read an amendment: a new price, a new total size, or both."""
    if not (text(body, "newSz") or text(body, "newPx")):
        return failure("51500")
    cancel_on_fail = flag(body, "cxlOnFail")
    if isinstance(cancel_on_fail, Failure):
        return cancel_on_fail
    if not _fits(CLIENT_ID, body, "reqId"):
        return wrong("reqId")
    price = _price(body, "newPx", symbol, missing=Failure("", ""))
    if isinstance(price, Failure):
        if price.code:
            return price
        price = 0
    size = 0
    if text(body, "newSz"):
        total = number(body, "newSz")
        if isinstance(total, Failure):
            return total
        counted = quanta(total, symbol.size_decimals, "51121")
        if isinstance(counted, Failure):
            return counted
        size = counted
    return Change(price, size, text(body, "newSz"), text(body, "reqId"), cancel_on_fail)


def read_ids(body: Body) -> tuple[int, str] | Failure:
    """Return which order is meant: its id, which goes first, or the client's."""
    order_id, client_id = text(body, "ordId"), text(body, "clOrdId")
    if order_id:
        fits = order_id.isascii() and order_id.isdigit() and len(order_id) <= ORDER_ID_DIGITS_MAX
        return (int(order_id), "") if fits and int(order_id) else wrong("ordId")
    if not client_id:
        return failure("51003")
    return (0, client_id) if CLIENT_ID.fullmatch(client_id) else wrong("clOrdId")
