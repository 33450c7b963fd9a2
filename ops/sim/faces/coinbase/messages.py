"""The envelope of every WebSocket message, numbered per connection.

Source: shared/venues/coinbase.md "Order book", 2026-11-21: ``sequence_num`` counts every message
of a connection, whatever its channel, from 0.
"""

from typing import Final

import orjson

NUMBER: Final = b'"sequence_num":?'  # replaced per connection
TOO_FAST: Final = "rate limit exceeded"
NOT_YOU: Final = "authentication failure"


def message(channel: str, event: str, at: str) -> bytes:
    """Return a message with one event (JSON text), still to be numbered."""
    return (
        f'{{"channel":"{channel}","client_id":"","timestamp":"{at}",'
        f'{NUMBER.decode()},"events":[{event}]}}'
    ).encode()


def numbered(body: bytes, number: int) -> bytes:
    """Return a message with its number on a connection."""
    return body.replace(NUMBER, b'"sequence_num":%d' % number, 1)


def error(text: str) -> bytes:
    """Return an error; it has no number."""
    return orjson.dumps({"type": "error", "message": text})
