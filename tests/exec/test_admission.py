"""exec.admission and exec.accounts: what stands between a config and real money."""

import io
import sys
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest

from engine.config import Config, parse
from exec import admission
from tests.engine.test_config import GOOD

CANARY = "canary-of-a-secret"
KEY = "canary-of-a-name"
PRINT = "0ea4e8f8a03e"  # sha256 of KEY, its first 12 digits
ACCOUNT = "5e437c6056fe"
LIVE = 'mode = "live"\n' + GOOD.replace("[venues.binance-usdm]", "[venues.okx]").replace(
    '"BTC/USDT:USDT",  # a comment, with commas', '"BTC/USDT",')


def live(folder: Path, *, fingerprint: str = PRINT, variable: str = "PASS") -> Config:
    """Return a config whose keys are files; none of it is a secret."""
    for name, text in (("name", KEY), ("secret", CANARY)):
        (folder / name).write_text(text)
        (folder / name).chmod(0o600)
    tables = "".join(
        f'[accounts.{venue}]\nkey = "file:{folder}/name"\nsecret = "file:{folder}/secret"\n'
        f'fingerprint = "{fingerprint}"\n{more}'
        for venue, more in (("binance", ""), ("okx", f'passphrase = "env:{variable}"\n')))
    return parse(LIVE + tables, source="x.toml", folder=folder)


def asked(
    config: Config, folder: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> tuple[int, str]:
    monkeypatch.setenv("PASS", "canary-of-a-passphrase")
    body = io.BytesIO(msgspec.json.encode(config))
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=body))
    status = admission.main([str(folder)])
    told = capsys.readouterr()
    assert "canary" not in told.out + told.err
    return status, told.err


def test_live_takes_the_account_that_the_keys_make_and_the_refusal_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = live(tmp_path)
    status, said = asked(config, tmp_path, monkeypatch, capsys)
    assert (status, f"right would be --live {ACCOUNT}" in said) == (2, True)
    other = msgspec.structs.replace(config, confirmed="0123456789ab")
    status, said = asked(other, tmp_path, monkeypatch, capsys)
    assert (status, "--live 0123456789ab: the config says live" in said) == (2, True)
    right = msgspec.structs.replace(config, confirmed=ACCOUNT)
    assert asked(right, tmp_path, monkeypatch, capsys) == (0, "")


@pytest.mark.parametrize(("change", "right"), [
    ("fingerprint", f"accounts.binance: its key has the fingerprint {PRINT}, the config says"),
    ("mode", "secret has mode 0640; right would be 0600: chmod 600"),
    ("gone", "accounts.binance: "),
    ("environment", "accounts.okx: the environment has no NOWHERE, or it is empty"),
])
def test_a_key_that_is_not_what_the_config_says_is_told_before_anything_starts(
    change: str, right: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    config = live(tmp_path, fingerprint="0" * 12 if change == "fingerprint" else PRINT,
                  variable="NOWHERE" if change == "environment" else "PASS")
    config = msgspec.structs.replace(config, confirmed=ACCOUNT)
    if change == "mode":
        (tmp_path / "secret").chmod(0o640)
    if change == "gone":
        (tmp_path / "secret").unlink()
    status, said = asked(config, tmp_path, monkeypatch, capsys)
    assert status == 1
    assert right in said
    assert said.count("\n") == 1
