"""A secret made ready to sign: HMAC with both of its hash states kept, Ed25519, ES256."""

import base64
import binascii
import hashlib
from collections.abc import Callable
from typing import Any, Final

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from engine.model.errors import KeyInvalid

_INNER: Final = bytes(each ^ 0x36 for each in range(256))
_OUTER: Final = bytes(each ^ 0x5C for each in range(256))
ED25519_SEED_SIZE: Final = 32


class Hmac:
    """HMAC (RFC 2104) over one secret; each use costs two copied states and no key set-up."""

    __slots__ = ("_inner", "_outer")

    def __init__(self, secret: bytes, algorithm: "Callable[..., Any]" = hashlib.sha256) -> None:
        """Take the secret's bytes; raise KeyInvalid without any."""
        if not secret:
            raise KeyInvalid("the secret is empty")
        block = algorithm().block_size
        key = algorithm(secret).digest() if len(secret) > block else secret
        padded = key.ljust(block, b"\0")
        self._inner = algorithm(padded.translate(_INNER))
        self._outer = algorithm(padded.translate(_OUTER))

    def digest(self, message: bytes) -> bytes:
        """Return the code of a message."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(message)
        outer.update(inner.digest())
        found: bytes = outer.digest()
        return found

    def hex(self, message: bytes) -> str:
        """Return it in lower-case hexadecimal."""
        return self.digest(message).hex()

    def base64(self, message: bytes) -> str:
        """Return it in base64."""
        return base64.b64encode(self.digest(message)).decode()

    def __repr__(self) -> str:
        """Tell nothing."""
        return "Hmac(...)"


def from_base64(text: str) -> bytes:
    """Return a base64 secret's bytes; raise KeyInvalid for anything else."""
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise KeyInvalid("the secret is not base64") from None


def ed25519_signer(secret: str) -> Callable[[bytes], bytes]:
    """Return what signs with an Ed25519 key: PKCS8 PEM, or base64 of the seed (and public key).

    Raises KeyInvalid for any other text.
    """
    if secret.lstrip().startswith("-----BEGIN"):
        key = _load_pem(secret)
        if not isinstance(key, ed25519.Ed25519PrivateKey):
            raise KeyInvalid("the PEM text holds no Ed25519 key")
        return key.sign
    seed = from_base64(secret)
    if len(seed) not in (ED25519_SEED_SIZE, 2 * ED25519_SEED_SIZE):
        raise KeyInvalid("an Ed25519 secret has 32 bytes, or 64 with its public key")
    return ed25519.Ed25519PrivateKey.from_private_bytes(seed[:ED25519_SEED_SIZE]).sign


def es256_signer(secret: str) -> Callable[[bytes], bytes]:
    """Return what signs with a P-256 key in PEM; a signature is r and s, 32 bytes each (RFC 7518).

    Raises KeyInvalid for any other text.
    """
    key = _load_pem(secret)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise KeyInvalid("the PEM text holds no P-256 key")
    algorithm = ec.ECDSA(hashes.SHA256())

    def sign(message: bytes) -> bytes:
        r, s = decode_dss_signature(key.sign(message, algorithm))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    return sign


def _load_pem(secret: str) -> object:
    try:
        return serialization.load_pem_private_key(
            secret.replace("\\n", "\n").encode(), password=None)
    except (ValueError, TypeError):
        raise KeyInvalid("the secret is not a private key in PEM without a passphrase") from None
