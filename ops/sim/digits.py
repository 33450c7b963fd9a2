"""Decimal texts of whole ticks and lots, quickly: a busy venue writes 100,000 a second."""

from typing import Final

from engine.model.quanta import plain

KEPT_MAX: Final = 512  # texts per line


class Texts(dict[int, str]):
    """Number -> text with a fixed count of decimals, remembered: prices come back again and again.

    Indexing writes what is missing; when full it forgets everything.
    """

    __slots__ = ("_decimals", "_is_plain", "_pad")

    def __init__(self, decimals: int, pad: str = "", *, is_plain: bool = False) -> None:
        """``pad`` follows each text; ``is_plain`` drops trailing zeros."""
        super().__init__()
        self._decimals, self._pad, self._is_plain = decimals, pad, is_plain

    def __missing__(self, number: int) -> str:
        """Write a number and remember its text."""
        if len(self) >= KEPT_MAX:
            self.clear()
        text = written(number, self._decimals, self._pad)
        self[number] = text = plain(text) if self._is_plain else text
        return text


def written(number: int, decimals: int, pad: str = "") -> str:
    """Return a number with ``decimals`` digits after the point, then ``pad``."""
    if number < 0:
        return "-" + written(-number, decimals, pad)
    digits = str(number)
    if not decimals:
        return digits + pad
    if len(digits) <= decimals:
        return f"0.{digits:0>{decimals}}{pad}"
    return f"{digits[:-decimals]}.{digits[-decimals:]}{pad}"
