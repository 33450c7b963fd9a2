"""OKX and OKX US, spot: one protocol, version 5, for two regions.

*face* is the whole; *market*, *window*, *public*, *catalogue* and *funding* are what anyone may
see; *auth* and *limits* guard what an account may do; *requests*, *desk*, *tickets* and
*countdown* are order entry; *rows*, *account*, *history* and *pushes* tell what came of it;
*stream*, *channels* and *private* are the doors; *errors* has the venue's codes.

Source: shared/venues/okx.md, read 2026-11-21.  Decisions: 2026-11-21: an account is in spot mode
and of the lowest tier, so channels of higher tiers are refused.

Where the page is silent, and this is our reading: 50061 counts spot orders too; the times of
cancel-all-after are seconds, as in its sample; prints are never merged (``count`` 1); tickers leave
with the book's batches; the wording of English error texts.
"""

from ops.sim.faces.okx.face import Okx
from ops.sim.faces.okx.market import checksum

__all__ = ["Okx", "checksum"]
