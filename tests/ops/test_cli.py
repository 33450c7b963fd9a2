"""ops.cli: what is wrong takes one line and the right exit status, never a traceback."""

import argparse
import importlib
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from engine.model.errors import AlreadyRunning, CaptureInvalid, ConnectionLost, UnknownInstrument
from engine.runtime import spawn
from ops import cli, pause


@pytest.fixture
def shm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRYPTO_SHM", str(tmp_path))
    return tmp_path


@pytest.mark.usefixtures("shm")
@pytest.mark.parametrize(("words", "status", "message"), [
    (["start", "--config", "/no/such.toml"], 2, "/no/such.toml: No such file or directory"),
    (["start", "--name", "No!"], 2, "--name No!: right would be"),
    (["start", "--name", "n" * 31], 2, "longer than the 107 bytes"),
    (["status"], 1, "no engine runs; start one with: trypto-engine start"),
    (["stop", "--name", "x"], 1, "no engine named 'x' runs"),
    (["pause", "BTC/USDT"], 1, "no engine runs"),
    (["resume"], 1, "no engine runs"),
    (["orders", "--all"], 1, "no engine runs"),
    (["positions", "--json"], 1, "no engine runs"),
    (["balances", "--name", "x"], 1, "no engine named 'x' runs"),
    (["monitor"], 1, "no engine runs"),
    (["kill"], 1, "no engine runs"),
    (["reset", "why"], 1, "no engine runs"),
])
def test_an_expected_failure_is_one_line(
    words: list[str], status: int, message: str, capsys: pytest.CaptureFixture[str],
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "n" * 31 in words:
        monkeypatch.setenv("TRYPTO_SHM", str(tmp_path / ("deep" * 20)))
    assert cli.main(words) == status
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"trypto-engine {words[0]}: ")
    assert message in said.err
    assert said.err.count("\n") == 1


@pytest.mark.parametrize("words", [
    [], ["strat"], ["start", "--speed", "-1"], ["start", "--speed", "inf"], ["start", "--for", "x"],
    ["start", "--edge-ppm", "1000001"], ["start", "--fee-ppm", "x"], ["start", "--no-such"],
    ["reset"], ["reset", " "], ["pause", "a", "b"], ["status", "--jason"],
])
def test_wrong_usage_is_status_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(words)
    assert caught.value.code == 2
    assert "usage:" in capsys.readouterr().err


@pytest.mark.parametrize(("error", "status"), [
    (CaptureInvalid("a:1: torn"), 2), (UnknownInstrument("BTC/X"), 2),
    (AlreadyRunning("pid 1"), 1), (ConnectionLost("gone"), 1),
])
def test_the_branch_of_an_error_decides_the_exit_status(
    error: Exception, status: int, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_options: object) -> int:
        raise error

    monkeypatch.setattr(pause, "run", fail)
    assert cli.main(["pause"]) == status
    assert capsys.readouterr().err == f"trypto-engine pause: {error}\n"


def test_help_names_every_verb_and_imports_none_of_them() -> None:
    code = ("import sys\nfrom ops import cli\n"
            "try: cli.main(['--help'])\n"
            "except SystemExit: pass\n"
            "assert not {'numba', 'numpy', 'zmq', 'rich'} & set(sys.modules), sys.modules.keys()")
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": spawn.ROOT},
        capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for verb in cli.VERBS:
        assert f"  {verb}" in done.stdout


@pytest.mark.parametrize("verb", cli.VERBS)
def test_every_verb_shows_examples_that_it_understands(
    verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        cli.main([verb, "--help"])
    module = importlib.import_module(cli.VERBS[verb][0])
    examples = re.findall(r"^(?:example:)? *trypto-engine (.+?)(?:   .*)?$",
                          capsys.readouterr().out, re.MULTILINE)
    assert examples
    for example in examples:
        first, *words = shlex.split(example)
        assert first == verb
        parser = argparse.ArgumentParser()
        module.add_arguments(parser)
        assert parser.parse_args(words)


def test_several_engines_must_be_told_apart(
    shm: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a", "b"):
        (shm / f"trypto-{os.getuid()}" / name).mkdir(parents=True)
    assert cli.main(["status"]) == 1
    assert "2 engines run; say which with --name: a, b" in capsys.readouterr().err


def test_a_kill_that_nobody_answers_leaves_the_file(
    shm: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ops.client.TIMEOUT_S", 0.01)
    folder = shm / f"trypto-{os.getuid()}" / "a"
    folder.mkdir(parents=True)
    assert cli.main(["kill", "fire"]) == 1
    assert (folder / "kill").read_text() == "fire"
    assert "not confirmed" in capsys.readouterr().err
