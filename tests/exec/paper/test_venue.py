"""A paper venue fills what the live book would have filled, by the real venue's rules."""

import pytest

from exec.core import ports as p
from exec.records import Found, Tif
from shm.layout import BookState, InstrumentStatus
from tests.exec.paper.scene import ASKS, BIDS, BTC, PERP, SECOND, Scene

GTC = {"tif": Tif.GTC}


# --- taking ------------------------------------------------------------------------------------


def test_a_taker_walks_level_by_level_to_its_limit_and_the_rest_expires() -> None:
    scene = Scene()
    scene.venue("a").place(scene.order("a", 1, 10_005, 80))
    accepted, traded, over = scene.told
    assert isinstance(accepted, p.Accepted)
    assert isinstance(traded, p.Traded)
    assert isinstance(over, p.Over)
    assert (traded.price, traded.size, traded.taker, traded.source) == (10_000, 50, True, "model")
    assert (over.how, over.filled) == ("expired", 50)


def test_a_sale_takes_bids_and_fills_whole_where_there_is_enough() -> None:
    scene = Scene()
    scene.venue("a").place(scene.order("a", -1, 9_980, 120))
    over = scene.told[-1]
    assert isinstance(over, p.Over)
    assert (over.how, over.filled) == ("filled", 120)
    assert scene.fills() == [(9_990, 50), (9_980, 70)]


def test_fill_or_kill_takes_all_or_nothing() -> None:
    scene = Scene()
    venue = scene.venue("a")
    venue.place(scene.order("a", 1, 10_010, 151, tif=Tif.FOK))
    assert [each.filled for each in scene.take(p.Over)] == [0]
    venue.place(scene.order("a", 1, 10_010, 150, tif=Tif.FOK))
    assert scene.fills() == [(10_000, 50), (10_010, 100)]


def test_no_order_fills_on_a_book_that_is_not_live() -> None:
    scene = Scene()
    venue = scene.venue("a")
    for state in (BookState.STALE, BookState.GAPPED, BookState.WAITING, BookState.CROSSED):
        scene.state("a", state)
        venue.place(scene.order("a", 1, 10_010, 10))
        assert [type(each) for each in scene.told] == [p.Denied]
        scene.told.clear()
    scene.state("a", BookState.LIVE)
    venue.place(scene.order("a", 1, 10_010, 10))
    assert scene.fills() == [(10_000, 10)]


# --- own consumption ---------------------------------------------------------------------------


def test_what_we_took_stays_gone_while_the_level_stands() -> None:
    scene = Scene()
    venue = scene.venue("a")
    venue.place(scene.order("a", 1, 10_000, 30))
    venue.observe()
    venue.place(scene.order("a", 1, 10_010, 40))
    assert scene.fills() == [(10_000, 30), (10_000, 20), (10_010, 20)]
    venue.place(scene.order("a", 1, 10_000, 10))
    assert scene.fills() == []


@pytest.mark.parametrize(("size", "left"), [(100, 70), (50, 20), (25, 10), (24, 9), (1, 0)])
def test_a_level_that_grows_is_new_above_and_one_that_shrinks_shares_the_loss(
    size: int, left: int
) -> None:
    scene = Scene()
    venue = scene.venue("a")
    venue.place(scene.order("a", 1, 10_000, 30))
    scene.book("a", BIDS, [(10_000, size), (10_010, 100)])
    venue.observe()
    scene.told.clear()
    venue.place(scene.order("a", 1, 10_000, 500))
    assert sum(size for _, size in scene.fills()) == left


def test_a_level_that_left_the_book_comes_back_whole() -> None:
    scene = Scene()
    venue = scene.venue("a")
    venue.place(scene.order("a", 1, 10_000, 50))
    scene.book("a", BIDS, [(10_010, 100)])
    venue.observe()
    assert not venue.watches
    scene.book("a", BIDS, ASKS)
    scene.told.clear()
    venue.place(scene.order("a", 1, 10_000, 50))
    assert scene.fills() == [(10_000, 50)]


# --- refusals ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("change", "codes"), [
    ({"price": 10_001}, ("-1013", "51150", "EOrder:Tick size check failed",
                         "INVALID_PRICE_PRECISION")),
    ({"size": 21}, ("-1013", "51121", "EGeneral:Invalid arguments:volume",
                    "INVALID_SIZE_PRECISION")),
    ({"size": 10}, ("-1013", "51020", "EOrder:Order minimum not met",
                    "PREVIEW_INVALID_BASE_SIZE_TOO_SMALL")),
    ({"size": 20}, ("-1013", "50122", "EOrder:Cost minimum not met",
                    "PREVIEW_INVALID_QUOTE_SIZE_TOO_SMALL")),
    ({"size": 10**9}, ("-2010", "51008", "EOrder:Insufficient funds", "INSUFFICIENT_FUND")),
    ({"deadline_unix_ns": 5}, ("-1021", "50036", "EService:Deadline elapsed",
                               "PREVIEW_END_TIME_IS_IN_THE_PAST")),
    ({"tif": Tif.GTC, "post_only": True}, ("-2010", "51511", "EOrder:Post only order",
                                           "INVALID_LIMIT_PRICE_POST_ONLY")),
])
def test_each_venue_refuses_in_its_own_words(
    change: dict[str, int], codes: tuple[str, ...]
) -> None:
    venues = ("binance", "okx", "kraken", "coinbase")
    scene = Scene(venues)
    for venue, code in zip(venues, codes, strict=True):
        row = scene.world.rows[scene.index[venue, BTC]]
        row["tick"], row["lot"], row["size_min"], row["notional_min"] = 10, 10, 20, 21_000
        order = {"price": 10_000, "size": 30} | change
        scene.venue(venue).place(scene.order(venue, 1, **order))
        denied, = scene.told
        assert isinstance(denied, p.Denied)
        assert denied.code == code
        scene.told.clear()


def test_an_instrument_that_does_not_trade_takes_no_order() -> None:
    scene = Scene(("binance",))
    scene.world.rows[0]["status"] = InstrumentStatus.HALTED
    scene.venue("binance").place(scene.order("binance", 1, 10_000, 10))
    assert [each.text for each in scene.take(p.Denied)] == ["Market is closed."]


def test_an_id_that_was_used_leaves_the_order_in_doubt_as_at_real_venues() -> None:
    scene = Scene()
    venue = scene.venue("a")
    order = scene.order("a", 1, 10_000, 10)
    venue.place(order)
    scene.told.clear()
    venue.place(order)
    assert [type(each) for each in scene.told] == [p.Lost]


def test_what_rests_locks_what_it_needs_and_frees_it_when_cancelled() -> None:
    scene = Scene(("kraken",))
    venue = scene.venue("kraken", {"USDT": "10.01", "BTC": "0"})
    resting = scene.order("kraken", 1, 10_000, 10_000, **GTC)
    scene.book("kraken", BIDS, [(10_010, 100)])
    venue.place(resting)
    assert venue.account.told("USDT") == ("0", "10.01")  # the worst fee of 0.1 % beside it
    venue.place(scene.order("kraken", 1, 9_000, 1))
    assert [each.code for each in scene.take(p.Denied)] == ["EOrder:Insufficient funds"]
    venue.cancel(resting)
    assert venue.account.told("USDT") == ("10.01", "0")


# --- resting -----------------------------------------------------------------------------------


def test_an_order_that_rests_stands_behind_what_was_there() -> None:
    scene = Scene()
    venue = scene.venue("a")
    venue.place(scene.order("a", 1, 9_990, 20, **GTC))
    scene.print("a", -1, 9_990, 50)
    venue.observe()
    assert scene.fills() == []
    scene.print("a", -1, 9_990, 15)
    venue.observe()
    assert scene.fills() == [(9_990, 15)]
    scene.print("a", -1, 9_990, 15)
    venue.observe()
    fill, over = scene.told
    assert isinstance(fill, p.Traded)
    assert isinstance(over, p.Over)
    assert (fill.size, fill.taker, over.how, over.filled) == (5, False, "filled", 20)


def test_trades_of_the_other_side_or_of_before_fill_nothing() -> None:
    scene = Scene()
    venue = scene.venue("a")
    scene.print("a", -1, 9_990, 500)
    venue.observe()
    venue.place(scene.order("a", 1, 9_990, 20, **GTC))
    scene.print("a", 1, 9_990, 500)
    scene.print("a", -1, 9_991, 500)
    venue.observe()
    assert scene.fills() == []


def test_a_trade_at_a_worse_price_came_through_us_first() -> None:
    scene = Scene()
    venue = scene.venue("a")
    venue.place(scene.order("a", -1, 10_010, 60, **GTC))
    venue.place(scene.order("a", -1, 10_020, 60, **GTC))
    scene.print("a", 1, 10_030, 80)
    venue.observe()
    assert scene.fills() == [(10_010, 60), (10_020, 20)]


def test_a_book_that_crosses_what_rests_fills_it_at_its_own_price_as_maker() -> None:
    scene = Scene(("kraken",), fees=(1_000, 200))
    venue = scene.venue("kraken")
    venue.place(scene.order("kraken", 1, 9_990, 20_000, **GTC))
    scene.book("kraken", [(9_900, 10)], [(9_980, 5_000), (9_990, 5_000), (9_995, 90_000)])
    venue.observe()
    fills = scene.take(p.Traded)
    assert [(each.price, each.size, each.taker) for each in fills] == [
        (9_990, 5_000, False), (9_990, 5_000, False)]
    assert [each.fee for each in fills] == ["0.000999", "0.000999"]
    venue.observe()
    assert scene.fills() == []  # what met us is gone


def test_what_rests_fills_on_nothing_while_the_book_is_not_live() -> None:
    scene = Scene()
    venue = scene.venue("a")
    venue.place(scene.order("a", 1, 9_995, 20, **GTC))
    scene.state("a", BookState.STALE)
    scene.print("a", -1, 9_900, 500)
    scene.book("a", [(9_980, 100)], [(9_990, 100)])
    venue.observe()
    assert scene.fills() == []
    scene.state("a", BookState.LIVE)
    venue.observe()
    assert scene.fills() == [(9_995, 20)]


def test_two_of_our_own_never_trade_the_newer_ends() -> None:
    scene = Scene()
    venue = scene.venue("a")
    venue.place(scene.order("a", -1, 10_005, 20, **GTC))
    scene.told.clear()
    venue.place(scene.order("a", 1, 10_010, 90, **GTC))
    assert [(each.how, each.filled) for each in scene.told
            if isinstance(each, p.Over)] == [("expired", 50)]
    assert scene.fills() == [(10_000, 50)]


def test_a_cancel_ends_what_rests_and_is_refused_for_what_does_not() -> None:
    scene = Scene(("okx",))
    venue = scene.venue("okx")
    order = scene.order("okx", 1, 9_000, 20, **GTC)
    venue.place(order)
    assert venue.told_of(order, 7) == [p.Seen("okx", order.client_id, "1", Found.OPEN, "", 0, 7)]
    venue.cancel(order)
    assert [(each.how, each.filled) for each in scene.take(p.Over)] == [("cancelled", 0)]
    venue.cancel(order)
    assert [each.code for each in scene.take(p.CancelDenied)] == ["51400"]
    assert venue.told_of(order, 8) == [
        p.Seen("okx", order.client_id, "1", Found.ENDED, "cancelled", 0, 8)]
    other = scene.order("okx", 1, 9_000, 20)
    assert venue.told_of(other, 9) == [
        p.Seen("okx", other.client_id, "", Found.ABSENT, "", 0, 9)]


# --- money -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("venue", "side", "fee", "asset"), [
    ("binance", 1, "0.0000005", "BTC"), ("binance", -1, "0.00004995", "USDT"),
    ("okx", 1, "0.0000005", "BTC"), ("kraken", 1, "0.00005", "USDT"),
    ("coinbase", -1, "0.00004995", "USDT")])
def test_a_fee_is_taken_where_the_venue_takes_it(
    venue: str, side: int, fee: str, asset: str
) -> None:
    scene = Scene((venue,))
    scene.venue(venue).place(scene.order(venue, side, 10_000 if side > 0 else 9_990, 50))
    assert [(each.fee, each.fee_asset) for each in scene.take(p.Traded)] == [(fee, asset)]


def test_a_perpetual_holds_its_full_value_and_realises_what_it_closes() -> None:
    scene = Scene(("binance-usdm",), symbols=(PERP,), fees=(0, 0))
    venue = scene.venue("binance-usdm", {"USDT": "0.01"})
    venue.place(scene.order("binance-usdm", 1, 10_000, 51, symbol=PERP))
    assert not scene.fills()
    venue.place(scene.order("binance-usdm", 1, 10_000, 10, symbol=PERP))
    assert scene.fills() == [(10_000, 10)]
    assert venue.account.told("USDT") == ("0", "0.01")
    scene.book("binance-usdm", [(11_000, 50)], [(11_010, 50)], PERP)
    venue.place(scene.order("binance-usdm", -1, 11_000, 10, symbol=PERP))
    assert scene.fills() == [(11_000, 10)]
    assert venue.account.told("USDT") == ("0.011", "0")
    assert venue.account.size_of(PERP) == 0


def test_a_survey_tells_fills_open_orders_balances_and_positions() -> None:
    scene = Scene(("binance-usdm",), symbols=(PERP,), fees=(0, 0))
    venue = scene.venue("binance-usdm", {"USDT": "1000"})
    venue.place(scene.order("binance-usdm", -1, 9_990, 10, symbol=PERP))
    resting = scene.order("binance-usdm", -1, 10_500, 10, symbol=PERP, **GTC)
    scene.clock.advance(SECOND)
    venue.place(resting)
    filled, listing, balance, holding = venue.told_of_all(0)
    assert isinstance(filled, p.Traded)
    assert listing == p.Listing("binance-usdm", ((resting.client_id, "2", PERP, 0),))
    assert balance == p.Balance("binance-usdm", "USDT", "999.97951", "0.02049", "model")
    assert holding == p.Holding("binance-usdm", PERP, -10, "model")
    assert len(venue.told_of_all(scene.clock.unix_ns())) == 3
