"""Which books may be believed and who may act: each rule once, for detector and execution.

``distrust`` asks whether a book tells the truth now; ``restraint`` whether anybody may act on it.
Both return a Veto, 0 for none, and read nothing but single words.
"""

from typing import Final

from shm.atomics import Words, load_acquire
from shm.book import STATUS_EPOCH, STATUS_STATE
from shm.jit import kernel
from shm.layout import (
    CONTROL,
    ENGINE,
    INSTRUMENT,
    PROCESS,
    STRATEGY_FLAG,
    VENUE_FLAG,
    BookState,
    EngineState,
    InstrumentStatus,
    TradingState,
    Veto,
    word_of,
    words_in,
)

_PROCESS_EPOCH: Final = word_of(PROCESS, "epoch")
_HEARTBEAT: Final = word_of(PROCESS, "heartbeat_mono_ns")
_STATUS: Final = word_of(INSTRUMENT, "status")
_ENABLED: Final = word_of(INSTRUMENT, "enabled")
_ENGINE_STATE: Final = word_of(ENGINE, "state")
_TRADING_STATE: Final = word_of(ENGINE, "trading_state")
_KILL: Final = word_of(ENGINE, "kill")
_PAUSED: Final = word_of(ENGINE, "paused")
_VENUES: Final = word_of(CONTROL, "venues") + word_of(VENUE_FLAG, "enabled")
_VENUE_WORDS: Final = words_in(VENUE_FLAG)
_STRATEGIES: Final = word_of(CONTROL, "strategies") + word_of(STRATEGY_FLAG, "enabled")
_STRATEGY_WORDS: Final = words_in(STRATEGY_FLAG)

_LIVE: Final = int(BookState.LIVE)
_TRADING: Final = int(InstrumentStatus.TRADING)
_ENGINE_HALTED: Final = int(EngineState.HALTED)
_CAUTIOUS: Final = int(TradingState.CAUTIOUS)
_NOT_LIVE: Final = int(Veto.NOT_LIVE)
_FEED_RESTARTED: Final = int(Veto.FEED_RESTARTED)
_FEED_SILENT: Final = int(Veto.FEED_SILENT)
_NOT_TRADING: Final = int(Veto.NOT_TRADING)
_KILLED: Final = int(Veto.KILLED)
_HALTED: Final = int(Veto.HALTED)
_PAUSED_VETO: Final = int(Veto.PAUSED)
_STRATEGY_PAUSED: Final = int(Veto.STRATEGY_PAUSED)
_VENUE_PAUSED: Final = int(Veto.VENUE_PAUSED)
_SYMBOL_PAUSED: Final = int(Veto.SYMBOL_PAUSED)

assert word_of(CONTROL, "engine") == 0


@kernel
def distrust(
    words: Words, book_base: int, feed_base: int, row_base: int, now_mono: int, silence_max_ns: int
) -> int:
    """Return why the book at ``book_base`` is not to be believed, 0 if it is.

    Ask after reading the book: a feed leaves LIVE before it does anything else.  ``feed_base``
    is its feed's row of the process table, ``row_base`` its row of the instruments.
    """
    # SYNC POINT: acquire of the epoch; its partner is the release in ``shm.book.adopt``
    own = load_acquire(words, book_base + STATUS_EPOCH)
    # SYNC POINT: acquire of the state; its partner is the release in ``shm.book.set_state``
    if load_acquire(words, book_base + STATUS_STATE) != _LIVE:
        return _NOT_LIVE
    # SYNC POINT: acquire; its partner is control's release when the feed's process died
    if load_acquire(words, feed_base + _PROCESS_EPOCH) != own:
        return _FEED_RESTARTED
    if now_mono - load_acquire(words, feed_base + _HEARTBEAT) > silence_max_ns:
        return _FEED_SILENT
    if load_acquire(words, row_base + _STATUS) != _TRADING:
        return _NOT_TRADING
    return 0


@kernel
def restraint(
    words: Words, control_base: int, strategy: int, buy_venue: int, sell_venue: int,
    buy_row: int, sell_row: int,
) -> int:
    """Return why nobody may act on these two instruments now, 0 if one may; gravest first."""
    # SYNC POINT: acquires; their partners are control's releases
    if load_acquire(words, control_base + _KILL) != 0:
        return _KILLED
    if load_acquire(words, control_base + _ENGINE_STATE) == _ENGINE_HALTED:
        return _HALTED
    if load_acquire(words, control_base + _TRADING_STATE) > _CAUTIOUS:
        return _HALTED
    if load_acquire(words, control_base + _PAUSED) != 0:
        return _PAUSED_VETO
    if load_acquire(words, control_base + _STRATEGIES + strategy * _STRATEGY_WORDS) == 0:
        return _STRATEGY_PAUSED
    for venue in (buy_venue, sell_venue):
        if load_acquire(words, control_base + _VENUES + venue * _VENUE_WORDS) == 0:
            return _VENUE_PAUSED
    for row in (buy_row, sell_row):
        if load_acquire(words, row + _ENABLED) == 0:
            return _SYMBOL_PAUSED
    return 0
