"""A paper venue: an account of ours at a venue that is nothing but its live public book.

    place ─ latency ─▶ Venue ─ rules ─▶ Taking ─ walks ─▶ the book as it is then, less what we took
                         │ GTC                            (consumed)
                         ▼
    prints, levels ─▶ Resting ─ queue ─▶ fills ─▶ Account ─▶ reports ─ latency ─▶ the core

*venue* is the whole: it judges, takes, rests and tells.  *rules* are its refusals and *manners* the
words of each real venue for them; *consumed* is the liquidity that we took, *queue* our place among
others at one price, *prints* the public trades, *account* money and positions, *lanes* time on the
way.  No socket and no loop: time, chance and books are given, so that one seed and one sequence of
books make one sequence of fills.  ``exec.gateways.paper`` plugs it into the core;
``exec/gateways/MODES.md`` says what it does not model.
"""
