"""Free TCP ports on the loopback interface."""

from __future__ import annotations

import os
import random
import socket

# Below the range from which the kernel takes the near end of outgoing connections, so that a server which is
# down for a while finds its port free when it comes back.
FIRST, LAST = 20000, 31999
WORKERS = (
    8  # of pytest -n: each has a part of the ports, and takes none that another's server left for a moment
)
_random = random.Random(os.getpid() ^ random.SystemRandom().getrandbits(32))
_given: set[int] = set()


def is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def own_range() -> range:
    """The ports of this process: all, or the part of this worker ("gw0", "gw1" …)."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if not worker:
        return range(FIRST, LAST + 1)
    size = (LAST + 1 - FIRST) // WORKERS
    first = FIRST + int(worker.removeprefix("gw")) % WORKERS * size
    return range(first, first + size)


def free_port() -> int:
    """A port that nobody listens on and that this process has not given away before."""
    for _ in range(1000):
        port = _random.choice(own_range())
        if port not in _given and is_free(port):
            _given.add(port)
            return port
    raise RuntimeError(f"no free port among {FIRST}-{LAST}")


def accepts(host: str, port: int) -> bool:
    """Whether somebody listens there now."""
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False
