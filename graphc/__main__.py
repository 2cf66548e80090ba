"""`python -m graphc`: the command line."""

from __future__ import annotations

import os
import sys

# `-m` puts the working directory first; nothing is loaded from there.
if sys.path and not sys.flags.safe_path and sys.path[0] == os.getcwd():
    del sys.path[0]

from graphc.cli import main

if __name__ == "__main__":
    sys.exit(main())
