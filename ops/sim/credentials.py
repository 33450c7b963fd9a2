"""API keys of the simulated venues: made from the seed, so that every run has the same ones.

They guard nothing but invented money on loopback.  ``credentials.json`` in the run folder, mode
0600, tells them to clients, in the forms that each venue issues (shared/venues/*.md).
"""

import base64
import hashlib
import uuid
from typing import Final

import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

HMAC: Final = "hmac"
ED25519: Final = "ed25519"
ES256: Final = "es256"
_P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


class Credentials(msgspec.Struct, frozen=True):
    """One API key of one account, as a client holds it."""

    account: str
    kind: str  # HMAC, ED25519 or ES256
    key: str
    secret: str  # text, base64 or PEM, as the venue issues it
    passphrase: str = ""


def credentials(venue: str, account: str, seed: int) -> list[Credentials]:
    """Return every kind of key that the venue knows, for one account.

    Binance's keys open its spot and its USD-M market alike.
    """
    owner = "binance" if venue == "binance-usdm" else venue

    def make(part: str) -> bytes:
        return hashlib.sha512(f"{seed}:{owner}:{account}:{part}".encode()).digest()

    if venue.startswith("binance"):
        return [
            Credentials(account, HMAC, _word(make("key"), 64), _word(make("secret"), 64)),
            Credentials(account, ED25519, _word(make("ed key"), 64), _ed25519_pem(make("ed"))),
        ]
    if venue.startswith("okx"):
        key = str(uuid.UUID(bytes=make("key")[:16], version=4))
        secret = make("secret")[:16].hex().upper()
        return [Credentials(account, HMAC, key, secret, _word(make("passphrase"), 12))]
    if venue == "kraken":
        key = base64.b64encode(make("key")[:42]).decode()
        return [Credentials(account, HMAC, key, base64.b64encode(make("secret")).decode())]
    if venue == "coinbase":
        return [
            Credentials(account, ES256, _coinbase_name(make("key")), _p256_pem(make("secret"))),
            Credentials(
                account, ED25519, str(uuid.UUID(bytes=make("ed key")[:16], version=4)),
                _ed25519_base64(make("ed"))),
        ]
    return []


def _word(entropy: bytes, size: int) -> str:
    return "".join(_ALPHABET[each % len(_ALPHABET)] for each in entropy[:size])


def _coinbase_name(entropy: bytes) -> str:
    organisation = uuid.UUID(bytes=entropy[:16], version=4)
    return f"organizations/{organisation}/apiKeys/{uuid.UUID(bytes=entropy[16:32], version=4)}"


def _ed25519_pem(entropy: bytes) -> str:
    return _pem(ed25519.Ed25519PrivateKey.from_private_bytes(entropy[:32]),
                serialization.PrivateFormat.PKCS8)


def _ed25519_base64(entropy: bytes) -> str:
    """Return seed and public key in one, as Coinbase issues them."""
    seed = entropy[:32]
    public = ed25519.Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    return base64.b64encode(seed + public).decode()


def _p256_pem(entropy: bytes) -> str:
    scalar = int.from_bytes(entropy[:32]) % (_P256_ORDER - 1) + 1
    return _pem(ec.derive_private_key(scalar, ec.SECP256R1()),
                serialization.PrivateFormat.TraditionalOpenSSL)


def _pem(
    key: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey,
    form: serialization.PrivateFormat,
) -> str:
    text: bytes = key.private_bytes(
        serialization.Encoding.PEM, form, serialization.NoEncryption())
    return text.decode()
