"""A control that only ends: ``... FOLDER DESCRIPTOR`` with what to do in TRYPTO_ODD.

"CODE" leaves at once with that exit code, "CODE:told" when it is told to, "term" dies of SIGTERM.
"""

import os
import signal
import sys

if __name__ == "__main__":
    code, _, when = os.environ["TRYPTO_ODD"].partition(":")
    if code != "term":
        signal.signal(signal.SIGTERM, lambda *_: os._exit(int(code)))
    if code == "term" or when:
        (read, write) = os.pipe()
        os.read(read, 1)  # until a signal
    sys.exit(int(code))
