"""exec.core.sizing: as much as limits, money and lots allow; nothing below the minimum."""

from random import Random
from typing import Any

import pytest
from msgspec.structs import replace

from exec import records as r
from exec.core import ports as p
from exec.core.sizing import SHRINKABLE, largest
from exec.gate.checks import Place, Proposal, Proposed, Purpose, Situation
from exec.gate.limits import Limits
from exec.gate.review import review
from shm.layout import TradingState
from tests.exec.core.rig import Rig
from tests.exec.gate.test_checks import LIMITS

USD = 10**6
WIDE = replace(
    LIMITS, order_notional_max=10**9, plan_notional_max=10**9, venue_gross_max=10**9,
    asset_net_max=10**9, strategy_gross_max=10**9, total_gross_max=10**9, turnover_day_max=10**9)


def proposal_of(size: int, purpose: Purpose = Purpose.ENTER) -> Proposal:
    """Return both legs of a size, worth 70 a quantum."""
    return Proposal(purpose, "cross", (
        Proposed("a", "BTC/USDT", 1, 10_000, size, 70 * size, "USDT", 70 * size),
        Proposed("b", "BTC/USDT", -1, 10_000, size, 70 * size, "BTC", size),
    ), (1, 1), 0, 900, 100, 50)


def situation_of(
    size: int, *, free: int = 10**9, lots: tuple[int, int] = (1, 1), net: int = 0, **changes: Any
) -> Situation:
    places = tuple(
        Place(touch=10_000, reference=10_000, lot=lot, free=free, tokens=9, venue_gross=0,
              size_min=5, notional_min=700, asset_net=net + 70 * size, asset_net_before=net)
        for lot in lots)
    return replace(Situation(500, False, TradingState.ACTIVE, places), **changes)


@pytest.mark.parametrize(("limits", "changes", "expected"), [
    (WIDE, {}, 100),
    (replace(WIDE, order_notional_max=4_199), {}, 59),
    (replace(WIDE, order_notional_max=4_200), {}, 60),
    (replace(WIDE, plan_notional_max=4_200), {}, 30),
    (replace(WIDE, venue_gross_max=4_200), {}, 60),
    (replace(WIDE, strategy_gross_max=5_000), {"strategy_gross": 800}, 30),
    (replace(WIDE, total_gross_max=5_000), {"total_gross": 800}, 30),
    (replace(WIDE, turnover_day_max=5_000), {"turnover": 500, "total_gross": 300}, 30),
    (replace(WIDE, asset_net_max=4_200), {}, 60),
    (replace(WIDE, asset_net_max=4_200), {"net": 700}, 50),
    (WIDE, {"free": 4_201}, 60),
])
def test_the_tightest_bound_decides(
    limits: Limits, changes: dict[str, Any], expected: int
) -> None:
    at = situation_of(100, **changes)
    assert largest(proposal_of(100), at, limits) == expected
    fitted = situation_of(expected, **changes)
    assert review(proposal_of(expected), fitted, limits) is None
    if expected < 100:
        assert review(proposal_of(expected + 1), situation_of(expected + 1, **changes),
                      limits) is not None


def test_the_coarser_lot_of_both_legs_counts_even_where_neither_divides_the_other() -> None:
    limits = replace(WIDE, order_notional_max=4_200)
    assert largest(proposal_of(100), situation_of(100, lots=(10, 25)), limits) == 50
    assert largest(proposal_of(100), situation_of(100, lots=(10, 20)), limits) == 60


def test_less_than_the_minimum_of_a_leg_is_nothing() -> None:
    assert largest(proposal_of(100), situation_of(100), replace(WIDE, order_notional_max=700)) == 10
    assert largest(proposal_of(100), situation_of(100), replace(WIDE, order_notional_max=699)) == 0
    assert largest(proposal_of(100), situation_of(100, lots=(70, 70)), WIDE) == 70
    assert largest(proposal_of(60), situation_of(60, lots=(70, 70)), WIDE) == 0


def test_caution_shrinks_it_too() -> None:
    at = situation_of(100, trading=TradingState.CAUTIOUS)
    limits = replace(WIDE, order_notional_max=4_200)
    assert largest(proposal_of(100), at, limits) == 30


def test_legs_of_different_sizes_are_left_alone() -> None:
    odd = proposal_of(100)
    odd = replace(odd, orders=(odd.orders[0], replace(odd.orders[1], size=90)))
    assert largest(odd, situation_of(100), WIDE) == 0


@pytest.mark.parametrize("seed", range(20))
def test_what_it_allows_passes_the_gate_and_one_lot_more_does_not(seed: int) -> None:
    draw = Random(seed)
    for _ in range(50):
        lots = (draw.choice((1, 5, 10)), draw.choice((1, 5, 10)))
        size = draw.randint(1, 30) * 10
        limits = replace(
            WIDE, order_notional_max=draw.randint(700, 30_000),
            plan_notional_max=draw.randint(700, 60_000), asset_net_max=draw.randint(700, 30_000),
            total_gross_max=draw.randint(700, 60_000))
        changes = {"free": draw.randint(700, 30_000), "net": draw.randint(0, 3_000),
                   "total_gross": draw.randint(0, 3_000)}
        most = largest(proposal_of(size), situation_of(size, lots=lots, **changes), limits)
        if most:
            assert review(proposal_of(most), situation_of(most, lots=lots, **changes),
                          limits) is None
        more = most + max(lots)
        refusal = review(proposal_of(more), situation_of(more, lots=lots, **changes), limits)
        assert more > size or more < 10 or (refusal and refusal.check in SHRINKABLE)


# --- in the core ---------------------------------------------------------------------------------


def test_a_signal_too_large_for_the_limits_goes_out_as_large_as_it_may() -> None:
    rig = Rig(order_notional_max=60 * USD)  # 0.00099998 BTC at the ask
    assert rig.signal(200) is None
    assert [rig.last(name).size for name in "ab"] == [90, 90]
    (decided,), (planned,) = rig.records(r.Decided), rig.records(r.Planned)
    assert [leg.size for leg in decided.legs] == [200, 200]
    assert [leg.size for leg in planned.legs] == [90, 90]


def test_a_signal_gets_what_the_poorer_leg_can_pay() -> None:
    rig = Rig()
    rig.append(r.Counted("b", "BTC", "0.0005", "0", "query"))
    assert rig.signal(200) is None
    assert [rig.last(name).size for name in "ab"] == [40, 40]  # 0.0004, and room for its fee
    refused = rig.signal(200)
    assert refused is not None
    assert refused.check == "balance"


def test_an_operator_gets_the_whole_or_nothing() -> None:
    rig = Rig(order_notional_max=60 * USD)
    refused = rig.core.place("a", "BTC/USDT", 1, 6_000_000, 200, tif=r.Tif.GTC)
    assert not isinstance(refused, int)
    assert refused.check == "order_notional"


def test_what_a_fee_in_the_base_took_away_is_not_unwound_and_nothing_halts() -> None:
    rig = Rig(policy="unwind")
    rig.append(r.Counted("a", "BTC", "0", "0", "query"))
    assert rig.signal(100) is None
    bought = rig.last("a")
    rig.tell(p.Denied("b", rig.last("b").client_id, "-2010", "no funds", business=True))
    rig.tell(p.Traded("a", bought.symbol, bought.client_id, "v1", "t1", 1, bought.price, 100,
                      "0.000001", "BTC", True, rig.now_ns, "stream"))
    unwound = rig.last("a")
    assert (unwound.purpose, unwound.size) == ("unwind", 90)
