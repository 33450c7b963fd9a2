"""State: everything that execution knows, as the journal's records make it, and nothing else.

    journal record ─ State.apply ─▶ orders, plans, trades ─▶ balances, positions, sums at risk

*state* is the fold, *entries* what it is made of, *orders* the table of an order's life.
*positions* keeps perpetuals; *outstanding*, *owed* and *weighing* keep what is at risk as sums that
move with each record, *outcomes* what plans made, *activity* what was traded and asked of late;
*digest* is the hash by which a replay is compared with the living state.
"""
