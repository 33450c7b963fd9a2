"""The core in simulated worlds: one seed, one history, with every fault and kill -9 in between.

``python -m bench.histories`` runs seeds and prints what was found; *mutants* plants historical
bugs, each of which the same seeds must catch.
"""
