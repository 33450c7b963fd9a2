"""The journal: what was decided, before it is done; the one truth about orders after a crash.

*file* is one preallocated, mapped file of checksummed, chained records; *writer* appends, rotates
and makes durable; *reader* replays and verifies.  A record that was appended survives kill -9 at
any instruction; one that was synced survives the loss of power.
"""
