"""exec.gateways.keys: only we can read a secret, and it shows nowhere."""

import asyncio
import json
import logging
import os
import pickle
import traceback
from pathlib import Path

import pytest

from engine.model.errors import KeyInvalid
from exec.gateways.keys import ApiKey, found, named, simulated
from tests.exec.gateways.plain import PlainCodec, run, staged

CANARY = "canary-3f9a-never-to-be-seen"


def secret_file(folder: Path, mode: int = 0o600, text: str = f"{CANARY}\n") -> Path:
    path = folder / "secret"
    path.write_text(text)
    path.chmod(mode)
    return path


def test_a_secret_is_where_the_reference_says(tmp_path: Path) -> None:
    path = secret_file(tmp_path)
    environment = {"KEY": "the key", "SECRET": f"file:{path}", "BLANK": "  "}
    key = named("env:KEY", "env:SECRET", f"file:{path}", environment=environment)
    assert (key.key, key.secret, key.passphrase) == ("the key", CANARY, CANARY)
    for wrong in ("env:NONE", "env:BLANK", "env:", "file:", f"file:{tmp_path}/none"):
        with pytest.raises(KeyInvalid):
            found(wrong, environment)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o700, 0o666, 0o620])
def test_a_file_that_others_could_read_or_write_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(KeyInvalid, match="right would be 0600"):
        found(f"file:{secret_file(tmp_path, mode)}", {})
    assert found(f"file:{secret_file(tmp_path, 0o400)}", {}) == CANARY


def test_links_folders_pipes_long_files_and_other_peoples_files_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = secret_file(tmp_path)
    link, pipe = tmp_path / "link", tmp_path / "pipe"
    link.symlink_to(path)
    os.mkfifo(pipe, 0o600)
    long = tmp_path / "long"
    long.write_text("x" * 20_000)
    long.chmod(0o600)
    for wrong in (link, pipe, tmp_path, long):
        with pytest.raises(KeyInvalid):
            found(f"file:{wrong}", {})
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(KeyInvalid, match="another user"):
        found(f"file:{path}", {})


def test_the_simulators_keys_are_found_by_venue_account_and_kind(tmp_path: Path) -> None:
    issued = {"okx": [
        {"account": "main", "kind": "hmac", "key": "k", "secret": CANARY,
         "passphrase": CANARY},
        {"account": "main", "kind": "ed25519", "key": "e", "secret": CANARY}]}
    path = tmp_path / "credentials.json"
    path.write_text(json.dumps(issued))
    path.chmod(0o600)
    assert simulated(tmp_path, "okx", "main").passphrase == CANARY
    assert simulated(tmp_path, "okx", "main", "ed25519").key == "e"
    for venue, account, kind in (("okx", "other", ""), ("kraken", "main", ""),
                                 ("okx", "main", "es256")):
        with pytest.raises(KeyInvalid):
            simulated(tmp_path, venue, account, kind)
    path.write_text(f'{{"okx": "{CANARY}"}}')
    with pytest.raises(KeyInvalid) as caught:
        simulated(tmp_path, "okx", "main")
    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_no_error_and_no_repr_shows_a_secret(tmp_path: Path) -> None:
    key = ApiKey(f"name-{CANARY}", CANARY, CANARY)
    assert CANARY not in f"{key!r} {key} {key.fingerprint} {[key]}"
    with pytest.raises(TypeError):
        pickle.dumps(key)
    binary = secret_file(tmp_path)
    binary.write_bytes(CANARY.encode() + b"\xff")
    for wrong in (CANARY, f"literal:{CANARY}", f"file:{secret_file(tmp_path, 0o644)}",
                  f"file:{binary}", "env:NONE"):
        with pytest.raises(KeyInvalid) as caught:
            found(wrong, {"OTHER": CANARY})
        assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_nothing_of_a_request_is_logged_whatever_goes_wrong(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    codec = PlainCodec()
    codec.user_path = f"/user/{CANARY}"  # as a listen key is
    say, call = codec.say, codec.call
    codec.say = lambda channel, purpose, request_id, client_id="": say(  # type: ignore[method-assign]
        channel, purpose, request_id, client_id or CANARY)
    codec.call = lambda purpose, path, client_id="", method="GET": call(  # type: ignore[method-assign]
        purpose, f"{path}?signature={CANARY}", client_id, method)

    async def body() -> None:
        async def cut(method: str, path: str) -> None:
            return None

        async with staged(rest=cut, codec=codec) as stage:
            await stage.ready()
            for _ in range(3):
                stage.gateway.survey(0)
                stage.gateway.cancel_all()
                stage.gateway._channels["user"].abort("to see what is said")  # noqa: SLF001
                await asyncio.sleep(0.05)
            stage.gateway._rest._url = "http://127.0.0.1:1"  # noqa: SLF001  nobody listens there
            stage.gateway._bases["user"] = "ws://127.0.0.1:1"  # noqa: SLF001
            stage.gateway._channels["user"].abort("and again")  # noqa: SLF001
            stage.gateway.survey(0)
            await asyncio.sleep(0.1)

    run(body)
    ours = [each for each in caplog.records if not each.name.startswith("picows")]
    assert ours
    assert CANARY not in caplog.text + "".join(capfd.readouterr())
