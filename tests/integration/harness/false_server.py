"""A server that speaks MySQL's protocol and means harm: it asks for passwords in clear and for files, and answers
with what no statement asked for. One thread a connection; everything that clients sent is kept."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

LOCAL_FILES, SSL, PROTOCOL_41, SECURE, PLUGIN_AUTH = 0x80, 0x800, 0x200, 0x8000, 0x80000
CAPABILITIES = 0x1 | 0x8 | LOCAL_FILES | PROTOCOL_41 | 0x2000 | SECURE | PLUGIN_AUTH
AUTOCOMMIT = 2
Packets = Iterable[bytes]


def number(value: int) -> bytes:
    """MySQL's length-encoded integer."""
    if value < 251:
        return bytes([value])
    if value < 1 << 16:
        return b"\xfc" + struct.pack("<H", value)
    if value < 1 << 24:
        return b"\xfd" + struct.pack("<I", value)[:3]
    return b"\xfe" + struct.pack("<Q", value)


def text(value: bytes) -> bytes:
    return number(len(value)) + value


def ok() -> Packets:
    return [b"\x00\x00\x00" + struct.pack("<HH", AUTOCOMMIT, 0)]


def error(code: int, message: str) -> Packets:
    return [b"\xff" + struct.pack("<H", code) + b"#HY000" + message.encode()]


def _column(name: bytes) -> bytes:
    names = text(b"def") + text(b"") * 3 + text(name) + text(b"")
    return names + b"\x0c" + struct.pack("<HIBHBH", 45, 1024, 253, 0, 0, 0)


def _end() -> bytes:
    return b"\xfe" + struct.pack("<HH", 0, AUTOCOMMIT)


def rows(columns: int, given: Iterable[list[bytes | None]]) -> Iterator[bytes]:
    """A result set; None is NULL."""
    yield number(columns)
    for i in range(columns):
        yield _column(b"c%d" % i)
    yield _end()
    for row in given:
        yield b"".join(b"\xfb" if cell is None else text(cell) for cell in row)
    yield _end()


class AskForFile:
    """In place of an answer: LOCAL INFILE. What comes is kept in the server's `files`."""

    def __init__(self, name: str):
        self.name = name


class Endless:
    """In place of an answer: a result set of one column whose one row comes again and again."""

    def __init__(self, cell: bytes | None):
        self.row = b"\xfb" if cell is None else text(cell)


Reply = Packets | AskForFile | Endless


def obedient(sql: bytes) -> Reply:
    """What a real server would say to the statements of a new session."""
    if b"@@max_allowed_packet" in sql:
        return rows(3, [[b"67108864", b"8.0.31", b"1"]])
    return ok()


class FalseServer:
    """`with` runs it. plugin: the way to prove the password that it asks for after the client's first packet."""

    def __init__(
        self,
        reply: Callable[[bytes], Reply] = obedient,
        *,
        plugin: str | None = None,
        first_plugin: str = "mysql_native_password",
        certificate: Path | None = None,
        host: str = "127.0.0.1",
    ):
        self.reply = reply
        self.plugin = plugin
        self.first_plugin = first_plugin
        self.certificate = certificate
        self.host = host
        self.received = b""  # all that clients sent, without TLS
        self.statements: list[bytes] = []
        self.files: list[bytes] = []
        self.stopping = False
        self._socket = socket.create_server((host, 0))
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    @property
    def port(self) -> int:
        return self._socket.getsockname()[1]

    def __enter__(self) -> FalseServer:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping = True
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _accept(self) -> None:
        while not self.stopping:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=[client], daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            Session(self, client).run()
        except (OSError, EOFError):
            pass  # the client has gone
        finally:
            client.close()


class Session:
    """One client."""

    def __init__(self, server: FalseServer, client: socket.socket):
        self.server, self.client, self.sequence = server, client, 0

    def run(self) -> None:
        self._shake_hands()
        while command := self._receive():
            if command[:1] == b"\x01":
                return
            self.sequence = 1
            self.server.statements.append(command[1:])
            self._answer(self.server.reply(command[1:]))

    def _shake_hands(self) -> None:
        flags = CAPABILITIES | (SSL if self.server.certificate else 0)
        greeting = b"\x0a8.0.31\x00" + struct.pack("<I", 7) + b"12345678\x00"
        greeting += struct.pack("<H", flags & 0xFFFF) + b"\x2d" + struct.pack("<HH", AUTOCOMMIT, flags >> 16)
        greeting += b"\x15" + b"\x00" * 10 + b"901234567890\x00" + self.server.first_plugin.encode() + b"\x00"
        self._send(greeting)
        hello = self._receive()
        if len(hello) == 32:
            self._begin_tls()
            self._receive()
        if self.server.plugin is not None:
            self._send(b"\xfe" + self.server.plugin.encode() + b"\x00" + b"a" * 20 + b"\x00")
            self._receive()
        for packet in ok():
            self._send(packet)

    def _begin_tls(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.server.certificate)
        self.client = context.wrap_socket(self.client, server_side=True)

    def _answer(self, reply: Reply) -> None:
        if isinstance(reply, AskForFile):
            self._send(b"\xfb" + reply.name.encode())
            self.server.files.append(b"".join(iter(self._receive, b"")))
            reply = ok()
        if isinstance(reply, Endless):
            self._send_for_ever(reply.row)
            return
        for packet in reply:
            self._send(packet)

    def _send_for_ever(self, row: bytes) -> None:
        for packet in list(rows(1, []))[:-1]:
            self._send(packet)
        head = struct.pack("<I", len(row))[:3]
        round_of_all = b"".join(head + bytes([(self.sequence + i) % 256]) + row for i in range(256))
        while not self.server.stopping:
            self.client.sendall(round_of_all)

    def _send(self, payload: bytes) -> None:
        self.client.sendall(struct.pack("<I", len(payload))[:3] + bytes([self.sequence]) + payload)
        self.sequence = (self.sequence + 1) % 256

    def _receive(self) -> bytes:
        head = self._read(4)
        self.sequence = (head[3] + 1) % 256
        payload = self._read(int.from_bytes(head[:3], "little"))
        self.server.received += payload
        return payload

    def _read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            more = self.client.recv(size - len(data))
            if not more:
                raise EOFError
            data += more
        return data
