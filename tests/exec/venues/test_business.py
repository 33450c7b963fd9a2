"""Which refusals are of the order and which of the venue, in each venue's own words."""

import pytest

from exec.venues.binance.refusals import Failure
from exec.venues.coinbase.codes import Failed
from exec.venues.kraken.refusals import refusal_of
from exec.venues.okx.codes import verdict

Said = list[tuple[int, str]] | list[str]
OF_THE_ORDER: dict[str, Said] = {
    "binance": [(-2010, "Account has insufficient balance for requested action."),
                (-1013, "Filter failure: NOTIONAL"), (-1013, "Filter failure: LOT_SIZE"),
                (-2010, "Order would immediately match and take."), (-1111, "Precision."),
                (-2019, "Margin is insufficient."), (-4164, "Order's notional must be no smaller")],
    "kraken": ["EOrder:Insufficient funds", "EOrder:Order minimum not met",
               "EGeneral:Invalid arguments:volume", "EOrder:Post only order"],
    "okx": ["51008", "51020", "51121", "51006"],
    "coinbase": ["INSUFFICIENT_FUND", "PREVIEW_INVALID_BASE_SIZE_TOO_SMALL",
                 "INVALID_LIMIT_PRICE_POST_ONLY", "INVALID_SIZE_PRECISION"],
}
OF_THE_VENUE: dict[str, Said] = {
    "binance": [(-2015, "Invalid API-key, IP, or permissions for action."), (-1021, "Timestamp"),
                (-1003, "Too many requests."), (-1013, "Market is closed."),
                (-2010, "This account may not place or cancel orders.")],
    "kraken": ["EAPI:Invalid key", "EOrder:Rate limit exceeded", "EService:Deadline elapsed",
               "EService:Market in cancel_only mode", "EAPI:Invalid nonce"],
    "okx": ["50111", "50011", "51022", "50102"],
    "coinbase": ["ORDER_ENTRY_DISABLED", "PREVIEW_NOT_ALLOWED_BY_MARKET_STATE",
                 "PREVIEW_PRODUCT_TRADING_HALTED", "UNKNOWN_FAILURE_REASON", ""],
}


def business(venue: str, said: str | tuple[int, str]) -> bool:
    if isinstance(said, tuple):
        return Failure(400, *said).business
    text = said
    if venue == "kraken":
        return refusal_of(text, 0).business
    if venue == "coinbase":
        return Failed(text, "", status=200, proven=True).business
    denied = verdict("okx", "place", "t1x1", text, "", row=True)[0]
    return bool(getattr(denied, "business", False))


@pytest.mark.parametrize("venue", OF_THE_ORDER)
def test_a_refusal_for_what_the_order_was_is_told_from_one_of_the_venue(venue: str) -> None:
    wrong = [each for each in OF_THE_ORDER[venue] if not business(venue, each)]
    wrong += [each for each in OF_THE_VENUE[venue] if business(venue, each)]
    assert wrong == []


def test_a_refused_key_at_coinbase_is_no_matter_of_the_order() -> None:
    assert not Failed("INSUFFICIENT_FUND", "", status=401, proven=True).business
