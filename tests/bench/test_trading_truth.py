"""bench.trading_truth: an engine's books beside a client that trades, a few seconds long."""

from bench import trading_truth


def test_every_level_equals_the_venues_while_a_client_trades() -> None:
    levels, trader = trading_truth.trade(rounds=2, seed=3)
    assert levels > 100
    assert trader.placed > 5
    assert trader.refused == 0
