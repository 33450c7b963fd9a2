"""Which addresses a venue may be reached at: encrypted ones, or plain ones on this machine."""

import ipaddress
from typing import Final
from urllib.parse import urlsplit

_SECURE: Final = {"ws": "wss", "http": "https"}


def address_fault(url: str, scheme: str) -> str:
    """Say what is wrong with ``url`` for plain ``scheme`` ("ws" or "http"), or "" if nothing is."""
    secure = _SECURE[scheme]
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
        host.encode("idna")
    except ValueError as error:  # a port that is no number, a host that is no name
        return f"is no address: {error}; right would be {secure}://HOST[:PORT]/PATH"
    printable = url.isascii() and url.isprintable() and " " not in url
    if parts.scheme not in (scheme, secure) or not host or "@" in parts.netloc or not printable:
        return f"is no address to use; right would be {secure}://HOST[:PORT]/PATH"
    if parts.scheme == scheme and not _is_loopback(host):
        return f"is not encrypted; right would be {secure}://{host}"
    return ""


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
