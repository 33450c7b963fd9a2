"""The reference currency: what counts as one unit of it, in millionths."""

from collections.abc import Mapping
from typing import Final

MICRO: Final = 1_000_000
REFERENCE: Final[Mapping[str, int]] = {  # currencies counted as one unit of the reference
    "USD": MICRO, "USDT": MICRO, "USDC": MICRO}
