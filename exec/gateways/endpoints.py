"""Where a venue takes orders: three addresses, encrypted unless they stay on this machine.

Certificates are verified always; the local servers' own authority is added, never a bypass.
"""

import ssl
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec

from engine.model.address import address_fault
from engine.model.errors import ConfigInvalid

FILE: Final = "endpoints.json"  # in the run folder, written by the local servers
CA_FILE: Final = "sim-ca.pem"  # beside it, where they speak TLS


class Endpoints(msgspec.Struct, frozen=True):
    """Hosts without paths: those are the codec's."""

    orders_url: str
    user_url: str
    rest_url: str
    ca_file: str = ""  # one more authority to trust, PEM

    def __post_init__(self) -> None:
        """Raise ConfigInvalid for an address that is none, or that would send keys in clear."""
        for url, scheme in ((self.orders_url, "ws"), (self.user_url, "ws"),
                            (self.rest_url, "http")):
            if fault := address_fault(url, scheme):
                raise ConfigInvalid(f"{url!r} {fault}")


class _Local(msgspec.Struct):
    """One venue's line in FILE."""

    ws: str
    rest: str


def simulated(folder: Path, venue: str) -> Endpoints | None:
    """Return where the local servers play a venue, None while they have not said so."""
    try:
        served = msgspec.json.decode((folder / FILE).read_bytes(), type=dict[str, _Local])
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    if venue not in served:
        return None
    line = served[venue]
    at = urlsplit(line.ws)
    host = f"{at.scheme}://{at.netloc}"
    authority = folder / CA_FILE
    return Endpoints(
        host, host, line.rest.rstrip("/"), str(authority) if authority.exists() else "")


def tls_context(ca_file: str = "") -> ssl.SSLContext:
    """Return a context that verifies certificate and name, trusting ``ca_file`` as well."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file:
        context.load_verify_locations(ca_file)
    return context
