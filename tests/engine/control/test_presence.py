"""engine.control.presence: deleted files are noticed, rebound sockets are not taken for deleted."""

import shutil
from pathlib import Path

import pytest

from engine.control.presence import Presence
from tests.ops.world import World


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)


def test_what_stays_is_never_lost(world: World) -> None:
    presence = Presence(world.run, world.config)
    assert [presence.lost() for _ in range(3)] == [None] * 3


@pytest.mark.parametrize("name", ["control", "books.okx", "fates", "exec.bell", "config.json"])
def test_a_deleted_file_is_lost_at_the_second_look(world: World, name: str) -> None:
    presence, path = Presence(world.run, world.config), world.run.file(name)
    path.unlink()
    assert [presence.lost(), presence.lost()] == [None, path]


def test_a_file_of_the_same_name_is_another_file(world: World) -> None:
    presence, path = Presence(world.run, world.config), world.run.file("books.okx")
    shutil.copy(path, path.with_suffix(".new"))
    path.with_suffix(".new").rename(path)
    assert [presence.lost(), presence.lost()] == [None, path]


def test_a_socket_is_missed_only_once_seen_and_not_while_its_owner_binds_it_anew(
    world: World
) -> None:
    presence, path = Presence(world.run, world.config), world.run.file("signals.ipc")
    assert [presence.lost(), presence.lost()] == [None, None]
    path.touch()
    assert presence.lost() is None
    path.unlink()
    assert presence.lost() is None
    path.touch()
    assert [presence.lost(), presence.lost()] == [None, None]
    path.unlink()
    assert [presence.lost(), presence.lost()] == [None, path]


def test_the_whole_folder_is_missed_at_once(world: World) -> None:
    presence = Presence(world.run, world.config)
    shutil.rmtree(world.run.path)
    assert presence.lost() == world.run.path
