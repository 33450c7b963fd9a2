"""The shapes of OKX's private texts.  Source: shared/venues/okx.md, Private, 2026-11-21.

Every value is a text, empty where it is absent; what nobody here reads is left out.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from exec.venues.reading import ABSENT, Blank, Name, Number, Word

Code = Annotated[str, Meta(max_length=16)]
Id = Annotated[str, Meta(pattern=r"^[0-9]{1,20}\Z")]
Native = Annotated[str, Meta(pattern=r"^[A-Za-z0-9-]{1,64}\Z")]
NoId = Annotated[str, Meta(pattern=r"^[0-9]{0,20}\Z")]


class _Wire(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """Base of what OKX writes."""


class Arg(_Wire, frozen=True):
    """What a subscription is to."""

    channel: Word = ""


class Frame(_Wire, frozen=True):
    """Any WebSocket text but ``pong``: an event, an answer to an order, or a push."""

    event: Word = ""
    op: Word = ""
    id: Word = ""
    code: Code = ""
    msg: str = ""
    arg: Arg | None = None
    data: msgspec.Raw = ABSENT


class Envelope(_Wire, frozen=True):
    """Any REST answer."""

    code: Code
    msg: str = ""
    data: msgspec.Raw = ABSENT


class Entry(_Wire, frozen=True):
    """One row of the answer to order entry."""

    s_code: Code
    ord_id: NoId = ""
    cl_ord_id: Word = ""
    s_msg: str = ""


class Order(_Wire, frozen=True):
    """An order; the fields of a fill are those of the push's own one."""

    inst_id: Native
    ord_id: Id
    side: Literal["buy", "sell"]
    state: Literal["live", "partially_filled", "filled", "canceled", "mmp_canceled"]
    cl_ord_id: Word = ""
    acc_fill_sz: Blank = ""
    cancel_source: Word = ""
    c_time: Word = ""
    fill_px: Blank = ""
    fill_sz: Blank = ""
    fill_time: Word = ""
    fill_fee: Blank = ""
    fill_fee_ccy: Word = ""
    trade_id: NoId = ""
    exec_type: Literal["T", "M", ""] = ""


class Fill(_Wire, frozen=True):
    """A fill as REST tells it."""

    inst_id: Native
    trade_id: Id
    ord_id: Id
    bill_id: Id
    side: Literal["buy", "sell"]
    fill_px: Number
    fill_sz: Number
    fee: Number
    fee_ccy: Name
    exec_type: Literal["T", "M", ""]
    ts: Word
    cl_ord_id: Word = ""
    fill_time: Word = ""


class Detail(_Wire, frozen=True):
    """What the account holds of one asset."""

    ccy: Name
    cash_bal: Number
    frozen_bal: Blank = ""
    avail_bal: Blank = ""


class Time(_Wire, frozen=True):
    """The venue's clock."""

    ts: Word


class Account(_Wire, frozen=True):
    """The account."""

    details: list[Detail]
