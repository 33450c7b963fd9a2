"""OKX's error codes: which prove that nothing happened, which leave it open, which ask to wait.

Source: shared/venues/okx.md, Errors and Rate limits, 2026-11-21.  A row's sCode is the venue's
verdict on that order; a code over the whole request is trusted only where the page lists it.
"""

from typing import Final

from exec.core import ports as p

ABSENT: Final = "51603"  # of a question about one order
WAIT_NS: Final = 2_000_000_000  # the window of every counter: no header tells how long
RATE: Final = frozenset({"50011", "50013", "50040", "50061", "60014", "60023"})
# "Timeout, does not mean success or failure", 5xx under another status, and ids that are taken:
# of an order that is sent once, a taken id says that it may well be there.
OPEN: Final = frozenset({
    "50001", "50004", "50013", "50026", "50046", "51054", "51149", "63999", "64007", "64008",
    "51011", "51016", "50071",
})
REFUSED: Final = RATE - OPEN | {
    "50000", "50002", "50006", "50014", "50016", "50036", "50051", "50052", "50100", "50101",
    "50102", "50103", "50104", "50105", "50106", "50107", "50110", "50111", "50112", "50113",
    "50114", "50115", "50119", "50120", "50122", "51000", "51001", "51003", "51005", "51006",
    "51008", "51010", "51015", "51020", "51021", "51022", "51024", "51116", "51120", "51121",
    "51131", "51137", "51138", "51150", "51155", "51201", "51202", "51400", "51401", "51402",
    "51405", "51410", "51503", "51510", "51511", "51603", "54036", "54072", "59113", "60004",
    "60005", "60006", "60007", "60009", "60011", "60012", "60013", "60018", "60024", "60032",
}
# What is refused for what the order is: funds, minimum, arguments, price bands, self-trade.
OF_THE_ORDER: Final = frozenset({
    "51008", "51131", "51020", "51120", "50122", "51000", "51001", "51005", "51006", "51015",
    "51116", "51121", "51137", "51138", "51150", "51201", "51202", "51511", "50014", "50016",
    "54036",
})


def refuses(code: str, status: int, *, row: bool) -> bool:
    """Return whether a failure proves that the venue did nothing."""
    if status >= 500 or code in OPEN:
        return False
    return row or code in REFUSED


def verdict(
    venue: str, purpose: str, client_id: str, code: str, text: str, *, row: bool,
    status: int = 200,
) -> tuple[p.Report, ...]:
    """Return what a failed place or cancel is to the core, and how long to wait."""
    said: p.Report
    if not refuses(code, status, row=row):
        said = p.Lost(venue, client_id, purpose, f"HTTP {status}, {code}: {text}")
    elif purpose == "place":
        said = p.Denied(venue, client_id, code, text, code in OF_THE_ORDER)
    else:
        said = p.CancelDenied(venue, client_id, code, text)
    return (said, *budget(venue, code, status))


def budget(venue: str, code: str, status: int) -> tuple[p.Report, ...]:
    """Return the time to wait after a request too many."""
    late = code in RATE or status in (418, 429)
    return (p.Budget(venue, 0, 0, WAIT_NS),) if late else ()
