"""How children come to life: the template by itself, all others forked from the template."""

import asyncio
import contextlib
import os
from collections.abc import Callable, Sequence

from engine.control.roles import TEMPLATE, Role
from engine.runtime import spawn, template
from engine.runtime.context import Context

KILLED_GONE_S = 1.0

Born = Callable[[str, spawn.Process], None]


class Starter:
    """Start roles; tell by ``born`` when their process is there."""

    def __init__(self, context: Context, roles: Sequence[Role]) -> None:
        self._folder = str(context.run.path)
        self._modules = list(dict.fromkeys(
            role.entry.partition(":")[0] for role in roles if role.name != TEMPLATE))
        self._client: template.Client | None = None
        self._awaited: dict[str, tuple[Role, int]] = {}  # asked for: role, reading end of stderr
        self._born: Born = lambda _name, _process: None

    def tell(self, born: Born) -> None:
        """Set who is told."""
        self._born = born

    def start(self, role: Role) -> None:
        """Start a process of this role; what needs the template waits until there is one."""
        if role.name == TEMPLATE:
            self._start_template()
        else:
            self._ask(role)

    def _start_template(self) -> None:
        client = self._client = template.Client()
        reading, writing = os.pipe()
        line = spawn.command("engine.runtime.template", self._folder, str(client.inherited),
                             ",".join(self._modules))
        pid = spawn.start(line, stderr=writing)
        os.close(writing)
        client.started()
        asyncio.get_running_loop().add_reader(client.socket, self._learn)
        self._born(TEMPLATE, spawn.Process(pid, reading))
        for role, old in [*self._awaited.values()]:
            os.close(old)
            self._ask(role)

    def _ask(self, role: Role) -> None:
        reading, writing = os.pipe()
        self._awaited[role.name] = role, reading
        if self._client is not None:
            # when it has just died, the next template is asked again
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self._client.ask(role.name, role.entry, writing)
        os.close(writing)

    def _learn(self) -> None:
        assert self._client is not None
        for name, pid in self._client.pids():
            _, reading = self._awaited.pop(name)
            self._born(name, spawn.Process(pid, reading))

    def template_died(self, known: Sequence[int]) -> None:
        """Learn what it still started, then end whatever it started and could not tell of."""
        self._learn()
        self.close()
        while strangers := [pid for pid in spawn.children_of(os.getpid()) if pid not in known]:
            for pid in strangers:
                spawn.kill(pid, KILLED_GONE_S)
                os.waitpid(pid, 0)

    def close(self) -> None:
        """Let go of the template, which leaves."""
        if self._client is not None:
            asyncio.get_running_loop().remove_reader(self._client.socket)
            self._client.close()
            self._client = None
