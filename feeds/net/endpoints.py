"""Where a venue is reached: the config's word, else the local servers', else the adapter's own."""

from pathlib import Path

import msgspec

from engine import config
from engine.model.address import address_fault
from engine.model.errors import ConfigInvalid
from engine.runtime.served import authority, served
from feeds.venue import Venue


class Endpoints(msgspec.Struct, frozen=True):
    """The three addresses of one venue's market."""

    ws_url: str
    prints_url: str  # "": prints come over ws_url, too
    rest_url: str
    ca_file: str = ""  # one more authority to trust, PEM


def endpoints_of(venue: Venue, table: config.Venue, *, local: Path | None) -> Endpoints | None:
    """Return the endpoints, or None while the local servers have not written theirs yet.

    ``local`` is the run folder when the run has local servers.  An address of the config or of
    a local server serves books and prints alike.  Raises ConfigInvalid for a bad address.
    """
    ws_url, rest_url, ca_file = table.ws_url, table.rest_url, ""
    if local is not None and not (ws_url and rest_url):
        line = served(local, venue.name)
        if line is None:
            return None
        ws_url, rest_url = ws_url or line.ws, rest_url or line.rest
        ca_file = authority(local)
    prints_url = (ws_url or venue.prints_url) if venue.prints_url else ""
    return Endpoints(
        _checked(venue.name, "ws-url", ws_url or venue.ws_url, "ws"),
        _checked(venue.name, "ws-url", prints_url, "ws") if prints_url else "",
        _checked(venue.name, "rest-url", rest_url or venue.rest_url, "http").rstrip("/"),
        ca_file,
    )


def _checked(venue: str, key: str, url: str, scheme: str) -> str:
    """Return ``url`` if it is one of ours; plain text may only stay on this machine."""
    if fault := address_fault(url, scheme):
        raise ConfigInvalid(f"venues.{venue}.{key}: {url!r} {fault}")
    return url
