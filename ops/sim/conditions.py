"""Faults that hold for a venue as a whole while they are in force, and those that strike it once.

``tick`` compares what should hold with what holds, so a fault may be lifted, run out or overlap
with others of its kind at any time.
"""

from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec.structs import replace

from engine.model.fault import OF_SYMBOL, ONCE, STANDING, Fault, Kind
from ops.sim.exchange.filters import Mode
from ops.sim.exchange.orders import Why
from ops.sim.listing import Line
from ops.sim.rules import filters_of

if TYPE_CHECKING:
    from ops.sim.floor import Floor

COARSER: Final = 10  # how much a FILTERS fault does
MODES: Final = (  # the strictest first
    (Kind.HALT, Mode.HALTED), (Kind.CANCEL_ONLY, Mode.CANCEL_ONLY),
    (Kind.POST_ONLY, Mode.POST_ONLY))


class Regime(NamedTuple):
    """What faults make of one symbol's rules."""

    mode: Mode = Mode.OPEN
    coarse: bool = False


class Conditions:
    """What one venue is under."""

    def __init__(self, floor: "Floor") -> None:
        self._floor = floor
        self._regimes: dict[str, Regime] = {}  # by native symbol; only what is not ordinary
        self._kinds: set[Kind] = set()  # in force at the last tick
        self._keys = floor.credentials

    def tick(self) -> bool:
        """Begin and end what faults do to the venue; return whether its streams must close."""
        floor = self._floor
        now_ns = floor.mono_ns()
        standing = {
            kind: found for kind in STANDING
            if (found := floor.faults.in_force(floor.venue, kind, now_ns))}
        for kind in standing.keys() - self._kinds:
            floor.faults.count(floor.venue, kind)
        if standing or self._kinds:
            self._hold(standing)
        self._kinds = set(standing)
        once = floor.faults.strike(floor.venue, "", ONCE, now_ns)
        if once is not None:
            self._befall(once.kind)
        return Kind.MAINTENANCE in standing or (once is not None and once.kind is Kind.ID_REUSE)

    def _hold(self, standing: dict[Kind, list[Fault]]) -> None:
        floor = self._floor
        skew, lag = standing.get(Kind.CLOCK_SKEW), standing.get(Kind.QUERY_LAG)
        floor.skew_ns = int(skew[0].ms * 1e6) if skew else 0
        behind_ns = int(lag[0].ms * 1e6) if lag else 0
        floor.exchange.horizon = (lambda: floor.now_ns() - behind_ns) if lag else None
        floor.credentials = {} if Kind.KEYS_REVOKED in standing else self._keys
        floor.silent = Kind.USER_SILENT in standing
        if OF_SYMBOL & (standing.keys() | self._kinds):
            for line in floor.face.lines.values():
                regime = _regime(line.native, standing)
                if regime != self._regimes.get(line.native, Regime()):
                    self._rule(line, regime)

    def _rule(self, line: Line, regime: Regime) -> None:
        """Put a symbol under other rules, and tell of it."""
        floor = self._floor
        symbol = floor.exchange.listed[line.native].symbol
        was, first = floor.filters(line.native), filters_of(line, symbol)
        by = COARSER if regime.coarse else 1
        floor.exchange.set_filters(line.native, replace(
            was, mode=regime.mode, tick=first.tick * by, lot=first.lot * by,
            size_min=max(first.size_min, first.lot * by)))
        self._regimes[line.native] = regime
        halted = regime.mode is Mode.HALTED
        if halted and was.mode is not Mode.HALTED:
            floor.freeze(line)
        elif was.mode is Mode.HALTED and not halted:
            floor.thaw(line)
        floor.face.relisted(line)

    def _befall(self, kind: Kind) -> None:
        """Let something happen to every resting order, or to the newest trade."""
        floor = self._floor
        if kind is Kind.BUST:
            floor.exchange.bust(floor.now_ns())
            return
        silent, floor.silent = floor.silent, floor.silent or kind is not Kind.ORDERS_CANCELLED
        if kind is Kind.ID_REUSE:
            floor.restart()
        else:
            for account in floor.exchange.accounts.by_name:
                floor.cancel_all(account, why=Why.WITHDRAWN)
        floor.silent = silent


def _regime(native: str, standing: dict[Kind, list[Fault]]) -> Regime:
    def under(kind: Kind) -> bool:
        return any(fault.symbol in ("", native) for fault in standing.get(kind, ()))

    mode = next((mode for kind, mode in MODES if under(kind)), Mode.OPEN)
    return Regime(mode, under(Kind.FILTERS))
