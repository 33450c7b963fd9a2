"""Gateways: one account at one venue, over its WebSockets and its REST interface.

    core ─ place ─▶ Gateway ─▶ Codec.place ─▶ Request ─▶ socket
    core ◀─ report ─ Gateway ◀─ Codec.frame / Codec.answer ◀─ socket

*codec* is what a venue's protocol is to us, without sockets: texts in, requests and reports out;
one folder or file per venue in ``exec.venues``.  *gateway* owns the connections, the time limits
and the readiness; it knows no venue.
"""
