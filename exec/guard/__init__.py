"""The guard: cancels everything where execution is dead, with connections of its own.

    exec's row in the process table, kill word, portfolio ─▶ Watch ─▶ why, or nothing
                                                                       │
    <run>/guard.ipc: cancel-all, kill ─────────────────────────────────┤
                                                                       ▼
                                       Canceller per venue ─ REST ─▶ cancel-all, then the list of
                                                                     open orders, until it is empty

It can place nothing: no code of it makes an order.  It does nothing while execution is READY and
beats, renews no dead-man switch, and runs in live mode alone.  *watch* decides and is pure but for
what it remembers; *canceller* talks to one venue; *process* is the process.

The API keys are execution's own.  Kraken takes only rising nonces per key: a venue's protocol is
made anew for each round, from the file in which execution reserves its nonces ten seconds ahead
(``exec.venues.registry``), so the guard's are above all that execution can have used, and a new
execution goes on above the guard's.  One that only hung and comes back before it is killed is
refused by Kraken's REST interface until its clock has passed them, ten seconds or so; its order
entry over WebSocket has no nonces.  All other venues take time stamps in any order.
"""
