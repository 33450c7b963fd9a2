"""Recorded traffic through the very code that live frames take.

capture.py  files of frames: lines, protocols, clear errors
survey.py   what a recording holds: venues, symbols, decimals
replay.py   frames through the core, merged on time, told event by event
report.py   what `trypto-engine replay` prints
"""
