"""A feed's sockets and requests: the only room of feeds that waits.

endpoints.py   which addresses: the config's, the local servers', or the venue's own
budget.py      how long to wait before the next request, connection or retry
connection.py  one WebSocket, by picows: frames and their times to the core
line.py        one connection kept: reconnect with jitter, rotate before the venue cuts
rest.py        snapshots and catalogue, by aiohttp, inside the venue's budget
live.py        all lines of a venue: what the core asks for, done
"""
