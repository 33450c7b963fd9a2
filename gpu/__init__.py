"""Volatility and risk on the card, with the same numbers on the CPU."""
