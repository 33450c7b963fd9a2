"""Kraken spot: WebSocket v2 and REST, public and private, as shared/venues/kraken.md has them.

    REST ──▶ face ─┬▶ public ──────────▶ tape, catalogue            names, ids, instruments:
                   └▶ private ─▶ auth,  ┬▶ queries ─▶ account       how things are spelled
                                 limits └▶ trading ─▶ floor
    WS v1 ─▶ face ──▶ v1 (public only)
    WS v2 ─▶ face ──▶ socket ─┬▶ stream                             params, wishes: what is asked
                              ├▶ channels ◀─ events                 answers: what is refused
                              └▶ requests ─▶ trading ─▶ floor
The socket of ws-auth is the public one: one port and one path serve both, and level3 is refused.

Decisions: 2026-11-21: the tier is Intermediate.  2026-11-21: amounts are printed exactly, not
rounded to Kraken's decimals.  2026-11-21: what would take is refused ("EOrder:Post only order").

Where the page is silent, and this is our reading: ``EOrder:Duplicate cl_ord_id``; a halt is status
``maintenance`` and ``EService:Unavailable``; the reasons of cancels by IOC, FOK and self-trade; the
``ratecounter`` key, a burst of 20 public calls, 100 messages a second; cancels are never refused
for their rate; amounts print exactly, so that clients' sums equal the truth.
"""

from ops.sim.faces.kraken.face import Kraken
from ops.sim.faces.kraken.stream import checksum

__all__ = ["Kraken", "checksum"]
