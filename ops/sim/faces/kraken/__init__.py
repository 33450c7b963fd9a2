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
"""

from ops.sim.faces.kraken.face import Kraken
from ops.sim.faces.kraken.stream import checksum

__all__ = ["Kraken", "checksum"]
