"""Where a venue takes orders: three addresses, encrypted unless they stay on this machine."""

from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from engine.model.address import address_fault
from engine.model.errors import ConfigInvalid
from engine.runtime.served import authority, served


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


def simulated(folder: Path, venue: str) -> Endpoints | None:
    """Return where the local servers play a venue, None while they have not said so."""
    line = served(folder, venue)
    if line is None:
        return None
    at = urlsplit(line.ws)
    host = f"{at.scheme}://{at.netloc}"
    return Endpoints(host, host, line.rest.rstrip("/"), authority(folder))
