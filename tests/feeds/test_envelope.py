"""Times, numbers and the one error that leaves a decoder."""

from collections.abc import Callable

import msgspec
import pytest

from engine.model.errors import DecodeError
from feeds.envelope import decoder, number, unix_ns


@pytest.mark.parametrize(("text", "ns"), [
    ("1970-01-01T00:00:00Z", 0),
    ("2026-08-02T03:35:51.660084Z", 1_785_641_751_660_084_000),
    ("2024-10-04T07:13:08.600625889Z", 1_728_025_988_600_625_889),
    ("2024-10-04T07:13:08.6Z", 1_728_025_988_600_000_000),
])
def test_a_time_is_read_to_the_nanosecond(text: str, ns: int) -> None:
    assert unix_ns(text) == ns


@pytest.mark.parametrize("text", [
    "", "now", "2026-08-02T03:35:51.660084", "2026-08-02 03:35:51Z", "2026-02-30T03:35:51Z",
    "2026-08-02T24:35:51Z", "2026-08-02T03:35:61Z",
    "2026-08-02T03:35:5\u0661Z", "2026-08-02T03:35:51.Z",
    "2026-08-02T03:35:51.6600840000Z", "2026-08-02T03:35:51Z\n",
])
def test_what_is_no_utc_time_is_refused(text: str) -> None:
    with pytest.raises(DecodeError):
        unix_ns(text)


@pytest.mark.parametrize("text", [b"", b'"1"', b"-1", b"1e5", b"1.", b".5", b"null", b"1 ", b"[1]"])
def test_what_is_no_plain_number_is_refused(text: bytes) -> None:
    with pytest.raises(DecodeError):
        number(msgspec.Raw(text))


def test_a_number_keeps_its_zeros() -> None:
    assert number(msgspec.Raw(b"0.00005100")) == "0.00005100"


@pytest.mark.parametrize("wrap", [bytes, bytearray, memoryview, msgspec.Raw])
def test_garbage_of_any_buffer_becomes_decode_error(wrap: Callable[[bytes], bytes]) -> None:
    decode = decoder(dict[str, str])
    for garbage in (b"", b"{", b"[]", b'{"a":"\xff"}', b'{"a":' + b"[" * 100_000):
        with pytest.raises(DecodeError):
            decode(wrap(garbage))
