"""``trypto-engine sim`` as a user runs it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

from tests.ops.sim.recordings import ROOT

LIMITS = """
[detector]
edge-min-ppm = 1
edge-max-ppm = 10000
notional-max.USDT = 1.0
notional-min.USDT = 1.0
book-age-ms-max = 1.0
[execution]
edge-min-ppm = 1
"""


def start(config: Path, text: str, *options: str) -> "subprocess.Popen[str]":
    config.write_text(text + LIMITS)
    return subprocess.Popen(
        [sys.executable, "-m", "ops.cli", "sim", "--config", str(config), *options],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_it_says_where_it_listens_serves_and_leaves_on_a_signal(tmp_path: Path) -> None:
    text = 'name = "x"\n[venues.binance]\nsymbols = ["BTC/USDT"]\n[sim]\nseed = 7\n'
    process = start(tmp_path / "c.toml", text, "--folder", str(tmp_path))
    assert process.stdout is not None
    said = ""
    while not said.endswith("}\n}\n") and (line := process.stdout.readline()):
        said += line
    endpoints = json.loads(said)
    assert json.loads((tmp_path / "endpoints.json").read_text()) == endpoints
    with urlopen(endpoints["binance"]["rest"] + "/api/v3/ping", timeout=10) as answer:  # noqa: S310
        assert answer.status == 200
    second = start(tmp_path / "c.toml", text, "--folder", str(tmp_path))  # it is taken
    _, error = second.communicate(timeout=30)
    assert second.returncode == 2
    assert "right would be another --folder" in error
    assert json.loads((tmp_path / "endpoints.json").read_text()) == endpoints
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0


def test_what_cannot_be_simulated_is_wrong_input_and_one_line(tmp_path: Path) -> None:
    for sim, what in (('faults = ["binance:nonsense"]', "nonsense"),
                      ('market = "captures"\ncaptures = ["/nowhere.spot.x.jsonl.gz"]', "nowhere")):
        text = f'name = "x"\n[venues.binance]\nsymbols = ["BTC/USDT"]\n[sim]\n{sim}\n'
        process = start(tmp_path / "c.toml", text)
        _, error = process.communicate(timeout=30)
        assert process.returncode == 2
        assert what in error
        assert len(error.splitlines()) == 1
