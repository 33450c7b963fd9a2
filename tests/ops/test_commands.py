"""Trading verbs: what they ask for, whom they ask when nobody answers, and their exit status."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.control.protocol import (
    EXEC_SOCKET,
    GUARD_SOCKET,
    AnyReply,
    AnyRequest,
    Cancel,
    CancelAll,
    Done,
    Flatten,
    Kill,
    Place,
    Refused,
    Reset,
    Unanswered,
)
from engine.model.errors import ConnectionLost
from ops import cli, client
from shm.board import ControlView
from shm.segment import RunFolder, Segment

CONTROL = client.SOCKET


class Sockets:
    """Who answers what; a socket without an answer is silent."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.says: dict[str, AnyReply] = {}
        self.asked: list[tuple[str, AnyRequest]] = []

    def ask(
        self, _run: RunFolder, request: AnyRequest, *, timeout_s: float | None = None,
        socket: str = CONTROL,
    ) -> AnyReply:
        assert timeout_s is None
        self.asked.append((socket, request))
        if socket not in self.says:
            raise ConnectionLost(f"{socket}: no answer")
        return self.says[socket]


@pytest.fixture
def sockets(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sockets]:
    root = Path(tempfile.mkdtemp(prefix="t"))
    path = root / f"trypto-{os.getuid()}" / "t"
    path.mkdir(parents=True, mode=0o700)
    monkeypatch.setenv("TRYPTO_SHM", str(root))
    found = Sockets(path)
    monkeypatch.setattr(client, "ask", found.ask)
    yield found
    shutil.rmtree(root)


@pytest.mark.parametrize(("words", "request_"), [
    (["place", "okx", "BTC/USDT", "buy", "0.01", "64000", "--tif", "ioc", "--id", "a-1"],
     Place("okx", "BTC/USDT", "buy", "64000", "0.01", "ioc", "a-1")),
    (["cancel", "12"], Cancel(12)),
    (["cancel-all"], CancelAll()),
    (["cancel-all", "okx"], CancelAll("okx")),
    (["reset", "mended", "--breakers"], Reset("mended", breakers=True)),
    (["reset", "moved", "--accept"], Reset("moved", accept=True)),
    (["kill", "fire"], Kill("fire")),
])
def test_a_verb_asks_control_and_says_what_took_effect(
    sockets: Sockets, words: list[str], request_: AnyRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    sockets.says[CONTROL] = Done("it is so")
    assert cli.main(words) == 0
    assert sockets.asked == [(CONTROL, request_)]
    assert capsys.readouterr().out == "t: it is so\n"
    sockets.says[CONTROL] = Refused("64000.001 is too fine")
    assert cli.main([*words, "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == {
        "kind": "Refused", "text": "64000.001 is too fine"}


@pytest.mark.parametrize("words", [
    ["place"], ["place", "okx", "BTC/USDT", "hold", "1", "1"],
    ["place", "okx", "BTC/USDT", "buy", "-1", "1"], ["place", "okx", "BTC/USDT", "buy", "1e3", "1"],
    ["place", "okx", "BTC/USDT", "buy", "1", "1", "--id", "a b"], ["cancel", "0"], ["cancel", "x"],
    ["cancel-all", "a", "b"],
])
def test_what_no_order_can_be_is_wrong_usage(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(words)
    assert caught.value.code == 2
    assert "usage:" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["place", "cancel", "cancel-all", "flatten", "kill", "reset"])
def test_help_shows_an_example(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main([verb, "--help"])
    assert caught.value.code == 0
    assert f"examples:\n  trypto-engine {verb}" in capsys.readouterr().out


def test_a_place_without_an_answer_says_how_to_repeat_it_safely(
    sockets: Sockets, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["place", "okx", "BTC/USDT", "buy", "0.01", "64000"]
    assert cli.main(words) == 1
    request = sockets.asked[0][1]
    assert isinstance(request, Place)
    assert f"the same with --id {request.command_id}" in capsys.readouterr().err
    sockets.says[CONTROL] = Unanswered("nobody knows")
    assert cli.main(words) == 1
    assert "nobody knows" in (said := capsys.readouterr().err)
    assert "the same with --id " in said


@pytest.mark.parametrize(("says", "asked"), [
    ({EXEC_SOCKET: Done("exec did")}, [CONTROL, EXEC_SOCKET]),
    ({GUARD_SOCKET: Done("guard did")}, [CONTROL, EXEC_SOCKET, GUARD_SOCKET]),
    ({CONTROL: Unanswered("dead"), GUARD_SOCKET: Done("guard did")}, [CONTROL, GUARD_SOCKET]),
])
def test_cancel_all_goes_to_whoever_still_answers(
    sockets: Sockets, says: dict[str, AnyReply], asked: list[str]
) -> None:
    sockets.says = says
    assert cli.main(["cancel-all"]) == 0
    assert [each for each, _ in sockets.asked] == asked


@pytest.mark.parametrize("says", [{}, {CONTROL: Unanswered("dead")}])
def test_cancel_all_that_nobody_takes_on_fails(
    sockets: Sockets, says: dict[str, AnyReply], capsys: pytest.CaptureFixture[str]
) -> None:
    sockets.says = says
    assert cli.main(["cancel-all"]) == 1
    assert "no answer" in capsys.readouterr().err


def test_a_kill_sets_the_word_itself_and_tells_execution_past_a_silent_control(
    sockets: Sockets, capsys: pytest.CaptureFixture[str]
) -> None:
    run = RunFolder(sockets.folder)
    segment = Segment.create(run, "control", "control", ControlView.SIZE, 1, 1)
    segment.publish()
    (sockets.folder / EXEC_SOCKET).touch()
    sockets.says[EXEC_SOCKET] = Done("killed")
    assert cli.main(["kill", "fire"]) == 0
    assert ControlView(segment.words).engine["kill"] == 1
    assert (sockets.folder / "kill").read_text() == "fire"
    assert "control is silent" in capsys.readouterr().out
    del sockets.says[EXEC_SOCKET]
    assert cli.main(["kill"]) == 1
    assert "the kill word is set" in capsys.readouterr().err


def test_a_flatten_is_meant_or_it_does_nothing(
    sockets: Sockets, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sockets.says[CONTROL] = Done("flattening")
    monkeypatch.setattr("sys.stdin", open(os.devnull))  # noqa: PTH123, SIM115
    assert cli.main(["flatten"]) == 2
    assert "right would be --yes" in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _asked: "no")
    assert cli.main(["flatten", "BTC"]) == 2
    assert sockets.asked == []
    assert cli.main(["flatten", "BTC", "--yes"]) == 0
    request = sockets.asked[0][1]
    assert isinstance(request, Flatten)
    assert request.asset == "BTC"
