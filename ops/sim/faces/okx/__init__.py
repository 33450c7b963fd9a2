"""OKX and OKX US, spot: one protocol, version 5, for two regions.

*face* is the whole; *market*, *window*, *public*, *catalogue* and *funding* are what anyone may
see; *auth* and *limits* guard what an account may do; *requests*, *desk*, *tickets* and
*countdown* are order entry; *rows*, *account*, *history* and *pushes* tell what came of it;
*stream*, *channels* and *private* are the doors; *errors* has the venue's codes.

Source: shared/venues/okx.md, read 2026-11-21.  Decisions: 2026-11-21: an account is in spot mode
and of the lowest tier, so channels of higher tiers are refused.
"""

from ops.sim.faces.okx.face import Okx
from ops.sim.faces.okx.market import checksum

__all__ = ["Okx", "checksum"]
