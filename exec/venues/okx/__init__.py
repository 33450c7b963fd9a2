"""OKX (global and US), spot.

*codec* is the protocol, *requests* and *reports* its two directions, *wire* the shapes of texts,
*codes* what its errors prove.
"""
