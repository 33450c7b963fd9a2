"""What the Advanced Trade host serves beside Advanced Trade: the old app's currencies and time.

ccxt asks for them before anything else.  Shapes after ccxt 4.5.90, coinbase.py (fetch_currencies,
fetch_time); they are not in shared/venues/coinbase.md.
"""

from collections.abc import Iterable
from typing import Any, Final

from ops.sim.face import Answer, to_json
from ops.sim.listing import Line, first_price

FIAT: Final = {"USD": "US Dollar", "EUR": "Euro", "GBP": "British Pound"}


def answer(path: str, lines: Iterable[Line], unix_ns: int, now_iso: str) -> Answer | None:
    """Serve the public calls below /v2; None for any other path."""
    pairs = [line.pair for line in lines]
    codes = sorted({code for pair in pairs for code in (pair.base, pair.quote)})
    found: Any = None
    if path == "/v2/time":
        found = {"iso": now_iso[:19] + "Z", "epoch": unix_ns // 1_000_000_000}
    elif path == "/v2/currencies":
        found = [{"id": code, "name": FIAT[code], "min_size": "0.01"}
                 for code in codes if code in FIAT]
    elif path == "/v2/currencies/crypto":
        found = [{"code": code, "name": code, "color": "#0433FF", "sort_index": number,
                  "exponent": 8, "type": "crypto", "address_regex": "",
                  "asset_id": f"00000000-0000-4000-8000-{number:012x}"}
                 for number, code in enumerate(codes) if code not in FIAT]
    elif path == "/v2/exchange-rates":
        in_usd = {pair.base: first_price(pair) for pair in pairs if pair.quote == "USD"}
        found = {"currency": "USD", "rates": {"USD": "1.0"} | {
            code: f"{1 / price:.12f}" for code, price in in_usd.items()}}
    return None if found is None else to_json({"data": found})
