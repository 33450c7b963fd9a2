"""Where the run's local venue servers listen, and how any venue's certificate is verified.

Certificates are verified always; the local servers' own authority is added, never a bypass.
"""

import ssl
from pathlib import Path
from typing import Final

import msgspec

FILE: Final = "endpoints.json"  # in the run folder, written by the local servers
BIRTH_FILE: Final = "birth"  # beside it: a world that begins anew has forgotten every order
CA_FILE: Final = "sim-ca.pem"  # beside it, where they speak TLS


class Served(msgspec.Struct, frozen=True):
    """One venue's line in FILE."""

    ws: str
    rest: str


def served(folder: Path, venue: str) -> Served | None:
    """Return where the local servers play a venue, None while they have not said so."""
    try:
        lines = msgspec.json.decode((folder / FILE).read_bytes(), type=dict[str, Served])
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    return lines.get(venue)


def birth(folder: Path) -> str:
    """Return when the local servers' world began, empty where none did."""
    try:
        return (folder / BIRTH_FILE).read_text()
    except FileNotFoundError:
        return ""


def authority(folder: Path) -> str:
    """Return the path of the local servers' own authority, empty where they speak plain text."""
    path = folder / CA_FILE
    return str(path) if path.exists() else ""


def tls_context(ca_file: str = "") -> ssl.SSLContext:
    """Return a context that verifies certificate and name, trusting ``ca_file`` as well."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file:
        context.load_verify_locations(ca_file)
    return context
