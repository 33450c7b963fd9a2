"""Candles of the last day, made of its minutes.

Not in shared/venues/coinbase.md; shapes after the samples of ccxt 4.5.90 and Nautilus: REST newest
first and at most 350, the channel in five minutes, at most one message a second.
"""

from typing import Final

from ops.sim.day import Day, Figures, both
from ops.sim.face import Answer, Query, count, digits, to_json
from ops.sim.faces.coinbase.reasons import invalid
from ops.sim.listing import Line

CANDLES_MAX: Final = 350
STREAMED_S: Final = 300  # granularity of the channel
SECONDS: Final = {
    "ONE_MINUTE": 60, "FIVE_MINUTE": 300, "FIFTEEN_MINUTE": 900, "THIRTY_MINUTE": 1800,
    "ONE_HOUR": 3600, "TWO_HOUR": 7200, "FOUR_HOUR": 14400, "SIX_HOUR": 21600, "ONE_DAY": 86400}


def answer(line: Line, day: Day, query: Query, now_ns: int) -> Answer:
    """Tell the candles that begin within ``start`` to ``end`` (Unix s, both included)."""
    width_s = SECONDS.get(query.get("granularity", ""))
    start, end = query.get("start", ""), query.get("end", "")
    limit = count(query.get("limit"), default=CANDLES_MAX, most=CANDLES_MAX)
    if width_s is None or limit is None:
        return invalid("valid granularity and limit are required")
    if not (digits(start) and digits(end)):
        return invalid("start and end must be Unix times")
    if (int(end) - int(start)) // width_s >= CANDLES_MAX:
        return invalid(f"number of candles requested should be less than {CANDLES_MAX}")
    found = [row for row in rows(line, day, width_s, now_ns)
             if int(start) <= int(row["start"]) <= int(end)]
    return to_json({"candles": found[::-1][:limit]})


def rows(line: Line, day: Day, width_s: int, now_ns: int) -> list[dict[str, str]]:
    """Return the candles of the last 24 hours, oldest first; empty ones are left out."""
    candles: dict[int, Figures] = {}
    for minute in day.minutes(now_ns):
        begin_s = minute.begin_ns // 10**9 // width_s * width_s
        candles[begin_s] = both(candles[begin_s], minute) if begin_s in candles else minute
    return [
        {"start": str(begin_s), "high": line.price(each.high), "low": line.price(each.low),
         "open": line.price(each.open), "close": line.price(each.last),
         "volume": line.plain_size(each.volume)}
        for begin_s, each in candles.items()]
