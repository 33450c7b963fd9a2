"""The door: what operators ask of execution, and the kill word.

*door* serves the socket, *operator* does what is asked, once per command id, *words* turns texts
into quanta and back, *flatten* trades back what trading moved, *killing* obeys the kill word.
"""
