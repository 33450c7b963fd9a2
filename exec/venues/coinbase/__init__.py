"""Coinbase Advanced Trade, spot.

*codec* is the protocol, *requests* and *reports* its two directions, *progress* what the user
channel's totals leave to ask, *wire* the shapes of texts, *codes* what its errors prove.
"""
