"""What each venue's private protocol is to us: one folder per venue, one codec in each.

A codec is pure (``exec.gateways.codec``): it holds no socket and reads no clock.
"""
