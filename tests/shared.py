"""Where the shared recordings lie, for tests that use them when they are there."""

import os
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).resolve().parent.parent
SHARED: Final = Path(os.environ.get("TRYPTO_SHARED", _ROOT.parent / "shared"))
CAPTURES: Final = SHARED / "captures"
EXPECTED: Final = CAPTURES / "expected"
