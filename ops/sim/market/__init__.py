"""The invented market: one world of values that every venue follows at its own pace.

    values ──fair prices──> view ──middle──> ladder ──Update──> drive
    (walk, jumps,           (lag, bias,      (touch, levels,
     regimes)                strains)         trades)          schedule says when

*values* holds what currencies are worth, so triangles close; a *view* sees it late and now and
then wrongly, so that windows between venues and around triangles open and vanish; a *ladder* turns
the price seen into changes of levels as *habits* describes them; *perpetuals* adds basis and
funding; *draws* makes chance cheap.  Time is virtual, and the seed alone decides what happens.

Decisions: 2026-11-21: values move on a grid of 10 ms, not per message, so that the rate of
messages does not change the prices.  2026-11-21: distributions are tables of 1,024 values.
"""

from ops.sim.market.ladder import LEVELS_MAX
from ops.sim.market.market import Market
from ops.sim.market.perpetuals import Funding

__all__ = ["LEVELS_MAX", "Funding", "Market"]
