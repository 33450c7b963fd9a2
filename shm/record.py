"""How a record in shared memory is declared: whole words, padded to whole cache lines."""

from typing import Any, Final

import numpy as np

Dtype = np.dtype[np.void]

CACHE_LINE: Final = 64  # bytes
WORD: Final = 8  # bytes


def record(*fields: Any, size: int) -> Dtype:
    """Declare consecutive fields padded to ``size`` bytes; every offset must be a whole word."""
    packed = np.dtype(list(fields))
    assert packed.fields is not None
    assert packed.itemsize <= size, (packed.itemsize, size)
    assert all(offset % WORD == 0 for _, offset, *_ in packed.fields.values())
    assert size % CACHE_LINE == 0
    names = list(packed.names or ())
    return np.dtype({
        "names": names,
        "formats": [packed.fields[name][0] for name in names],
        "offsets": [packed.fields[name][1] for name in names],
        "itemsize": size,
    })


def word_of(dtype: Dtype, field: str) -> int:
    """Return the offset of ``field`` in words; raise KeyError for a field that is not there."""
    assert dtype.fields is not None
    return dtype.fields[field][1] // WORD


def words_in(dtype: Dtype) -> int:
    """Return the size of one record in words."""
    return dtype.itemsize // WORD
