"""What the journal holds: every fact that execution acts on, one struct per kind.

State is what these records make of it (``exec.state``), so a restart that replays them stands where
the dead process stood.  Prices and sizes count quanta of the instrument as ``Listed`` says in the
same life; money is exact decimal text.  A kind's number is never used again, fields are only
added, at the end, with a default.
"""

from enum import IntEnum
from typing import Final, TypeAlias, get_args

import msgspec

SCHEMA: Final = 1


class Side(IntEnum):
    """The sign of what a fill adds to the base."""

    BUY = 1
    SELL = -1


class Tif(IntEnum):
    """How long an order stays."""

    GTC = 0
    IOC = 1
    FOK = 2


class Found(IntEnum):
    """What evidence says of an order in doubt."""

    OPEN = 1
    ENDED = 2
    ABSENT = 3  # asked after its own deadline had passed: it never was, and never will be


class _Record(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Decoded by its number, the first of its fields."""


class Opened(_Record, frozen=True, tag=1):
    """A life of execution begins."""

    schema: int
    engine: str
    mode: str  # dry_run, paper or live
    birth: int  # Unix s of the journal's first life: part of every client order id
    life: int  # 1, 2, ...: grows with each start
    config: str  # hash
    pid: int


class Closed(_Record, frozen=True, tag=2):
    """It ended by itself, with nothing in doubt."""

    why: str


class Listed(_Record, frozen=True, tag=3):
    """An instrument as this life counts it."""

    venue: str
    symbol: str  # unified
    native: str
    base: str
    quote: str
    settle: str  # empty for spot
    price_decimals: int
    size_decimals: int


class LegSeen(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One leg of a signal."""

    venue: str
    symbol: str
    side: int
    price: int
    size: int
    version: int  # of the book that the detector saw


class Decided(_Record, frozen=True, tag=4):
    """What was made of a signal; refused ones too, with the check and its two numbers."""

    run: int
    sequence: int
    strategy: int
    window: int
    legs: tuple[LegSeen, ...]
    net_edge_ppm: int
    refused: str  # name of the check; empty: accepted
    number: int
    limit: int
    profit_micro: int


class Leg(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One side of a plan, and how far its price may go when it is chased or unwound."""

    venue: str
    symbol: str
    side: int
    price: int
    size: int
    collar: int  # the worst price that any order of this leg may carry


class Planned(_Record, frozen=True, tag=5):
    """Legs that belong together, and what happens when one fails: before the first leg goes."""

    plan: int
    run: int  # of the signal; 0 for an operator's order
    sequence: int
    strategy: int
    legs: tuple[Leg, ...]
    policy: str  # chase, unwind or hold: what a failed leg leads to
    unwind: tuple[Leg, ...]  # the orders that undo each leg
    deadline_ns: int  # ns after planning when the residual must be gone
    profit_micro: int
    turns: str = "together"  # or riskier-first: the first of its legs leaves alone


class PlanClosed(_Record, frozen=True, tag=6):
    """Every order of a plan is settled; what was made of it, in millionths of the quote."""

    plan: int
    outcome: str  # done, missed, unwound, held, or FLATTENED
    residual: int
    profit_micro: int


FLATTENED: Final = "flattened"  # a flatten takes its residual over


class Intended(_Record, frozen=True, tag=7):
    """An order that is about to leave; its ``order`` is the journal's own number of this record."""

    order: int
    plan: int
    leg: int
    venue: str
    symbol: str
    side: int
    price: int
    size: int
    tif: int
    post_only: bool
    reduce_only: bool
    client_id: str
    approval: int
    deadline_unix_ns: int  # after this the venue refuses it: recvWindow, deadline, expTime
    purpose: str  # enter, chase, unwind, operator, flatten


class Sent(_Record, frozen=True, tag=8):
    """Its bytes were handed to a socket."""

    order: int
    channel: str  # ws or rest
    book_version: int = -1  # of its book at that moment; -1: written before this was noted
    distrust: int = 0  # shm.layout.Veto of that book; 0: it was to be believed


class Unsent(_Record, frozen=True, tag=9):
    """Not one byte of it left."""

    order: int
    why: str


class Acknowledged(_Record, frozen=True, tag=10):
    """The venue has it."""

    order: int
    venue_order: str


class Rejected(_Record, frozen=True, tag=11):
    """The venue refused it: it never was in the book."""

    order: int
    code: str
    text: str


class Filled(_Record, frozen=True, tag=12):
    """A trade, booked once per (venue, symbol, trade); ``order`` 0: not ours."""

    order: int
    venue: str
    symbol: str
    trade: str
    side: int
    price: int
    size: int
    fee: str  # exact decimal text; negative: a rebate
    fee_asset: str
    taker: bool
    venue_unix_ns: int
    source: str  # stream, answer, query or model
    realised: str = ""  # exact decimal text, as the venue credited it; "": it said nothing


class Busted(_Record, frozen=True, tag=13):
    """The venue took a trade back."""

    venue: str
    symbol: str
    trade: str
    evidence: str


class Ended(_Record, frozen=True, tag=14):
    """The venue says that it rests no more: cancelled, expired or filled."""

    order: int
    how: str
    venue_filled: int  # by its word; what we booked may still be on its way
    evidence: str


class CancelAsked(_Record, frozen=True, tag=15):
    """A cancel is about to leave."""

    order: int
    why: str


class CancelRefused(_Record, frozen=True, tag=16):
    """The venue did not cancel it; most often it had ended already."""

    order: int
    code: str
    text: str


class Doubted(_Record, frozen=True, tag=17):
    """Nobody knows what became of a request for it."""

    order: int
    why: str


class Proven(_Record, frozen=True, tag=18):
    """Evidence that ends a doubt."""

    order: int
    found: int  # Found
    venue_order: str
    venue_filled: int
    evidence: str


class Odd(_Record, frozen=True, tag=19):
    """Something the venue cannot have meant; noted, and acted on as a doubt where it matters."""

    order: int
    event: str
    text: str


class Posted(_Record, frozen=True, tag=20):
    """Money that moved without a trade of ours: deposit, withdrawal, funding, dust, adjustment."""

    venue: str
    asset: str
    amount: str
    kind: str
    reference: str


class Counted(_Record, frozen=True, tag=21):
    """What a venue says that we hold."""

    venue: str
    asset: str
    free: str
    locked: str
    source: str


class Held(_Record, frozen=True, tag=22):
    """What a venue says of a perpetual's position, signed, in size quanta."""

    venue: str
    symbol: str
    size: int
    source: str


class StateChanged(_Record, frozen=True, tag=23):
    """The trading state moved; only an operator or a cool-down moves it back."""

    before: int
    now: int
    why: str
    who: str


class BreakerMoved(_Record, frozen=True, tag=24):
    """A circuit breaker opened, half-opened or closed."""

    name: str
    before: str
    now: str
    why: str


class Commanded(_Record, frozen=True, tag=25):
    """An operator's command, accepted or refused."""

    command_id: str
    verb: str
    arguments: str
    refused: str


FLATTENING: Final = {"Flatten": True, "Flattened": False}  # verbs that begin and end one


class Foreign(_Record, frozen=True, tag=26):
    """An order or a trade on our account that is not ours."""

    venue: str
    symbol: str
    venue_order: str
    client_id: str
    text: str


Record: TypeAlias = (
    Opened | Closed | Listed | Decided | Planned | PlanClosed | Intended | Sent | Unsent
    | Acknowledged | Rejected | Filled | Busted | Ended | CancelAsked | CancelRefused | Doubted
    | Proven | Odd | Posted | Counted | Held | StateChanged | BreakerMoved | Commanded | Foreign
)
_KINDS: Final = {kind: int(kind.__struct_config__.tag) for kind in get_args(Record)}
_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(Record)


def kind_of(record: Record) -> int:
    """Return the number of a record's kind."""
    return _KINDS[type(record)]


def encode(record: Record) -> bytes:
    """Return a record's payload."""
    return _encoder.encode(record)


def decode(payload: bytes) -> Record:
    """Return the record of a payload; raise msgspec.DecodeError for anything else."""
    record: Record = _decoder.decode(payload)
    return record
