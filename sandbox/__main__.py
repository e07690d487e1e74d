"""`python3 -m sandbox`: the same as `python3 sandbox/server.py`."""

import sys

from sandbox.server import main

sys.exit(main(sys.argv[1:]))
