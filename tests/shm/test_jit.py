"""The cache of machine code: another source, another folder."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
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


SLOW_KERNEL = """
import sys, time
import numpy as np
from numba.core.caching import IndexDataCacheFile
from shm.jit import kernel

load = IndexDataCacheFile._load_index

def load_slowly(self):
    found = load(self)
    time.sleep(0.4)
    return found

IndexDataCacheFile._load_index = load_slowly

@kernel
def first(values):
    return values[0]

print(first(np.full(1, 3, sys.argv[1])), sum(first.stats.cache_hits.values()))
"""


def test_two_processes_that_compile_at_once_never_get_the_code_of_the_other(
    tmp_path: Path
) -> None:
    script = tmp_path / "slow_kernel.py"
    script.write_text(SLOW_KERNEL)
    environment = {
        "NUMBA_CACHE_DIR": str(tmp_path / "cache"), "PYTHONPATH": str(ROOT), "PATH": ""}

    def both() -> list[str]:
        started = [
            subprocess.Popen([sys.executable, str(script), kind], stdout=subprocess.PIPE,
                             env=environment, text=True)
            for kind in ("int64", "float64")
        ]
        return [each.communicate()[0] for each in started]

    assert both() == ["3 0\n", "3.0 0\n"]
    assert both() == ["3 1\n", "3.0 1\n"]


@pytest.fixture
def dispatcher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Any]:
    """Return what makes the same kernel again and again, as processes one after the other would."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "cache"))
    source = tmp_path / "doubled.py"
    source.write_text("def doubled(value):\n    return 2 * value\n")
    spec = importlib.util.spec_from_file_location("doubled", source)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return lambda: jit.kernel(module.doubled)


@pytest.mark.parametrize("ending", [".nbi", ".nbc"])
@pytest.mark.parametrize("damage", [b"", b"\0" * 4096, None])
def test_machine_code_damaged_by_a_crash_is_compiled_again(
    dispatcher: Callable[[], Any], tmp_path: Path, ending: str, damage: bytes | None
) -> None:
    assert dispatcher()(4) == 8
    path, = (tmp_path / "cache").rglob(f"*{ending}")
    path.write_bytes(path.read_bytes()[:-20] if damage is None else damage)
    again, after = dispatcher(), dispatcher()
    assert again(4) == 8
    assert not again.stats.cache_hits
    assert after(4) == 8
    assert after.stats.cache_hits


def test_a_disk_that_takes_no_machine_code_stops_nobody(
    dispatcher: Callable[[], Any], tmp_path: Path
) -> None:
    (tmp_path / "cache").write_text("a file in the way")
    assert dispatcher()(4) == 8


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
