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
from collections.abc import Callable, Sequence

from sandbox import options
from sandbox.core import Sandbox
from sandbox.web import Server

CANNOT = 111


def main(argv: Sequence[str]) -> int:
    wanted = options.parse(argv)
    on_signal(lambda: sys.exit(0))  # the history takes seconds to write
    sandbox = Sandbox(wanted)
    on_signal(sandbox.stopping.set)
    try:
        server = Server(sandbox)
    except OSError as problem:
        print(f"sandbox: cannot listen on {sandbox.options.host}:{sandbox.options.port}: {problem.strerror}",
              file=sys.stderr)
        return CANNOT
    serve(server)
    return 0


def on_signal(act: Callable[[], object]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: act())


def serve(server: Server) -> None:
    """Until the sandbox is asked to stop."""
    sandbox = server.sandbox
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
    if sandbox.options.mutate:
        threading.Thread(target=sandbox.change_in_background, daemon=True).start()
    print(f"sandbox listening on {server.url}", flush=True)
    sandbox.stopping.wait()
    server.shutdown()
    server.server_close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
