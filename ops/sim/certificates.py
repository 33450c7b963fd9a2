"""A certificate authority of our own, for simulated venues over TLS."""

import shutil
import ssl
import subprocess
from pathlib import Path
from typing import Final

from engine.model.errors import ConfigInvalid
from engine.runtime.served import CA_FILE
from ops.sim.hosts import REST, STREAM

_KEY: Final = "sim-key.pem"
DAYS: Final = 3650  # a folder is used again for as long as its owner likes
_NAMES: Final = ",".join(["IP:127.0.0.1", "DNS:localhost", *sorted(
    f"DNS:{name}" for hosts in (REST, STREAM) for names in hosts.values() for name in names)])


def server_context(folder: Path) -> ssl.SSLContext:
    """Return a server's context; make key and self-signed certificate in ``folder`` if absent.

    Clients trust ``sim-ca.pem`` there.  Raises ConfigInvalid where openssl is not installed.
    """
    certificate, key = folder / CA_FILE, folder / _KEY
    if not certificate.exists():
        openssl = shutil.which("openssl")
        if openssl is None:
            raise ConfigInvalid("sim.tls needs the openssl command; install it, or say tls = false")
        subprocess.run(  # noqa: S603  every argument is ours
            [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-days", str(DAYS), "-subj", "/CN=127.0.0.1", "-addext",
             f"subjectAltName={_NAMES}", "-keyout", str(key), "-out", str(certificate)],
            check=True, capture_output=True, timeout=30,
        )
        key.chmod(0o600)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context
