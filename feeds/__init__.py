"""One pinned process per venue: bytes in, trusted books out.

    frame ──▶ net/ ──▶ venues/<venue>.py ──▶ core.py, sync.py ──▶ book/ ──▶ shared memory
              waits    decodes, declares     may it enter?        parses, applies, publishes

    venue.py     all that an adapter can say: events, rules, limits
    core.py      the heart: frames in, trusted books out; live and replay run exactly this
    sync.py      trust in one book as a pure machine: the venues' published sequencing rules
    port.py      what the core asks of the world around it
    catalog.py   what a venue lists, as rows of the instruments segment
    process.py   the feed process
    recorded/    recordings through the same core: capture, survey, replay

Decisions.
2026-11-21  Only levels that a venue's integrity rule covers are published (``vouched_depth``):
            Kraken's checksum covers ten, its messages carry no number, so a lost change of the
            eleventh would stay unseen in a LIVE book.  The feed keeps all thousand.
"""
