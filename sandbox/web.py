"""HTTP/1.1 over sockets: reads requests, writes each answer in one piece, acts out the faults of delivery."""

from __future__ import annotations

import sys
from http.client import responses
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from sandbox.api import Request
from sandbox.control import PREFIX, Control
from sandbox.core import Delivery, Sandbox

LARGEST_BODY = 64 << 20  # bytes
IDLE = 300  # seconds that a connection may be silent


class Server(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.control = Control(sandbox)
        super().__init__((sandbox.options.host, sandbox.options.port), Handler)

    @property
    def url(self) -> str:
        return f"http://{self.sandbox.options.host}:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is not news; anything else is a fault of the sandbox."""
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # answers of several segments must not wait for an acknowledgement
    timeout = IDLE
    server: Server

    def _respond(self) -> None:
        body = self._body()
        if body is None:
            return
        if self.path.startswith(PREFIX):
            status, text = self.server.control.handle(self.command, self.path, body)
            self._deliver(Delivery(text, status))
            return
        request = Request(self.command, self.path, self.headers.get("Content-Type", ""), body)
        delivery = self.server.sandbox.exchange(request, "gzip" in self.headers.get("Accept-Encoding", ""))
        self._deliver(delivery)
        if not self.server.sandbox.options.quiet:
            line = f"{self.command} {request.path} {delivery.status} {len(delivery.body)} bytes"
            print(line, file=sys.stderr)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _respond

    def _body(self) -> bytes | None:
        """The request's body; None if it cannot be read, and the client has been told."""
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdecimal() or int(length) > LARGEST_BODY:
            self.close_connection = True
            self._deliver(Delivery(b'{"error":"a Content-Length of at most 64 MiB is needed"}\n', 411))
            return None
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            self.close_connection = True
            return None
        return body

    def _deliver(self, delivery: Delivery) -> None:
        stopping = self.server.sandbox.stopping
        if delivery.wait_before:
            stopping.wait(delivery.wait_before)
        if delivery.manner != "plain":
            self.close_connection = True
        if delivery.manner == "close":
            return
        head, half = self._head(delivery), len(delivery.body) // 2
        if delivery.manner == "truncate":
            self.wfile.write(head + delivery.body[:half])
        elif delivery.manner == "hang":
            self.wfile.write(head + delivery.body[:half])
            stopping.wait(delivery.wait_within)
            self.wfile.write(delivery.body[half:])
        else:
            self.wfile.write(head if self.command == "HEAD" else head + delivery.body)

    def _head(self, delivery: Delivery) -> bytes:
        reason = responses.get(delivery.status, "Status")
        lines = [f"HTTP/1.1 {delivery.status} {reason}", f"Date: {self.server.sandbox.clock.http_date()}"]
        lines += [f"{name}: {value}" for name, value in delivery.headers.items()]
        lines.append(f"Content-Length: {len(delivery.body)}")
        lines.append(f"Connection: {'close' if self.close_connection else 'keep-alive'}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are logged by _respond."""
