"""Who asks: signed REST requests with rising nonces, and the tokens of WebSocket requests.

API-Sign is base64(HMAC-SHA512(base64decode(secret), path + SHA256(nonce + body))).  A token must
be used within 15 minutes; then it lives while a connection keeps a private subscription with it.
Source: shared/venues/kraken.md (Private), 2026-11-21.
"""

import base64
import hashlib
import hmac
from collections import deque
from collections.abc import Mapping
from typing import Final

from ops.sim.credentials import Credentials
from ops.sim.face import HttpRequest, Session
from ops.sim.faces.kraken.answers import Declined

TOKEN_LIFE_S: Final = 900
TOKENS_MAX: Final = 200  # per account; the oldest makes room
NONCE_MAX: Final = 2**64
NONCES_KEPT: Final = 1_000  # within the window of a key


def signature(secret: str, path: str, nonce: str, body: bytes) -> str:
    """Return the API-Sign header of a request."""
    digest = hashlib.sha256(nonce.encode() + body).digest()
    made = hmac.new(base64.b64decode(secret), path.encode() + digest, hashlib.sha512)
    return base64.b64encode(made.digest()).decode()


class Nonces:
    """The nonces of one key: each above the last, or, within ``window`` of it, at least unused."""

    def __init__(self) -> None:
        self.window = 0  # set on the key by its owner; Kraken's default is none
        self._highest = -1
        self._used: deque[int] = deque(maxlen=NONCES_KEPT)

    def take(self, nonce: int) -> bool:
        """Use a nonce up; return whether it was good."""
        if nonce <= self._highest:
            if nonce < self._highest - self.window or nonce in self._used or not self.window:
                return False
        else:
            self._highest = nonce
        self._used.append(nonce)
        return True


class Keyring:
    """What is remembered of the venue's API keys."""

    def __init__(self) -> None:
        self.nonces: dict[str, Nonces] = {}  # by key


    def check(
        self, known: Mapping[str, Credentials], request: HttpRequest, nonce: object
    ) -> Credentials:
        """Return which of the known keys' request it is; raise Declined as Kraken does."""
        holder = known.get(request.headers.get("api-key", ""))
        if holder is None:
            raise Declined("EAPI:Invalid key")
        text = str(nonce)
        if not (text.isascii() and text.isdigit() and len(text) <= 20 and int(text) < NONCE_MAX):
            raise Declined("EAPI:Invalid nonce")
        expected = signature(holder.secret, request.path, text, request.body)
        given = request.headers.get("api-sign", "")
        if not hmac.compare_digest(expected.encode(), given.encode(errors="replace")):
            raise Declined("EAPI:Invalid signature")
        if not self.nonces.setdefault(holder.key, Nonces()).take(int(text)):
            raise Declined("EAPI:Invalid nonce")
        return holder


class Token:
    """What proves an account on a WebSocket connection."""

    def __init__(self, holder: Credentials, issued_ns: int) -> None:
        self.account, self.key, self._issued_ns = holder.account, holder.key, issued_ns
        self._sessions: list[Session] = []  # that subscribed with it

    def use(self, session: Session) -> None:
        """Note a private subscription."""
        if session not in self._sessions:
            self._sessions.append(session)

    def lives(self, now_ns: int) -> bool:
        """Return whether it is younger than 15 minutes, or in use."""
        self._sessions = [
            each for each in self._sessions if any(name[:1] == "@" for name, _ in each.topics)]
        return bool(self._sessions) or now_ns - self._issued_ns < TOKEN_LIFE_S * 10**9


class Tokens:
    """All tokens that were given out."""

    def __init__(self) -> None:
        self._tokens: dict[str, Token] = {}
        self._issued = 0

    def issue(self, holder: Credentials, now_ns: int) -> str:
        """Return a new token."""
        self._issued += 1
        made = hashlib.sha256(f"{self._issued}:{holder.secret}".encode()).digest()
        text = base64.b64encode(made).decode().rstrip("=")
        mine = [name for name, token in self._tokens.items() if token.account == holder.account]
        if len(mine) >= TOKENS_MAX:
            dead = [name for name in mine if not self._tokens[name].lives(now_ns)]
            for name in dead or mine[:1]:
                del self._tokens[name]
        self._tokens[text] = Token(holder, now_ns)
        return text

    def find(self, known: Mapping[str, Credentials], text: object, now_ns: int) -> Token:
        """Return a token that lives, of one of the known keys; raise Declined."""
        if text is None:
            raise Declined("Token(s) not found")
        token = self._tokens.get(text) if isinstance(text, str) else None
        if token is None or token.key not in known or not token.lives(now_ns):
            raise Declined("ESession:Invalid session")
        return token
