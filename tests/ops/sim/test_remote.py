"""``trypto-engine sim ACTION`` against venues that run in another process."""

import json
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.model.fault import Kind, parse
from ops import cli
from ops.sim.remote import EXAMPLES
from tests.ops.sim.test_command import start

TEXT = """
name = "x"
[venues.kraken]
symbols = ["BTC/USDT"]
[venues.binance]
symbols = ["BTC/USDT"]
[sim]
tls = {tls}
"""


@pytest.fixture(params=["false", "true"], ids=["plain", "tls"], scope="module")
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
           ) -> Iterator[Path]:
    """Serve two venues from a folder."""
    folder = tmp_path_factory.mktemp("sim")
    text = TEXT.format(tls=request.param)
    process = start(folder / "c.toml", text, "--folder", str(folder))
    assert process.stdout is not None
    for line in process.stdout:
        if line == "}\n":
            break
    yield folder
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0
    process.stdout.close()
    assert process.stderr is not None
    process.stderr.close()


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Run one action; return its status, output and complaint."""
    status = cli.main(["sim", *words])
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def test_faults_are_put_told_and_lifted(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here = ("--folder", str(folder))
    assert said(capsys, "faults", *here) == (0, "none stands, none struck\n", "")
    assert said(capsys, "fault", "kraken:drop:0.5:20ms#BTC/USDT", "*:maintenance", *here)[0] == 0
    told = said(capsys, "faults", *here)[1].splitlines()
    assert told[:2] == ["kraken:drop:0.5:20ms#BTC/USDT", "*:maintenance:1:500ms"]
    assert said(capsys, "lift", "kraken", *here) == (0, "1 lifted\n", "")
    assert said(capsys, "lift", "*", "maintenance", *here) == (0, "1 lifted\n", "")
    assert said(capsys, "fault", "binance:halt", "--for", "60", *here)[0] == 0
    (left,) = [line for line in said(capsys, "faults", *here)[1].splitlines()
               if line.startswith("binance")]
    assert left.endswith(" s left")
    assert said(capsys, "lift", "*", *here) == (0, "1 lifted\n", "")


def test_the_market_is_paused_and_its_endpoints_are_told(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here = ("--folder", str(folder))
    assert said(capsys, "pause", *here)[0] == said(capsys, "resume", *here)[0] == 0
    status, out, _ = said(capsys, "endpoints", *here)
    assert status == 0
    told, _, keys = out.rpartition("API keys: ")
    assert json.loads(told) == json.loads((folder / "endpoints.json").read_text())
    assert json.loads(Path(keys.strip()).read_text()).keys() == {"kraken", "binance"}


@pytest.mark.parametrize(("words", "status", "what"), [
    (("fault", "okx:drop"), 1, "there is no venue 'okx'"),
    (("fault", "kraken:drop#DOGE/USD"), 1, "lists no"),
    (("fault", "kraken:nonsense"), 2, "KIND one of drop"),
    (("fault", "kraken:drop", "--for", "-1"), 2, "seconds above 0"),
])
def test_what_cannot_be_done_is_said_in_one_line(
    words: tuple[str, ...], status: int, what: str, folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    got, out, error = said(capsys, *words, "--folder", str(folder))
    assert (got, out, what in error, len(error.splitlines())) == (status, "", True, 1)


def test_where_nothing_runs_that_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "no simulated venues run" in said(capsys, "faults", "--folder", str(tmp_path))[2]
    (tmp_path / "endpoints.json").write_text('{"kraken": {"rest": "http://127.0.0.1:1"}}')
    assert "do not answer" in said(capsys, "faults", "--folder", str(tmp_path))[2]


def test_the_venues_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert "binance-usdm" in said(capsys, "venues")[1].splitlines()


def test_help_names_every_kind_and_its_examples_are_right(
    capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        cli.main(["sim", "fault", "--help"])
    shown = capsys.readouterr().out.replace("\n", " ")
    assert all(kind in shown for kind in Kind)
    specs = re.findall(r"sim fault '([^']*)'", EXAMPLES)
    assert len(specs) == 3
    for spec in specs:
        parse(spec)
