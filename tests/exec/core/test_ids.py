"""exec.core: a venue that restarted may begin its ids again; what it fills then is booked, once."""

from exec.core import ports as p
from tests.exec.core.rig import Rig


def told(rig: Rig, trade: str, *, named: bool = True) -> None:
    """Let venue a tell of a fill of its newest order."""
    intent = rig.last("a")
    rig.tell(p.Traded(
        "a", intent.symbol, intent.client_id if named else "", "v1", trade, intent.side,
        intent.price, intent.size, "0", "USDT", True, rig.now_ns, "stream"))


def test_an_id_that_another_order_had_is_another_trade_and_booked_once() -> None:
    rig = Rig()
    rig.signal(100)
    told(rig, "7")
    rig.signal(50)
    for _ in range(2):
        told(rig, "7")
    assert rig.order(rig.last("a")).booked == 50
    assert sorted(key[2] for key in rig.state.trades if key[0] == "a") == [
        "7", f"7#{rig.last('a').order}"]


def test_a_fill_that_names_no_order_of_ours_by_our_id_is_believed_to_be_the_known_one() -> None:
    rig = Rig()
    rig.signal(100)
    told(rig, "7")
    rig.signal(50)
    told(rig, "7", named=False)
    assert rig.order(rig.last("a")).booked == 0
