"""The detector: wakes on changed books, scans only what they can affect, emits signals."""
