"""ops.launcher: what it returns after a stop is what became of control."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.runtime import spawn

RUN = """
import sys
from pathlib import Path
from engine.config import load
from engine.model.clock import SystemClock
from engine.runtime.lock import EngineLock
from ops.launcher import Launcher
from shm.segment import RunFolder

said = []
launcher = Launcher(
    config=load(Path(sys.argv[1])), lock=EngineLock.take(RunFolder.of("demo")),
    clock=SystemClock(), refresh=lambda: None, say=said.append, seconds=float(sys.argv[2]),
    module="tests.ops.odd_control")
code = launcher.run()
print("again" * any("starting the engine again" in each for each in said))
sys.exit(code)
"""


@pytest.mark.parametrize(("odd", "expected"), [
    ("0:told", 0),  # left as it was asked to
    ("term", 0),  # so early that only the kernel could tell it
    ("4:told", 1),  # found meanwhile that it cannot start
    ("1:told", 1),  # broke on its way out
    ("1", 1),  # dies again and again until the time is up
])
def test_a_stop_succeeds_only_when_control_did(tmp_path: Path, odd: str, expected: int) -> None:
    demo = Path(spawn.ROOT) / "configs" / "demo.toml"
    config = tmp_path / "c.toml"
    config.write_text(demo.read_text().replace("restarts-max = 20 ", "restarts-max = 10000 "))
    done = subprocess.run(
        [sys.executable, "-P", "-c", RUN, str(config), "1.0"], capture_output=True, text=True,
        check=False, timeout=60.0,
        env=os.environ | {"TRYPTO_SHM": str(tmp_path), "TRYPTO_ODD": odd,
                          "PYTHONPATH": spawn.ROOT})
    assert (done.returncode, done.stderr) == (expected, "")
    assert ("again" in done.stdout) == (odd == "1")
    assert [each.name for each in tmp_path.iterdir()] == ["c.toml"]
