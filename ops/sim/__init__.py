"""Simulated exchanges: local servers that speak the venues' own public protocols.

    market.py ──┐                      ┌─ faces/binance/    (spot, US, USD-M)
                ├─> world.py ─> Face ──┼─ faces/okx.py       (global, US)
    playback.py ┘      │               ├─ faces/kraken/      (WebSocket v2 and v1)
                       v               ├─ faces/coinbase/    (Advanced Trade)
                  server.py <──────────┴─ faces/coinbase_exchange.py
                  (WebSocket by picows, REST by aiohttp, faults.py on every frame)

A *line* is one instrument at one simulated venue with its reference book, the truth that tests
compare with.  A market (invented or recorded) changes lines; a face turns changes into the
venue's frames and requests into answers; the server owns sockets and nothing else.  Everything
is seeded.  The faces are written from ``shared/venues/*.md`` alone and share no code with
``feeds``: two independent readings of one sheet that must agree.

Decisions: 2026-11-21: prices and sizes are whole ticks and lots; floats drive only the random
walk.  2026-11-21: control calls (``/sim/...``) are served by every venue's REST port.
"""
