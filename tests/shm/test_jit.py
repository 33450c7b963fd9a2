"""The cache of machine code: another source, another folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from shm import jit

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("shm/layout.py", "feeds/venues/kraken.py", "tests/test_x.py"):
        path = tmp_path / "tree" / name
        path.parent.mkdir(parents=True)
        path.write_text("DEPTH = 1\n")
    monkeypatch.setattr(jit, "_ROOT", tmp_path / "tree")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "tree"


@pytest.mark.parametrize("name", ["shm/layout.py", "feeds/venues/kraken.py"])
def test_a_changed_constant_in_any_room_leaves_the_old_machine_code_behind(
    sources: Path, name: str
) -> None:
    before = jit.cache_folder()
    assert jit.cache_folder() == before
    (sources / name).write_text("DEPTH = 2\n")
    assert jit.cache_folder() != before


def test_a_changed_test_keeps_the_machine_code(sources: Path) -> None:
    before = jit.cache_folder()
    (sources / "tests/test_x.py").write_text("")
    assert jit.cache_folder() == before


def test_a_home_that_can_not_be_written_is_no_obstacle(
    sources: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = jit.cache_folder()
    assert folder.is_dir()
    assert folder.is_relative_to(tmp_path / f"trypto-engine-{os.getuid()}")
    assert sources.is_dir()


def test_a_fallback_folder_that_others_may_write_is_never_used(
    sources: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    trap = tmp_path / f"trypto-engine-{os.getuid()}"
    trap.mkdir()
    trap.chmod(0o777)
    folder = jit.cache_folder()
    assert not folder.is_relative_to(trap)
    assert folder.parent.stat().st_mode & 0o077 == 0
    assert sources.is_dir()


def test_kernels_of_one_process_are_there_for_the_next(tmp_path: Path) -> None:
    script = "from shm.system import mono_ns; mono_ns(); print(mono_ns.stats.cache_hits)"
    hits = [
        subprocess.run(
            [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True,
            env={"NUMBA_CACHE_DIR": str(tmp_path), "PATH": ""},
        ).stdout
        for _ in range(2)
    ]
    assert hits[0] == "Counter()\n"
    assert "Counter({" in hits[1]
