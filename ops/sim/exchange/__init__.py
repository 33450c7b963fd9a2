"""The one matching engine behind all simulated venues.

``exchange.Exchange`` is the door.  Below it, one idea per file: *symbols* (exact arithmetic),
*filters* (named refusals), *plan* (what an order would do), *matching* (doing it), *book* (price,
time and the outside flow), *settlement* and *perpetuals* (what a trade does to money), *ledger*
(the truth), *events* (what faces tell), *registry* (what is remembered), *audit* (what must
always hold), *soak* (that it does, for a million operations).

Decisions: 2026-11-21: an operation is judged as a whole before anything changes, so a refusal
has no effect.  2026-11-21: fees round towards zero, so reservations always suffice.
2026-11-21: the outside flow is a number per level; a trade is with the HOUSE account.
"""
