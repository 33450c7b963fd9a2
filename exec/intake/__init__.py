"""Intake: signals from two lanes, each acted on once.

*lanes* tells the first copy from the second, *appraisal* looks at the books again and sizes the
legs anew, *intake* lets the core decide, and tells the signal's fate.
"""
