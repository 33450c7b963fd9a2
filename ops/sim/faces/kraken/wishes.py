"""What a client wants placed: AddOrder's form and add_order's JSON become the same Wish.

Limit and market orders; conditional, iceberg, margin and scheduled ones are refused by field.
Source: shared/venues/kraken.md (Private), 2026-11-21.
"""

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from ops.sim.exchange.orders import BUY, SELL, Kind, Order, Stp, Tif
from ops.sim.faces.kraken.answers import Declined, invalid
from ops.sim.faces.kraken.instruments import Instrument
from ops.sim.faces.kraken.params import Params, money_of, price_of, size_of, unix_ns_of
from ops.sim.faces.kraken.tickets import Ticket

SIDES: Final = {"buy": BUY, "sell": SELL}
KINDS: Final = {"limit": Kind.LIMIT, "market": Kind.MARKET}
TIFS: Final = {"GTC": Tif.GTC, "IOC": Tif.IOC, "FOK": Tif.FOK, "GTD": Tif.GTC}
STPS: Final = {
    "cancel_newest": Stp.EXPIRE_TAKER, "cancel_oldest": Stp.EXPIRE_MAKER,
    "cancel_both": Stp.EXPIRE_BOTH,
}
OFLAGS: Final = frozenset({"post", "fcib", "fciq", "nompp", "viqc"})
FEE_PREFERENCES: Final = {"base": True, "quote": False}
CLIENT_ID: Final = re.compile(
    r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{32}|[!-~]{1,18}")
USERREF_MAX: Final = 2**31
DEADLINE_MIN_NS: Final = 500_000_000
DEADLINE_MAX_NS: Final = 60_000_000_000
SOCKET_FIELDS: Final = frozenset({
    "order_type", "side", "order_qty", "symbol", "limit_price", "limit_price_type",
    "time_in_force", "margin", "post_only", "reduce_only", "effective_time", "expire_time",
    "deadline", "cl_ord_id", "order_userref", "conditional", "display_qty", "fee_preference",
    "no_mpp", "stp_type", "cash_order_qty", "validate", "sender_sub_id", "token", "triggers",
})
SOCKET_REFUSED: Final = ("triggers", "conditional", "display_qty", "effective_time")
REST_REFUSED: Final = ("price2", "displayvol", "trigger", "close", "close[ordertype]")


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """One order, in the symbol's quanta, before the matching engine sees it."""

    account: str
    instrument: Instrument
    side: int
    kind: Kind
    price: int = 0
    size: int = 0
    quote: int = 0  # of a market order that spends so much
    tif: str = "GTC"
    expires_ns: int = 0
    post_only: bool = False
    reduce_only: bool = False
    stp: Stp = Stp.EXPIRE_TAKER
    client_id: str = ""
    userref: int = 0
    fee_in_base: bool = False
    validate: bool = False


def from_rest(account: str, params: Params, instrument: Instrument, now_ns: int) -> Wish:
    """Read AddOrder's fields; raise Declined."""
    for name in REST_REFUSED:
        if name in params:
            raise invalid(name)
    if params.text("leverage", "none") not in ("none", ""):
        raise Declined("EOrder:Cannot open position")
    if params.text("starttm", "0") != "0":
        raise invalid("starttm")
    side, kind = SIDES.get(params.text("type")), KINDS.get(params.text("ordertype"))
    if side is None or kind is None:
        raise invalid("type" if side is None else "ordertype")
    flags = set(params.texts("oflags"))
    if not flags <= OFLAGS or {"fcib", "fciq"} <= flags:
        raise invalid("oflags")
    tif = params.text("timeinforce", "GTC").upper()
    price, size, quote = _numbers(
        params, instrument, kind, side, ("price", "volume", "volume"), in_quote="viqc" in flags)
    client_id, userref = _ids(params, "userref")
    check_deadline(params, now_ns)
    return Wish(
        account=account, instrument=instrument, side=side, kind=kind, price=price, size=size,
        quote=quote, tif=_known(tif, TIFS, "timeinforce"),
        expires_ns=_expiry(params.text("expiretm", "0"), tif, now_ns), post_only="post" in flags,
        reduce_only=params.flag("reduce_only"),
        stp=STPS[_known(params.text("stptype", "cancel-newest").replace("-", "_"), STPS,
                        "stptype")],
        fee_in_base="fcib" in flags, validate=params.flag("validate"),
        client_id=client_id, userref=userref,
    )


def from_socket(account: str, params: Params, instrument: Instrument, now_ns: int) -> Wish:
    """Read add_order's fields; raise Declined."""
    params.only(SOCKET_FIELDS, "add order")
    for name in SOCKET_REFUSED:
        if name in params:
            raise invalid(name)
    if params.flag("margin"):
        raise Declined("EOrder:Cannot open position")
    side, kind = SIDES.get(params.text("side")), KINDS.get(params.text("order_type"))
    if side is None or kind is None:
        raise invalid("side" if side is None else "order_type")
    if params.text("limit_price_type", "static") != "static":
        raise invalid("limit_price_type")
    in_quote = "cash_order_qty" in params
    price, size, quote = _numbers(
        params, instrument, kind, side, ("limit_price", "order_qty", "cash_order_qty"),
        in_quote=in_quote)
    tif = params.text("time_in_force", "gtc").upper()
    if kind is Kind.LIMIT and params.flag("no_mpp"):
        raise Declined("EGeneral:Invalid arguments:no_mpp order option is only available when "
                       "ordertype = market")
    check_deadline(params, now_ns)
    preference = params.text("fee_preference", "quote")
    client_id, userref = _ids(params, "order_userref")
    return Wish(
        account=account, instrument=instrument, side=side, kind=kind, price=price, size=size,
        quote=quote, tif=_known(tif, TIFS, "time_in_force"),
        expires_ns=_expiry(params.text("expire_time", "0"), tif, now_ns),
        post_only=params.flag("post_only"), reduce_only=params.flag("reduce_only"),
        stp=STPS[_known(params.text("stp_type", "cancel_newest"), STPS, "stp_type")],
        fee_in_base=FEE_PREFERENCES[_known(preference, FEE_PREFERENCES, "fee_preference")],
        validate=params.flag("validate"), client_id=client_id, userref=userref,
    )


def edited(
    old: Order, ticket: Ticket, instrument: Instrument, params: Params,
    fields: tuple[str, str, str], *, post_only: bool,
) -> Wish:
    """Return the order that takes the place of ``old``; ``fields``: size, price, group tag."""
    size, price = params.decimal(fields[0]), params.decimal(fields[1])
    userref, symbol = params.integer(fields[2]), instrument.symbol
    return Wish(
        account=old.account, instrument=instrument, side=old.side, kind=old.kind,
        price=old.price if price is None else price_of(
            price, symbol, instrument.line.tick_decimals, instrument.altname),
        size=old.size if size is None else size_of(size, symbol, fields[0]),
        tif=ticket.tif, expires_ns=ticket.expires_ns, post_only=post_only, stp=old.stp,
        client_id=old.client_id, userref=ticket.userref if userref is None else userref,
        fee_in_base=ticket.fee_in_base, validate=params.flag("validate"),
    )


def check_deadline(params: Params, now_ns: int) -> None:
    """Refuse a request whose deadline has passed, or lies outside 500 ms to 60 s."""
    if "deadline" not in params:
        return
    at_ns = unix_ns_of(params.text("deadline"))
    if at_ns is None or at_ns > now_ns + DEADLINE_MAX_NS:
        raise invalid("deadline")
    if at_ns <= now_ns:
        raise Declined("EService:Deadline elapsed")
    if at_ns < now_ns + DEADLINE_MIN_NS:
        raise invalid("deadline")


def _numbers(
    params: Params, instrument: Instrument, kind: Kind, side: int,
    fields: tuple[str, str, str], *, in_quote: bool,
) -> tuple[int, int, int]:
    """Return price, size and quote amount; ``fields`` are the names of the three."""
    price_name, size_name, quote_name = fields
    price, symbol = 0, instrument.symbol
    if kind is Kind.LIMIT:
        text = params.decimal(price_name)
        if text is None:
            raise invalid(price_name)
        price = price_of(text, symbol, instrument.line.tick_decimals, instrument.altname)
    if not in_quote:
        text = params.decimal(size_name)
        if text is None:
            raise invalid(size_name)
        return price, size_of(text, symbol, size_name), 0
    text = params.decimal(quote_name)
    if text is None or kind is Kind.LIMIT or side == SELL:
        raise invalid(quote_name)
    return 0, 0, money_of(text, quote_name)


def _ids(params: Params, userref_name: str) -> tuple[str, int]:
    """Return the client's id and its group tag: one excludes the other."""
    client_id, userref = params.text("cl_ord_id"), params.integer(userref_name)
    if client_id and (userref is not None or not CLIENT_ID.fullmatch(client_id)):
        raise invalid("cl_ord_id")
    if userref is not None and not -USERREF_MAX <= userref < USERREF_MAX:
        raise invalid(userref_name)
    return client_id, userref or 0


def _known(word: str, table: Mapping[str, object], field: str) -> str:
    if word not in table:
        raise invalid(field)
    return word


def _expiry(text: str, tif: str, now_ns: int) -> int:
    """Read +seconds, Unix seconds or RFC 3339; good-till-date orders need one, others have none."""
    at_ns: int | None
    if text.lstrip("+").isdigit() and text.isascii() and len(text) <= 12:
        seconds = int(text)
        at_ns = now_ns + seconds * 10**9 if text[0] == "+" else seconds * 10**9
    else:
        at_ns = unix_ns_of(text)
    if at_ns is None or (tif == "GTD") != (at_ns > 0) or 0 < at_ns <= now_ns:
        raise invalid("expiretm")
    return at_ns
