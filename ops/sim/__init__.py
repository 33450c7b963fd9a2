"""Local venue servers that speak the venues' own protocols on loopback."""
