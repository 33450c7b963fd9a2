"""``ops/sim/CLIENTS.md`` says what the tests of this folder declare, no more and no less."""

import importlib
from pathlib import Path
from typing import Final

from tests.clients.proofs import PROOFS, VENUES, Proof
from tests.ops.sim.recordings import ROOT

PAGE: Final = ROOT / "ops" / "sim" / "CLIENTS.md"
BEGIN: Final = "<!-- table: tests/clients/test_table.py holds it equal to the tests -->\n"


def table() -> str:
    """Render every declared proof: one row a call, one column a venue, remarks below."""
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        if path.stem != Path(__file__).stem:
            importlib.import_module(f"tests.clients.{path.stem}")
    rows: dict[tuple[str, str, str], dict[str, Proof]] = {}
    for proof in PROOFS:
        rows.setdefault((proof.client, proof.call, proof.compared), {})[proof.venue] = proof
    remarks = sorted({proof.remark for proof in PROOFS if proof.remark})
    lines = [f"| client | call | {' | '.join(VENUES)} | compared |",
             "|---" * (3 + len(VENUES)) + "|"]
    for (client, call, compared), by_venue in sorted(rows.items()):
        cells = []
        for venue in VENUES:
            found = by_venue.get(venue)
            mark = f" [{remarks.index(found.remark) + 1}]" if found and found.remark else ""
            cells.append(f"yes{mark}" if found else "")
        lines.append(f"| {client} | `{call}` | {' | '.join(cells)} | {compared} |")
    notes = [f"[{number}] {remark}" for number, remark in enumerate(remarks, 1)]
    return "\n".join([*lines, "", *[f"{note}  " for note in notes]]) + "\n"


def test_the_page_shows_what_the_tests_declare() -> None:
    _, _, shown = PAGE.read_text().partition(BEGIN)
    assert shown == table(), "python -m tests.clients.test_table writes it anew"


if __name__ == "__main__":
    head, _, _ = PAGE.read_text().partition(BEGIN)
    PAGE.write_text(head + BEGIN + table())
