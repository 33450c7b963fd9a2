"""The verbs of the control socket: one typed JSON request, one typed reply.

The class name is the verb.  Unknown verbs and fields are refused; every verb is safe to repeat.
"""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

KILL_FILE: Final = "kill"  # in the run folder; whoever can write there may kill
STANDING_FILE: Final = "standing.json"  # beside it: pauses and a halt, see control.standing

Text = Annotated[str, Meta(max_length=200)]


class Request(msgspec.Struct, frozen=True, tag=True, tag_field="verb", forbid_unknown_fields=True):
    """Base of all requests."""


class Status(Request, frozen=True):
    """Ask how the engine is."""


class Stop(Request, frozen=True):
    """Stop every process and remove the run folder."""


class Pause(Request, frozen=True):
    """Emit no signal: of everything, or of one venue, symbol or strategy.  Data keeps flowing."""

    target: Text = ""


class Resume(Request, frozen=True):
    """Take back a pause."""

    target: Text = ""


class Kill(Request, frozen=True):
    """Set the kill word: nothing leaves execution until a reset.  No reason is too long for it."""

    reason: str = ""


class Reset(Request, frozen=True):
    """Clear the kill word and the restart budgets; processes that were given up start again.

    Execution trades again, whatever had restricted it; if that is asked for its breakers close,
    and what venues hold more or less than was booked is booked, as ``accept`` says.
    """

    reason: Annotated[str, Meta(min_length=1, max_length=200)]
    breakers: bool = False
    accept: bool = False


Amount = Annotated[str, Meta(max_length=40, pattern=r"^[0-9]+(\.[0-9]+)?$")]  # exact decimal
CommandId = Annotated[str, Meta(max_length=40, pattern=r"^[0-9a-zA-Z-]*$")]


class Place(Request, frozen=True):
    """Place one order by hand; it passes the gate as every other does."""

    venue: Text
    symbol: Text
    side: Literal["buy", "sell"]
    price: Amount  # never a bare market order
    size: Amount
    tif: Literal["gtc", "ioc", "fok"] = "gtc"
    command_id: CommandId = ""  # the same one twice: acted on once


class Cancel(Request, frozen=True):
    """Cancel one order, by the number that ``orders`` shows."""

    order: Annotated[int, Meta(ge=1)]


class CancelAll(Request, frozen=True):
    """Cancel everything, at every venue or at one: ours and whatever else rests there."""

    venue: Text = ""


class Flatten(Request, frozen=True):
    """Cancel everything, then trade back what trading moved: of one asset, or of all."""

    asset: Text = ""
    command_id: CommandId = ""


Trading = Place | Cancel | CancelAll | Flatten  # what control hands on to execution
ToExecution = Trading | Reset | Kill  # what execution takes; a kill when control is silent
ToGuard = CancelAll | Kill  # what the guard takes, when execution is silent too
AnyRequest = Status | Stop | Pause | Resume | Kill | Reset | Place | Cancel | CancelAll | Flatten


class Reply(msgspec.Struct, frozen=True, tag=True, tag_field="kind"):
    """Base of all replies."""


class Done(Reply, frozen=True):
    """It took effect; ``text`` says what now holds."""

    text: str


class Refused(Reply, frozen=True):
    """Nothing happened; ``text`` says why."""

    text: str


class Unanswered(Reply, frozen=True):
    """Control could not ask execution, or it did not answer; ``text`` says what that means."""

    text: str


class ProcessStatus(msgspec.Struct, frozen=True):
    """One row of the process table."""

    name: str
    pid: int
    state: str  # shm.layout.ProcessState in lower case
    epoch: int
    restarts: int
    exit_code: int  # of the latest death; negative: the signal
    verdict: str  # the latest death in words
    heartbeat_age_ms: float
    progress: int
    rss_bytes: int
    cpu: int  # the core it is pinned to, -1 for none


class VenueStatus(msgspec.Struct, frozen=True):
    """One venue: may the detector use it, and how many of its books may be acted on."""

    name: str
    enabled: bool
    books: int
    books_live: int


class StrategyStatus(msgspec.Struct, frozen=True):
    """One strategy's enable flag."""

    name: str
    enabled: bool


class StatusReply(Reply, frozen=True):
    """Everything control knows."""

    name: str
    folder: str
    mode: str
    run: int
    state: str  # shm.layout.EngineState in lower case
    trading_state: str
    killed: bool
    kill_reason: str
    halt_reason: str
    paused: bool
    paused_symbols: list[str]
    uptime_s: float
    processes: list[ProcessStatus]
    venues: list[VenueStatus]
    strategies: list[StrategyStatus]
    requests_refused: int


AnyReply = Done | Refused | Unanswered | StatusReply

EXEC_SOCKET: Final = "exec.ipc"  # where execution takes ToExecution, in the run folder
GUARD_SOCKET: Final = "guard.ipc"  # where the guard takes ToGuard, beside it
decode_request: Final = msgspec.json.Decoder(AnyRequest).decode
decode_to_execution: Final = msgspec.json.Decoder(ToExecution).decode
decode_to_guard: Final = msgspec.json.Decoder(ToGuard).decode
decode_reply: Final = msgspec.json.Decoder(AnyReply).decode
encode: Final = msgspec.json.Encoder().encode
