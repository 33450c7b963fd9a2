"""What the portfolio segment shows, as the plain values that the auditor compares."""

from bench.auditor.evidence import Portfolio
from engine.model.errors import EngineError
from shm.portfolio import PortfolioSegment
from shm.segment import RunFolder, Segment


def shown(run: RunFolder) -> Portfolio | None:
    """Return the newest complete portfolio of a run, None where none was published."""
    try:
        segment = PortfolioSegment(Segment.attach(run, "portfolio").words)
    except EngineError:
        return None
    version, found = segment.read()
    if not version:
        return None
    head = found["head"]
    totals: dict[str, dict[str, str]] = {}
    positions: dict[str, dict[str, str]] = {}
    for row in found["balances"][: int(head["balances"])]:
        totals.setdefault(_text(row["venue"]), {})[_text(row["asset"])] = _text(row["total"])
    for row in found["positions"][: int(head["positions"])]:
        positions.setdefault(_text(row["venue"]), {})[_text(row["symbol"])] = _text(row["size"])
    live = [int(row["number"]) for row in found["orders"][: int(head["live_orders"])]]
    return Portfolio(int(head["records"]), int(head["trading_state"]), totals, positions, live)


def _text(raw: bytes) -> str:
    return bytes(raw).rstrip(b"\0").decode()
