"""Fees as a value: two rates in parts per million, and the asset they are taken in."""

from enum import Enum
from typing import Final

import msgspec

PPM: Final = 1_000_000


class FeeIn(Enum):
    """Which asset pays."""

    QUOTE = "quote"  # Kraken fciq, Coinbase, every perpetual
    BASE = "base"  # Kraken fcib
    RECEIVED = "received"  # Binance, OKX: base on a buy, quote on a sell
    THIRD = "third"  # Binance with BNB; RECEIVED where the account holds too little of it


class Fees(msgspec.Struct, frozen=True):
    """An account's rates; a negative rate is a rebate."""

    maker_ppm: int = 0
    taker_ppm: int = 0
    taken: FeeIn = FeeIn.QUOTE
    third: str = ""

    @property
    def worst_ppm(self) -> int:
        """Return the rate a reservation must cover."""
        return max(self.maker_ppm, self.taker_ppm, 0)


NO_FEES: Final = Fees()


def share(amount: int, ppm: int) -> int:
    """Return that many ppm of a positive amount, rounded towards zero.

    So a sum of fees of parts is never above the fee of the whole: what was reserved suffices.
    """
    return amount * ppm // PPM if ppm >= 0 else -(amount * -ppm // PPM)


def share_up(amount: int, ppm: int) -> int:
    """Return that many ppm of a positive amount, rounded up: for what must be held."""
    return -(-amount * ppm // PPM)
