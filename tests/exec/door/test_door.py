"""exec.door: commands come in over a local socket, whoever sends them and whatever they hold."""

import asyncio
import shutil
import tempfile
from pathlib import Path
from typing import Any

import uvloop

from bench.histories.venue import SYMBOL
from bench.histories.world import SETTINGS
from engine.control.protocol import Done, Flatten, Kill, Place, Refused, decode_reply, encode
from engine.runtime.wire import Dealer
from exec.door.door import Door
from tests.exec.door.commanding import TABLE, Commanded, quiet_log

DEADLINE_S = 20.0  # a test that hangs fails; no test depends on how fast it is


def test_commands_are_answered_in_order_and_garbage_is_refused() -> None:
    async def body(folder: Path) -> None:
        desk = Commanded()
        world = desk.world
        door = Door(
            world.core, world, world.state, world, TABLE, world, folder / "exec.ipc",
            settings=SETTINGS, kill=desk.kill, killed=world.killed, say=quiet_log())
        dealer = Dealer(folder / "exec.ipc")
        replies: list[Any] = []
        for message in (encode(Place("a", SYMBOL, "buy", "58000", "0.001")), b"{", b"",
                        b'{"verb":"Stop"}', encode(Flatten()), encode(Kill("fire"))):
            dealer.send(message)
        while len(replies) < 6:
            door.turn()
            while (reply := dealer.receive()) is not None:
                replies.append(decode_reply(reply))
            await asyncio.sleep(0.005)
        assert [type(each) for each in replies] == [Done, Refused, Refused, Refused, Done, Done]
        assert "not a command to execution" in replies[3].text
        assert world.kill
        assert [each.verb for each in desk.commands()][:3] == ["Place", "Flatten", "Kill"]
        dealer.close()
        door.close()

    root = Path(tempfile.mkdtemp(prefix="t"))  # short: a local socket's path is bounded
    try:
        uvloop.run(asyncio.wait_for(body(root), DEADLINE_S))
    finally:
        shutil.rmtree(root)
