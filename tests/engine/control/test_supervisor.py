"""engine.control.supervisor: what is decided about one child, walked; causes in words."""

import signal
from itertools import product
from pathlib import Path

import pytest

from engine.config import Config, parse
from engine.control.roles import Role, roles
from engine.control.supervisor import Verdict, backoff_ns, cause_of, fit, judge
from engine.runtime.spawn import ROOT

MS = 1_000_000
ROLE = Role(
    name="feed:kraken", entry="feeds.process:main", silence_max_ns=2_000 * MS,
    start_max_ns=60_000 * MS, restarts_max=3, restart_window_ns=60_000 * MS,
    backoff_min_ns=20 * MS, backoff_max_ns=100 * MS,
)
NOW = 1_000_000 * MS


def demo() -> Config:
    path = Path(ROOT) / "configs" / "demo.toml"
    return parse(path.read_text(), source=str(path), folder=path.parent)


@pytest.mark.parametrize(("ready", "silent_ns"), [*product(
    [False, True], [0, 1, 2_000 * MS, 2_000 * MS + 1, 60_000 * MS, 60_000 * MS + 1])])
def test_a_living_child_is_killed_only_for_a_silence_longer_than_its_state_allows(
    ready: bool, silent_ns: int
) -> None:
    verdict = judge(
        ROLE, exited=False, ready=ready, silent_ns=silent_ns, deaths_ns=[NOW] * 99, now_ns=NOW)
    limit_ns = ROLE.silence_max_ns if ready else ROLE.start_max_ns
    assert verdict is (Verdict.KILL if silent_ns > limit_ns else Verdict.LEAVE)


@pytest.mark.parametrize(("recent", "old"), [*product(range(1, 7), range(3))])
def test_a_dead_child_comes_back_until_its_budget_within_the_window_is_spent(
    recent: int, old: int
) -> None:
    deaths_ns = [NOW - ROLE.restart_window_ns] * old + [NOW] * recent
    verdict = judge(
        ROLE, exited=True, ready=False, silent_ns=0, deaths_ns=deaths_ns, now_ns=NOW)
    assert verdict is (Verdict.RESTART if recent <= ROLE.restarts_max else Verdict.GIVE_UP)


def test_the_wait_before_a_restart_doubles_up_to_its_bound_and_shrinks_with_age() -> None:
    waits = [backoff_ns(ROLE, deaths_ns=[NOW] * count, now_ns=NOW) // MS for count in range(1, 6)]
    assert waits == [20, 40, 80, 100, 100]
    assert backoff_ns(ROLE, deaths_ns=[NOW] * 10_000, now_ns=NOW) == ROLE.backoff_max_ns
    later = NOW + ROLE.restart_window_ns
    assert backoff_ns(ROLE, deaths_ns=[NOW] * 9 + [later], now_ns=later) == ROLE.backoff_min_ns


@pytest.mark.parametrize(("exit_code", "stderr", "cause"), [
    (-signal.SIGKILL, "", "killed by SIGKILL"),
    (-signal.SIGSEGV, "Fatal Python error", "killed by SIGSEGV"),
    (1, "Traceback\n  line\nValueError: no\n\n", "exit code 1: ValueError: no"),
    (0, "", "exit code 0"),
])
def test_a_death_is_told_by_signal_or_by_the_last_words(
    exit_code: int, stderr: str, cause: str
) -> None:
    assert cause_of(exit_code, stderr) == cause


def test_a_verdict_is_cut_at_a_character() -> None:
    assert fit("héé", 4) == "hé"
    assert fit("abc", 3) == "abc"


def test_every_venue_has_its_feed_and_the_template_comes_first() -> None:
    table = roles(demo())
    assert [role.name for role in table] == [
        "template", "sim", "feed:binance", "feed:binance-usdm", "feed:okx", "feed:kraken",
        "feed:coinbase", "detector", "exec", "guard", "ledger"]
    assert {role.silence_max_ns for role in table} == {2_000 * MS}


def test_a_ledger_that_keeps_dying_halts_nothing() -> None:
    *others, ledger = roles(demo())
    assert ledger.name == "ledger"
    fits = ledger.restart_window_ns // ledger.backoff_max_ns + 100  # those before it is reached
    assert ledger.restarts_max > fits
    assert all(role.restarts_max < fits for role in others)


def test_without_a_sim_table_no_local_server_is_started() -> None:
    config = demo()
    real = Config(name=config.name, venues=config.venues, detector=config.detector,
                  execution=config.execution)
    assert "sim" not in {role.name for role in roles(real)}
