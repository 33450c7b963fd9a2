"""What every process of an engine stands on.

``process`` is the entry of each child and holds the one broad ``except``; ``context`` is all that
an entry is given; ``loop`` is uvloop with a heartbeat; ``template`` forks processes that are warm;
``spawn`` starts and ends processes; ``machine`` pins, locks memory and keeps libraries to one
thread; ``lock`` allows one engine per name; ``log`` never makes anybody wait; ``wire`` is the
only door to ZeroMQ; ``memory`` is a run's books and flags as detection and execution see them.

An entry is ``main(context) -> int`` in a worker's module, named as a string in
``engine.control.roles``.  A module may also have ``warm(config)``, which compiles its kernels:
the template calls it once, before anything is forked.  An entry calls ``context.ready()`` when
nothing is left to compile, beats at least every 100 ms from then on (``loop`` does it by itself)
and returns soon after ``context.stopping``.

Decisions.
2026-11-21  Log lines are rendered by the caller and written by a thread of its own over a bounded
            queue; when it is full, lines are dropped and counted.
2026-11-21  PUB sockets are set not to drop by themselves: a full queue makes ``send`` return False,
            and the sender counts what was lost.
"""
