"""The shelf of adapters: one value per venue, no socket, no loop, no clock."""
