"""Execution: receives signals, checks them, and is the only room that will ever hold keys."""
