"""The short form of the soak: invariants after every one of 20,000 operations."""

import pytest

from ops.sim.exchange import soak
from ops.sim.exchange.audit import audit_ledger
from ops.sim.exchange.events import Event, LevelChanged
from ops.sim.exchange.ledger import EXTERNAL, FEES, HOUSE, INSURANCE


def test_every_invariant_holds_after_each_of_twenty_thousand_operations() -> None:
    run = soak.Soak(seed=7)
    for number in range(20_000):
        run.step()
        run.check()
        if number % 50 == 0:
            run.check_all()
    run.check_all()
    audit_ledger(run.exchange)
    unseen = {"Accepted", "Amended", "Ended", "Fill", "Funded", "Traded", "PositionChanged",
              "Rejected: insufficient balance", "Rejected: insufficient margin",
              "Rejected: a post-only order would take"} - run.shadow.seen.keys()
    assert not unseen, f"this soak never exercised {unseen}"
    assert run.shadow.seen["Accepted"] > 2 * run.shadow.seen["Rejected"], "everybody is broke"


def test_what_clients_own_is_what_came_in_less_fees_and_what_the_others_won() -> None:
    run = soak.Soak(seed=3)
    for _ in range(3000):
        run.step()
    for asset in soak.ASSETS:
        owned = {name: sum(run.exchange.ledger.purse(name, asset))
                 for name in (*soak.CLIENTS, HOUSE, FEES, INSURANCE)}
        assert sum(owned.values()) == -sum(run.exchange.ledger.purse(EXTERNAL, asset))


def test_the_same_seed_gives_the_same_events() -> None:
    runs = [soak.Soak(seed=5), soak.Soak(seed=5)]
    for run in runs:
        for _ in range(2000):
            run.step()
    first, second = (dict(run.exchange.ledger.purses()) for run in runs)
    assert first == second
    assert runs[0].shadow.seen == runs[1].shadow.seen


def test_a_book_kept_from_events_and_set_levels_alone_equals_the_exchanges(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mirror: dict[tuple[str, int, int], int] = {}

    def listen(event: Event) -> None:
        if isinstance(event, LevelChanged):
            mirror[event.symbol, event.side, event.price] = event.size

    run = soak.Soak(seed=11, sink=listen)
    set_level = run.exchange.set_level

    def told(now_ns: int, symbol: str, side: int, price: int, size: int) -> int:
        shown = set_level(now_ns, symbol, side, price, size)
        mirror[symbol, side, price] = shown
        return shown

    monkeypatch.setattr(run.exchange, "set_level", told)
    for _ in range(5000):
        run.step()
    for symbol in (soak.COIN, soak.PERP):
        for side in (1, -1):
            levels = {price: size for (name, at, price), size in mirror.items()
                      if (name, at) == (symbol, side) and size}
            assert levels == dict(run.exchange.depth(symbol, side, 1000))


def test_the_command_prints_its_figures(capsys: pytest.CaptureFixture[str]) -> None:
    assert soak.main(["--operations", "300", "--seed", "2"]) == 0
    printed = capsys.readouterr().out
    assert "300 operations, seed 2: every invariant held" in printed
    assert "mixed operations/s" in printed
    assert "outside levels/s" in printed
