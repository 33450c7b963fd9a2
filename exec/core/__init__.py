"""The core: decides, writes down, then acts.  No socket, no clock, no file of its own.

*ports* says what it is plugged into; everything it knows is ``exec.state`` and is changed by
journal records alone.  One seed of a simulated world therefore replays one history exactly, and a
restart is a replay.
"""
