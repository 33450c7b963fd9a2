"""From level text to the published book, in one kernel call per message.

numbers.py          decimal text to quanta, digit by digit, exact
levels.py           the venues' encodings of levels
arena.py            one book in one array: sorted rows per side, best last
full_book.py        the full-depth book: text in, exact integers and strings out
checksum.py         the venues' checksums over it
publish.py          all books of a feed and their places in shared memory
publish_kernels.py  parse, apply, judge, publish, ring: the kernel of a message
"""
