"""What a venue says about the instruments that the config asks for, in whole quanta.

The rows of the instruments segment are laid out by control from the config; the part that only
the venue knows is written here: its spelling, steps, minima, fees and whether it trades.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from numpy.typing import NDArray

from engine.model.errors import ConfigInvalid
from engine.model.instrument import Instrument
from engine.model.quanta import to_quanta
from feeds.venue import Listing, Venue
from shm.layout import InstrumentStatus

MICRO_DECIMALS = 6  # least notionals are kept in millionths of the quote currency


class Listed(msgspec.Struct, frozen=True):
    """One instrument as its venue knows it; steps and sizes in the pair's quanta, 0 = unknown."""

    instrument: Instrument
    native: str
    tick: int = 0
    lot: int = 0
    size_min: int = 0
    notional_min: int = 0  # in millionths of the quote currency
    taker_fee_ppm: int = 0
    maker_fee_ppm: int = 0
    status: InstrumentStatus = InstrumentStatus.UNKNOWN
    code: str = ""


def list_instruments(
    venue: Venue,
    instruments: Iterable[Instrument],
    catalogue: Sequence[Listing] | None,
    taker_fee_ppm: int | None = None,
    maker_fee_ppm: int | None = None,
) -> list[Listed]:
    """Join ``instruments`` of one venue with its ``catalogue``; None: it could not be had.

    Fees are the config's, or the adapter's published entry tier where that says None.  Raises
    UnknownInstrument for a pair that the venue cannot spell, and ConfigInvalid where the pair's
    quanta cannot hold the venue's own steps.
    """
    by_native = {line.native: line for line in catalogue or ()}
    fees = (
        venue.taker_fee_ppm if taker_fee_ppm is None else taker_fee_ppm,
        venue.maker_fee_ppm if maker_fee_ppm is None else maker_fee_ppm,
    )
    table = []
    for instrument in instruments:
        native = venue.native(instrument.name)
        line = by_native.get(native)
        if line is not None:
            table.append(_listed(instrument, line, fees))
        elif catalogue is None:
            table.append(Listed(instrument, native, 0, 0, 0, 0, *fees))
        else:
            table.append(
                Listed(instrument, native, 0, 0, 0, 0, *fees, InstrumentStatus.NOT_LISTED)
            )
    return table


def write_rows(listed: Iterable[Listed], rows: NDArray[Any]) -> None:
    """Write what the venue knows into ``rows`` of INSTRUMENT, one per index of the engine."""
    for it in listed:
        row = rows[it.instrument.index]
        row["native"], row["code"] = it.native.encode(), it.code.encode()
        row["tick"], row["lot"] = it.tick, it.lot
        row["size_min"], row["notional_min"] = it.size_min, it.notional_min
        row["taker_fee_ppm"], row["maker_fee_ppm"] = it.taker_fee_ppm, it.maker_fee_ppm
        row["status"] = it.status  # last: what is known of a TRADING instrument is all there


def _listed(instrument: Instrument, line: Listing, fees: tuple[int, int]) -> Listed:
    price, size = instrument.price_decimals, instrument.size_decimals
    return Listed(
        instrument, line.native,
        _step(instrument, "price-decimals", line.tick, price),
        _step(instrument, "size-decimals", line.lot, size),
        _step(instrument, "size-decimals", line.size_min, size),
        to_quanta(line.notional_min, MICRO_DECIMALS),
        *fees,
        InstrumentStatus.TRADING if line.trading else InstrumentStatus.HALTED, line.code,
    )


def _step(instrument: Instrument, key: str, text: str, decimals: int) -> int:
    try:
        return to_quanta(text, decimals)
    except ValueError:
        needed = len(text.rstrip("0").partition(".")[2])
        raise ConfigInvalid(
            f'pairs."{instrument.pair.group}".{key}: {decimals} cannot hold the step {text} that '
            f"{instrument.venue} has for {instrument.name}; right would be {needed} or more"
        ) from None
