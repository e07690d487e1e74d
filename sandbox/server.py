"""The command: `python3 sandbox/server.py [options]`. Serves until SIGTERM or SIGINT.

Exit codes: 0 asked to stop, 100 wrong usage, 111 the address cannot be listened on.
"""

from __future__ import annotations

import os.path
import sys

if not __package__:  # run as a file: modules are found from the folder above
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

import signal
import threading
from collections.abc import Sequence

from sandbox import options
from sandbox.core import Sandbox
from sandbox.web import Server

CANNOT = 111


def main(argv: Sequence[str]) -> int:
    wanted = options.parse(argv)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))  # at any time: the history takes seconds to write
    sandbox = Sandbox(wanted)
    try:
        server = Server(sandbox)
    except OSError as problem:
        print(
            f"sandbox: cannot listen on {sandbox.options.host}:{sandbox.options.port}: {problem.strerror}",
            file=sys.stderr,
        )
        return CANNOT
    serve(server)
    return 0


def serve(server: Server) -> None:
    """Until a signal ends it."""
    sandbox = server.sandbox
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
    if sandbox.options.mutate:
        threading.Thread(target=sandbox.change_in_background, daemon=True).start()
    print(f"sandbox listening on {server.url}", flush=True)
    try:
        sandbox.stopping.wait()
    finally:
        sandbox.stopping.set()  # wakes answers that are being delayed
        server.shutdown()
        server.server_close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
