"""The short form of the floors' soak; the long one is ``python -m ops.sim.soak``."""

from collections import Counter

import pytest

from ops.sim import soak
from ops.sim.book import BID
from ops.sim.exchange.ledger import EXTERNAL, FEES, HOUSE, INSURANCE


def test_money_and_books_stay_right_over_ten_thousand_operations_with_faults() -> None:
    run = soak.Soak(seed=7)
    run.run(10_000)
    seen = sum((stage.face.shadow.seen for stage in run.stages), Counter[str]())
    struck = {name.partition(":")[2] for stage in run.stages for name in stage.faults.struck}
    unseen = {"Accepted", "Amended", "Ended", "Fill", "Funded", "Prevented", "Transferred",
              "public print", "Rejected: the symbol does not take this now"} - seen.keys()
    assert not unseen, f"this soak never exercised {unseen}"
    assert struck >= {"halt", "filters", "partial_then_end", "cancel_fill_race", "post_only"}
    assert seen["Accepted"] > seen["Rejected"], "everybody is refused"


def test_what_came_in_is_what_clients_the_house_and_the_venue_have() -> None:
    run = soak.Soak(seed=3)
    run.run(2_000)
    for stage in run.stages:
        purse = stage.exchange.ledger.purse
        for asset in stage.exchange.assets:
            owners = (*soak.ACCOUNTS, HOUSE, FEES, INSURANCE)
            assert sum(sum(purse(name, asset)) for name in owners) == -sum(purse(EXTERNAL, asset))


def test_the_same_seed_gives_the_same_venues() -> None:
    first, second = (soak.Soak(seed=5) for _ in range(2))
    for run in (first, second):
        run.run(1_000)
    for one, other in zip(first.stages, second.stages, strict=True):
        assert dict(one.exchange.ledger.purses()) == dict(other.exchange.ledger.purses())
        assert one.face.shadow.seen == other.face.shadow.seen
        assert one.line.book.sizes == other.line.book.sizes


@pytest.mark.parametrize("spoil", ["a level of the public book", "money"])
def test_the_checks_see_what_is_wrong(spoil: str) -> None:
    stage = soak.Soak(seed=2).stages[0]
    while stage.line.outside is stage.line.book:
        stage.step()
        stage.check()
    if spoil == "money":
        stage.exchange.ledger._purses["ann", "BTC"][0] += 1  # noqa: SLF001
    else:
        stage.line.book.set(BID, 5, 1)
    with pytest.raises(AssertionError):
        stage.check()


def test_the_command_prints_its_figures(capsys: pytest.CaptureFixture[str]) -> None:
    assert soak.main(["--operations", "300", "--seed", "2"]) == 0
    printed = capsys.readouterr().out
    assert "300 operations, seed 2: every invariant held" in printed
    assert "sum over all owners 0" in printed
