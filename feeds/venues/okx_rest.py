"""OKX's catalogue of spot instruments.

Facts from ``venues/okx.md``, read 2026-11-21: spot has no smallest notional, ``minSz`` bounds.
"""

from collections.abc import Sequence

import msgspec

from feeds.envelope import decoder, malformed
from feeds.venue import Listing


class _Instrument(msgspec.Struct, rename="camel"):
    inst_id: str
    inst_type: str
    base_ccy: str
    quote_ccy: str
    tick_sz: str
    lot_sz: str
    min_sz: str
    state: str
    inst_id_code: int | None = None  # what order entry over WebSocket calls it


class _Answer(msgspec.Struct):
    code: str
    data: list[_Instrument]
    msg: str = ""


_parse = decoder(_Answer)


def decode_catalogue(body: bytes) -> Sequence[Listing]:
    """Return the spot instruments in the answer; raise DecodeError, also on an error code."""
    answer = _parse(body)
    if answer.code != "0":
        raise malformed(body, f"code {answer.code} {answer.msg}")
    return [
        Listing(
            native=it.inst_id, pair=f"{it.base_ccy}/{it.quote_ccy}", tick=it.tick_sz,
            lot=it.lot_sz, size_min=it.min_sz, trading=it.state == "live",
            code="" if it.inst_id_code is None else str(it.inst_id_code),
        )
        for it in answer.data if it.inst_type == "SPOT"
    ]
