"""What books are worth: one judgement shared by who finds and who acts.

exact.py     128-bit products compared and divided: no decision about money is a float
touch.py     the effective best prices: a newer quote laid over the book
depth.py     two books walked level by level, net of fees, to the size where the edge ends
trust.py     may this book be believed, may anybody act
appraise.py  all of it for one pair of books: the detector asks, execution asks again
"""
