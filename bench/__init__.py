"""Latency and throughput, measured; every figure of the README is printed here."""
