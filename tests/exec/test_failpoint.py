"""exec.failpoint: inert without its variable, a kill -9 at one visit with it, never in earnest."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from engine.config import Config, load
from engine.config.trading import Account
from engine.model.errors import ConfigInvalid
from exec import failpoint

ROOT = Path(__file__).resolve().parents[2]
VISITS = """
from exec import failpoint
for number in range(1, 6):
    failpoint.reach(failpoint.AFTER_FILL)
    failpoint.reach(failpoint.AFTER_SEND)
    print(number, flush=True)
"""


def visited(environment: dict[str, str]) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-c", VISITS], env=os.environ | environment | {"PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.replace("\n", " ").strip()


def test_without_the_variable_every_point_is_passed() -> None:
    assert visited({}) == (0, "1 2 3 4 5")


def test_the_process_dies_at_the_visit_that_the_file_names_and_the_next_one_lives(
    tmp_path: Path
) -> None:
    order = tmp_path / "failpoint"
    order.write_text("after_send:3")
    assert visited({failpoint.VARIABLE: str(order)}) == (-signal.SIGKILL, "1 2")
    assert not order.exists()
    assert visited({failpoint.VARIABLE: str(order)}) == (0, "1 2 3 4 5")


def account(url: str) -> Account:
    return Account("env:KEY", "env:SECRET", "0123456789ab", orders_url=f"wss://{url}",
                   rest_url=f"https://{url}")


def live(accounts: dict[str, Account]) -> Config:
    config = load(ROOT / "configs" / "demo.toml")
    return msgspec.structs.replace(config, mode="live", sim=None, accounts=accounts)


@pytest.mark.parametrize("accounts", [
    {}, {"okx": account("127.0.0.1:1"), "kraken": account("api.kraken.com")},
    {"okx": Account("env:KEY", "env:SECRET", "0123456789ab")},
])
def test_armed_beside_a_real_exchange_nothing_starts(
    accounts: dict[str, Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = live(accounts)
    failpoint.check(config)  # not armed: nothing to refuse
    monkeypatch.setattr(failpoint, "_file", "/somewhere")
    with pytest.raises(ConfigInvalid, match="TRYPTO_FAILPOINT is set"):
        failpoint.check(config)


def test_armed_beside_local_venues_it_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failpoint, "_file", "/somewhere")
    failpoint.check(live({"okx": account("127.0.0.1:4711")}))
    failpoint.check(load(ROOT / "configs" / "demo.toml"))
