"""A real PostgreSQL server of our own, in a temporary folder, on a socket there and no network."""

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

_BINARIES: Final = Path("/usr/lib/postgresql")


def binaries() -> Path | None:
    """Return the newest installed server's programs, as Debian's package lays them."""
    found = sorted(_BINARIES.glob("*/bin/initdb"), key=lambda each: float(each.parts[-3]))
    return found[-1].parent if found else None


class Server:
    """One cluster; ``stop`` it."""

    def __init__(self, programs: Path) -> None:
        """Make a cluster and start it."""
        self._programs, self.folder = programs, Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))
        self._as: list[str] = []
        if not os.getuid():  # the server refuses root
            user = _somebody()
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self._as = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}",
                        "--clear-groups"]
        password = Path(f"{self.folder}.password")
        password.write_text("not a secret")
        password.chmod(0o644)
        self._say("initdb", "--no-sync", "--auth=scram-sha-256", "--username=trader",
                  f"--pwfile={password}", "--encoding=UTF8", "--locale=C")
        password.unlink()
        rules = self.folder / "cluster" / "pg_hba.conf"
        rules.write_text("local all trader trust\nlocal all all scram-sha-256\n")
        self.start()

    @property
    def url(self) -> str:
        """Return the URL of its database for the user who may do everything."""
        return f"postgresql://trader@/postgres?host={self.folder}"

    def url_of(self, user: str) -> str:
        """Return the same for another user."""
        return self.url.replace("trader", user)

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._say("pg_ctl", "start", "-w", "-t", "60", "-l", str(self.folder / "log"), "-o",
                  f"-c listen_addresses='' -c unix_socket_directories='{self.folder}'"
                  " -c shared_buffers=16MB -c max_connections=20 -c fsync=off")

    def crash(self) -> None:
        """End it as kill -9 would: nothing is written any more."""
        self._say("pg_ctl", "stop", "-w", "-m", "immediate")

    def stop(self) -> None:
        """End it and remove its folder."""
        self.crash()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _say(self, program: str, *words: str) -> None:
        subprocess.run(
            [*self._as, str(self._programs / program), "-D", str(self.folder / "cluster"), *words],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd="/",
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"})


def _somebody() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise LookupError("neither postgres nor nobody is a user here")
