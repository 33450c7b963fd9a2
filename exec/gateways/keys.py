"""API keys: from the environment, from files that only we can read, from the simulator's folder.

A config names where a secret is, never the secret: ``env:NAME`` or ``file:/PATH``.  A key shows
nothing of itself: neither ``repr`` nor any error holds a part of it, and it does not pickle.
"""

import hashlib
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NoReturn

import msgspec

from engine.model.errors import KeyInvalid

SIZE_MAX: Final = 16_384  # bytes of a secret's file
SIMULATED_SIZE_MAX: Final = 1 << 20
SIMULATED: Final = "credentials.json"  # in the run folder, written by the local servers


class ApiKey:
    """One API key of one account, as the venue issued it."""

    __slots__ = ("key", "passphrase", "secret")

    def __init__(self, key: str, secret: str, passphrase: str = "") -> None:
        """Take its parts; raise KeyInvalid where one is missing."""
        if not key or not secret:
            raise KeyInvalid("an API key needs its name and its secret")
        self.key, self.secret, self.passphrase = key, secret, passphrase

    @property
    def fingerprint(self) -> str:
        """Return what an operator compares with: 12 digits that tell the key's name apart."""
        return hashlib.sha256(self.key.encode()).hexdigest()[:12]

    def __repr__(self) -> str:
        """Tell the fingerprint alone."""
        return f"ApiKey({self.fingerprint})"

    def __reduce__(self) -> NoReturn:
        """Refuse to be written anywhere."""
        raise TypeError("an API key is not written anywhere")


class _Issued(msgspec.Struct):
    """One line of SIMULATED."""

    account: str
    kind: str
    key: str
    secret: str
    passphrase: str = ""


def named(
    key: str, secret: str, passphrase: str = "", *, environment: Mapping[str, str]
) -> ApiKey:
    """Return the key whose parts are where the references say; KeyInvalid where one is not."""
    parts = [found(each, environment) if each else "" for each in (key, secret, passphrase)]
    return ApiKey(*parts)


def found(reference: str, environment: Mapping[str, str]) -> str:
    """Return the text behind ``env:NAME`` or ``file:/PATH``, without space around it.

    A variable may hold a ``file:`` reference itself.  Raises KeyInvalid, which names the place and
    never what is there; a text that is no reference might be a secret and is not repeated.
    """
    scheme, _, place = reference.partition(":")
    if scheme == "env" and place:
        text = environment.get(place, "").strip()
        if not text:
            raise KeyInvalid(f"the environment has no {place}, or it is empty")
        return found(text, environment) if text.startswith("file:") else text
    if scheme == "file" and place:
        return _private(Path(place), SIZE_MAX).strip()
    raise KeyInvalid("a secret is given as env:NAME or file:/PATH, never as itself")


def simulated(folder: Path, venue: str, account: str, kind: str = "") -> ApiKey:
    """Return a key that the local servers issued: of one kind, or the first there is."""
    try:
        issued = msgspec.json.decode(
            _private(folder / SIMULATED, SIMULATED_SIZE_MAX), type=dict[str, list[_Issued]])
    except msgspec.DecodeError:
        raise KeyInvalid(f"{folder / SIMULATED} is not what local servers write") from None
    for each in issued.get(venue, []):
        if each.account == account and kind in ("", each.kind):
            return ApiKey(each.key, each.secret, each.passphrase)
    raise KeyInvalid(f"{folder / SIMULATED} has no {kind or 'any'} key of {venue} {account}")


def _private(path: Path, size_max: int) -> str:
    """Read a regular file of ours that nobody else may read; a symbolic link is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise KeyInvalid(f"{path}: {error.strerror}; right would be a file of mode 0600, owned by"
                         " us, that is no link") from None
    try:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            raise KeyInvalid(f"{path} is no regular file")
        if about.st_uid != os.geteuid():
            raise KeyInvalid(f"{path} belongs to another user")
        if about.st_mode & 0o177:
            raise KeyInvalid(f"{path} has mode {stat.S_IMODE(about.st_mode):04o}; right would be"
                             f" 0600: chmod 600 {path}")
        if about.st_size > size_max:
            raise KeyInvalid(f"{path} is too long for a secret")
        read = os.read(descriptor, size_max)
    finally:
        os.close(descriptor)
    try:
        return read.decode()
    except UnicodeDecodeError:
        raise KeyInvalid(f"{path} is no text") from None
