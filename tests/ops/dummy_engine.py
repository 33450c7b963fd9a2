"""``trypto-engine`` whose workers only beat: ``python -m tests.ops.dummy_engine VERB ...``."""

import sys
from functools import partial

from ops import cli, launcher, start

if __name__ == "__main__":
    module = "tests.engine.control.dummies"
    vars(start)["Launcher"] = partial(launcher.Launcher, module=module)
    sys.exit(cli.main())
