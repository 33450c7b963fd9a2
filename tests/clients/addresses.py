"""Name resolution as a client behind a hosts file would have it: the venues' names are loopback."""

import socket
from collections.abc import Mapping
from urllib.parse import urlsplit

from aiohttp.abc import AbstractResolver, ResolveResult

from ops.sim.hosts import REST, STREAM


def ports_of(endpoints: Mapping[str, Mapping[str, str]]) -> dict[str, int]:
    """Return the local port that plays each host name; endpoints as the simulator tells them."""
    ports: dict[str, int] = {}
    for venue, urls in endpoints.items():
        for hosts, kind in ((REST, "rest"), (STREAM, "ws")):
            port = urlsplit(urls[kind]).port
            assert port
            ports |= dict.fromkeys(hosts[venue], port)
    return ports


class Loopback(AbstractResolver):
    """Resolves the venues' names, and no others: no test can leave the machine."""

    def __init__(self, ports: Mapping[str, int]) -> None:
        self._ports = ports

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the simulator's address in place of the venue's."""
        if host not in self._ports:
            raise OSError(f"{host} is not simulated")
        return [ResolveResult(
            hostname=host, host="127.0.0.1", port=self._ports[host], family=socket.AF_INET,
            proto=0, flags=0)]

    async def close(self) -> None:
        """Hold nothing."""
