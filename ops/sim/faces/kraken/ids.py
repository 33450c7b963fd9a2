"""Ids in Kraken's form, OUF4EM-FRGI2-MQMWZD: 80 bits in base 32, made from the exchange's ints.

The bits are scrambled by a multiplication that can be undone, so an id tells nothing to a client
and everything to us.  Source of the form: shared/venues/kraken.md, 2026-11-21.
"""

from typing import Final

_DIGITS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_VALUES: Final = {digit: value for value, digit in enumerate(_DIGITS)}
_LENGTH: Final = 16
_MODULUS: Final = 1 << 5 * _LENGTH
_FACTOR: Final = 0x9E37_79B9_7F4A_7C15_F39D
_INVERSE: Final = pow(_FACTOR, -1, _MODULUS)

ORDER: Final = "O"
TRADE: Final = "T"
LEDGER: Final = "L"
_DEPOSITS: Final = 1 << 70  # ledger entries that belong to no trade are numbered from here on
_AMENDS: Final = 1 << 71


def spell(prefix: str, number: int) -> str:
    """Write a number below 2**80 as an id."""
    scrambled, digits = number * _FACTOR % _MODULUS, ""
    for _ in range(_LENGTH):
        scrambled, value = divmod(scrambled, 32)
        digits = _DIGITS[value] + digits
    return f"{prefix}{digits[:5]}-{digits[5:10]}-{digits[10:]}"


def number_of(prefix: str, text: str) -> int | None:
    """Return the number behind an id, None if it has another form."""
    parts = text.split("-")
    if [len(part) for part in parts] != [6, 5, 6] or not text.startswith(prefix):
        return None
    scrambled = 0
    for digit in "".join(parts)[1:]:
        value = _VALUES.get(digit)
        if value is None:
            return None
        scrambled = scrambled * 32 + value
    return scrambled * _INVERSE % _MODULUS


def order_id(number: int) -> str:
    """Return an order's id."""
    return spell(ORDER, number)


def exec_id(trade_id: int, *, taker: bool) -> str:
    """Return the id of one party's part in a trade."""
    return spell(TRADE, trade_id * 2 + taker)


def ledger_id(trade_id: int, leg: int, *, taker: bool) -> str:
    """Return the id of the ledger entry of a trade's base (leg 0) or quote (leg 1)."""
    return spell(LEDGER, (trade_id * 2 + taker) * 2 + leg)


def deposit_id(number: int) -> str:
    """Return the id of a ledger entry that belongs to no trade."""
    return spell(LEDGER, _DEPOSITS + number)


def amend_id(number: int) -> str:
    """Return the id of an amendment."""
    return spell(TRADE, _AMENDS + number)
