"""The screens of ``start``, ``top`` and ``monitor``: drawn from shared memory, whatever hangs.

look.py      finds an engine, and finds it again after a restart
sample.py    one look at shared memory as plain numbers, and rates since the last look
view.py      a sample as lines: what stands where, and in which colour
monitor.py   the same for orders, balances and positions alone
holdings.py  money, orders, balances and positions as rows
section.py   tables that share the height of a screen
terminal.py  the lines drawn in place, four times a second
plain.py     the same engine as log lines, where there is no terminal
display.py   chooses between the two
text.py      numbers for people
"""
