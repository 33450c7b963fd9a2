"""Processes that only beat, in place of the workers, and a control that starts them.

``python -m tests.engine.control.dummies FOLDER DESCRIPTOR`` is control with these roles.  What a
dummy does is told by a file of its name in the folder TRYPTO_DUMMIES, read at each start.
"""

import os
import sys
import time
from pathlib import Path

from engine.control import process, roles
from engine.model.errors import SegmentInvalid
from engine.runtime.context import Context

ORDERS = "TRYPTO_DUMMIES"


def main(context: Context) -> int:
    """Beat until told to leave, or do what the orders say."""
    order = ""
    if ORDERS in os.environ:
        path = Path(os.environ[ORDERS]) / context.name
        order = path.read_text() if path.exists() else ""
    if order == "raise":
        raise RuntimeError("as ordered")
    if order == "refuse":
        raise SegmentInvalid("as ordered")
    context.ready()
    while order == "deaf" or not context.stopping:
        if order != "hang":
            context.beat()
        time.sleep(0.02)
    return 0


if __name__ == "__main__":
    roles.ENTRIES.update(dict.fromkeys(roles.ENTRIES, "tests.engine.control.dummies:main"))
    sys.exit(process.main(sys.argv[1:]))
