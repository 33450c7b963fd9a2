"""What each command of an operator does; every one is journaled, accepted or refused."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from engine.control.protocol import (
    AnyReply,
    Cancel,
    CancelAll,
    Done,
    Flatten,
    Kill,
    Place,
    Refused,
    Reset,
    ToExecution,
)
from engine.model.errors import NoSpace
from engine.model.instrument import Instrument
from engine.model.quanta import from_quanta, plain, to_quanta
from engine.runtime.log import Logger
from engine.toml_convert import closest
from exec import records as r
from exec.core import ports as p
from exec.core.core import Core
from exec.flatten import Flattener, targets
from exec.gate.checks import Refusal
from exec.killing import cancel_all
from exec.orders import FINAL
from exec.orders import State as OrderState
from exec.state import State
from exec.words import of_refusal
from shm.layout import TradingState

_SIDES: Final = {"buy": 1, "sell": -1}
_TIFS: Final = {"gtc": r.Tif.GTC, "ioc": r.Tif.IOC, "fok": r.Tif.FOK}
OPERATOR: Final = "operator"


class Operator:
    """Carries out what operators ask for, over the core."""

    def __init__(
        self, core: Core, log: p.Log, state: State, books: p.Books, table: Sequence[Instrument],
        flattener: Flattener, kill: Callable[[str], None], killed: Callable[[], bool],
        say: Logger,
    ) -> None:
        """``kill`` sets the word and acts on it; ``killed`` reads it."""
        self._core, self._log, self._state, self._books = core, log, state, books
        self._flattener, self._kill_now, self._killed, self._say = flattener, kill, killed, say
        self._venues: dict[str, dict[str, Instrument]] = {}
        for each in table:
            self._venues.setdefault(each.venue, {})[each.name] = each
        self._verbs: Mapping[type, Callable[..., AnyReply]] = {
            Place: self._place, Cancel: self._cancel, CancelAll: self._cancel_all,
            Flatten: self._flatten, Reset: self._reset, Kill: self._kill}

    def obey(self, request: ToExecution) -> AnyReply:
        """Carry a request out, unless one of the same id was taken before, in any life."""
        command_id = request.command_id if isinstance(request, Place | Flatten) else ""
        before = self._state.commands.get(command_id) if command_id else None
        if before is not None:
            return Refused(before) if before else Done(
                f"command {command_id} was taken before, nothing was done again: see `orders`")
        try:
            reply = self._verbs[type(request)](request)
            if isinstance(reply, Refused):
                self._note(request, reply.text)
        except NoSpace as error:
            done = isinstance(request, Cancel | CancelAll | Kill)  # written down last of all
            reply = (Done(f"done, but the journal takes nothing: {error}") if done else
                     Refused(f"the journal takes nothing, so no order leaves; cancels do: {error}"))
        self._say.warning("command", verb=type(request).__name__, about=_arguments(request),
                          reply=reply)
        return reply

    def _note(self, request: ToExecution, refused: str = "") -> None:
        command_id = request.command_id if isinstance(request, Place | Flatten) else ""
        self._log.append(r.Commanded(
            command_id, type(request).__name__, _arguments(request), refused))

    # --- orders --------------------------------------------------------------------------------

    def _place(self, request: Place) -> AnyReply:
        if (wrong := self._unknown(request.venue, request.symbol)) is not None:
            return wrong
        at = self._venues[request.venue][request.symbol]
        tick, lot, _, _ = self._books.rules(request.venue, request.symbol)
        price = _steps("price", request.price, at.price_decimals, tick)
        size = _steps("size", request.size, at.size_decimals, lot)
        if isinstance(price, str) or isinstance(size, str):
            return Refused(price if isinstance(price, str) else str(size))
        number = self._core.place(
            request.venue, request.symbol, _SIDES[request.side], price, size,
            tif=_TIFS[request.tif], approved=lambda: self._note(request))
        if isinstance(number, Refusal):
            listed = self._state.listed.get((request.venue, request.symbol))
            return Refused(of_refusal(number, listed))
        order = self._state.orders[number]
        if order.state is OrderState.UNSENT:
            return Done(f"order {number} passed the gate, but not a byte of it left: is"
                        f" {request.venue} connected?")
        return Done(f"order {number}: {_arguments(request)}, as {order.intent.client_id}; see"
                    " `orders`")

    def _unknown(self, venue: str, symbol: str) -> Refused | None:
        if venue not in self._venues:
            return Refused(f"no venue {venue!r}; right would be {closest(venue, [*self._venues])}")
        symbols = self._venues[venue]
        if symbol not in symbols:
            right = closest(symbol, [*symbols])
            return Refused(f"no {symbol!r} at {venue}; right would be {right}")
        return None

    def _cancel(self, request: Cancel) -> AnyReply:
        order = self._state.orders.get(request.order)
        if order is None:
            return Refused(f"there is no order {request.order}; `orders` shows those there are")
        intent = order.intent
        decimals = self._state.listed[intent.venue, intent.symbol].size_decimals
        filled = (f"{plain(from_quanta(order.booked, decimals))} of"
                  f" {plain(from_quanta(intent.size, decimals))} filled")
        if order.state in FINAL:
            return Refused(f"order {request.order} had ended: {order.state.name.lower()},"
                           f" {filled}")
        channel = self._core.sender.cancel(request.order, OPERATOR)
        if not channel:
            return Refused(f"not a byte of the cancel left: is {intent.venue} connected?")
        self._note(request)
        return Done(f"cancel of order {request.order} sent, {filled} so far; see `orders`")

    def _cancel_all(self, request: CancelAll) -> AnyReply:
        venue = request.venue
        if venue and venue not in self._venues:
            return Refused(f"no venue {venue!r}; right would be {closest(venue, [*self._venues])}")
        count = sum(venue in ("", each.intent.venue) for each in self._state.live.values())
        cancel_all(self._core, OPERATOR, self._say, venue)
        self._note(request)
        away = [f"{name}: {why}" for name, why in self._core.unready.items()
                if why and venue in ("", name)]
        later = f"; not ready, told as soon as they are: {', '.join(away)}" if away else ""
        return Done(f"told {venue or 'every venue'} to cancel everything, {count} orders of ours"
                    f" among it{later}")

    def _flatten(self, request: Flatten) -> AnyReply:
        known = sorted({each.pair.base for symbols in self._venues.values()
                        for each in symbols.values()})
        if request.asset and request.asset not in known:
            return Refused(f"no instrument of this run trades {request.asset!r}; right would be"
                           f" {closest(request.asset, known)}")
        if self._killed() or self._core.trading.now is TradingState.EMERGENCY:
            return Refused("killed: not even a flatten may send; first: trypto-engine reset REASON")
        self._note(request)
        self._flattener.begin()
        self._flattener.turn()
        count = len(targets(self._state, request.asset))
        return Done(f"cancelling everything, then trading back what moved of"
                    f" {request.asset or 'all assets'}: {count} positions; trading is"
                    f" {self._core.trading.now.name} until a reset; see `orders`")

    # --- state ---------------------------------------------------------------------------------

    def _reset(self, request: Reset) -> AnyReply:
        if self._killed():
            return Refused("the kill word is set, which control takes back: is it running?")
        self._note(request)
        if self._state.flattening is not None:
            self._flattener.end("ended by a reset")
        if request.breakers:
            self._core.trading.close_breakers()
        accepted = self._core.accept(request.reason, OPERATOR) if request.accept else ""
        self._core.resume(TradingState.ACTIVE, request.reason, OPERATOR)
        return Done(f"trading {self._core.trading.now.name.lower()}"
                    + (", breakers closed" if request.breakers else "")
                    + (f", accepted {accepted or 'nothing: all agrees'}" if request.accept else ""))

    def _kill(self, request: Kill) -> AnyReply:
        self._kill_now(request.reason)
        self._note(request)
        return Done("killed: nothing leaves until a reset, every venue was told to cancel"
                    " everything")


def _steps(what: str, text: str, decimals: int, step: int) -> int | str:
    """Return exact decimal text in quanta, or in words what would be right."""
    try:
        quanta = to_quanta(text, decimals)
    except ValueError as error:
        near = text[: text.index(".") + 1 + decimals].rstrip(".") if "." in text else ""
        right = f"; right would be {near}" if near else ""
        return f"{what} {error}{right}"
    if quanta % step == 0:
        return quanta
    below = quanta // step * step
    ways = [plain(from_quanta(each, decimals)) for each in (below, below + step) if each]
    return (f"{what} {text} is no multiple of {plain(from_quanta(step, decimals))}; right would be"
            f" {' or '.join(ways)}")


def _arguments(request: ToExecution) -> str:
    if isinstance(request, Place):
        return (f"{request.side} {request.size} {request.symbol} at {request.price} on"
                f" {request.venue}, {request.tif}")
    if isinstance(request, Cancel):
        return str(request.order)
    if isinstance(request, CancelAll):
        return request.venue
    return request.asset if isinstance(request, Flatten) else request.reason[:200]
