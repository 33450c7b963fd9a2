"""Simulated exchanges: local servers that speak the venues' own public protocols.

    market/   ──┐                      ┌─ faces/binance/    (spot, US, USD-M)
                ├─> floor.py ─> Face ──┼─ faces/okx.py       (global, US)
    playback.py ┘      │               ├─ faces/kraken/     (WebSocket v2 and v1)
                       v               ├─ faces/coinbase/   (Advanced Trade)
                  server.py <──────────┴─ faces/coinbase_exchange.py
                  connection.py (WebSocket by picows), rest.py (aiohttp)

A *line* is one instrument at one simulated venue with its reference book, the truth that tests
compare with.  A market (invented or recorded) changes lines; a face turns changes into the
venue's frames and requests into answers; the server owns sockets and nothing else.  Everything
is seeded.  The faces are written from ``shared/venues/*.md`` alone and share no code with
``feeds``: two independent readings of one sheet that must agree.

What goes wrong on command: ``faults`` decides what is struck; frames suffer in ``connection``,
private events in ``told``, requests, answers and snapshots in ``rest`` (older books: ``past``),
orders in ``floor``, the venue as a whole in ``conditions``.  ``control`` takes what tests and
operators order, ``remote`` gives it.  ``backdrop`` lets clients' orders meet a recording, ``soak``
tries all of it at random.

Decisions: 2026-11-21: prices and sizes are whole ticks and lots; floats drive only the random
walk.  2026-11-21: control calls (``/sim/...``) are served by every venue's REST port.
2026-11-21: a recording goes out byte by byte, clients' orders meet it unseen.  2026-11-21: a fault
strikes an event, not a frame: all connections learn of a fill alike.  2026-11-21: a halted symbol's
market goes on elsewhere, and shows where it is when the halt ends.
"""
