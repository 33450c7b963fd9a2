"""ops.kill: without an answer the file is left, and a file that cannot be left is told."""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.model.errors import ConnectionLost
from ops import cli, client


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    root = Path(tempfile.mkdtemp(prefix="t"))
    path = root / f"trypto-{os.getuid()}" / "t"
    path.mkdir(parents=True)
    monkeypatch.setenv("TRYPTO_SHM", str(root))

    def silent(*_: object, **__: object) -> None:
        raise ConnectionLost("no answer")

    monkeypatch.setattr(client, "ask", silent)
    yield path
    shutil.rmtree(root)


def test_a_silent_control_is_left_the_file(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["kill", "now", "--name", "t"]) == 1
    assert (folder / "kill").read_text() == "now"
    assert "not confirmed: no answer; left " in capsys.readouterr().err


@pytest.mark.parametrize("why", [errno.ENOSPC, errno.ENOENT])
def test_a_file_that_cannot_be_left_is_told(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, why: int
) -> None:
    def fails(*_: object) -> int:
        raise OSError(why, os.strerror(why))

    monkeypatch.setattr(Path, "write_text", fails)
    assert cli.main(["kill", "--name", "t"]) == 1
    said = capsys.readouterr().err
    assert f"NOT KILLED: no answer; {folder / 'kill'} cannot be left either: " in said
    assert os.strerror(why) in said
