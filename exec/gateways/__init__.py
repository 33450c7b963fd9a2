"""Gateways: one account at one venue, over its WebSockets and its REST interface.

    core ─ place ─▶ Gateway ─▶ Codec.place ─▶ Request ─▶ socket
    core ◀─ report ─ Gateway ◀─ Codec.frame / Codec.answer ◀─ socket

*codec* is what a venue's protocol is to us, without sockets: texts in, requests and reports out;
one folder or file per venue in ``exec.venues``.  *gateway* is the whole: it knows no venue.  Below
it, one idea per file: *traffic* (the one function that sends, and what ends each request),
*pending* (what waits for an answer), *questions* (what waits for the REST budget), *outbox*
(reports, never from inside a call of the core), *readiness*, *offset* (the venue's clock), *socket*
and *rest* (the doors to picows and aiohttp), *endpoints*, *keys*, *settings*.
"""
