"""The command line, as data; a wrong one ends with one line that says why, exit 100."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn

from sandbox.author import MOST_LINES
from sandbox.clock import parse_beijing

WRONG_USAGE = 100


@dataclass(frozen=True)
class Options:
    host: str = "127.0.0.1"
    port: int = 8090
    seed: int = 1
    documents: int = 1000
    days: float = 3.0
    history_end: int | None = None  # Unix seconds
    settle: int = 120
    max_lines: int = 2000
    odd: bool = True
    app_key: str = "sandbox"
    app_secret: str = "sandbox-secret"
    access_token: str | None = None
    token_life: float = 2592000.0
    rotate_tokens: bool = False
    provider_app: bool = False
    start_ts_confirmed: bool = False
    rate_second: int = 5
    rate_minute: int = 100
    latency: int = 0
    mutate: float = 0.0
    mutate_every_requests: int = 0
    quiet: bool = False


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        print(f"sandbox: {message} (see --help)", file=sys.stderr)
        sys.exit(WRONG_USAGE)


def parse(argv: Sequence[str]) -> Options:
    values = vars(_parser().parse_args(argv))
    values["host"], values["port"] = values.pop("listen")
    return Options(**values)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="sandbox",
        description="A stand-in for the Jushuitan open API.",
        allow_abbrev=False,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    new = parser.add_argument
    new(
        "--listen",
        type=_address,
        default=("127.0.0.1", 8090),
        metavar="HOST:PORT",
        help="port 0 takes a free one",
    )
    _history_options(parser)
    new("--app-key", default=Options.app_key, metavar="KEY", help="the one app that is known")
    new("--app-secret", default=Options.app_secret, metavar="TEXT", help="its secret")
    new("--access-token", metavar="TOKEN", help="a token that is valid from the start")
    new("--token-life", type=_number(0), default=Options.token_life, metavar="SECONDS", help="expires_in")
    new("--rotate-tokens", action="store_true", help="a refresh gives a new token")
    new("--provider-app", action="store_true", help="refreshing is refused, code 150")
    new("--start-ts-confirmed", action="store_true", help="start_ts gives Confirmed documents only")
    new("--rate-second", type=_whole(0), default=5, metavar="N", help="requests in any second, 0: unlimited")
    new("--rate-minute", type=_whole(0), default=100, metavar="N", help="requests in any minute")
    new("--latency", type=_whole(0), default=0, metavar="MS", help="wait before every answer")
    new("--mutate", type=_number(0), default=0.0, metavar="PER_SECOND", help="change documents all the time")
    new(
        "--mutate-every-requests",
        type=_whole(0),
        default=0,
        metavar="N",
        help="change a document of the window that is being read after every N pages",
    )
    new("--quiet", action="store_true", help="no line per request on stderr")
    return parser


def _history_options(parser: argparse.ArgumentParser) -> None:
    new = parser.add_argument
    new("--seed", type=int, default=Options.seed, metavar="N", help="the same seed gives the same documents")
    new("--documents", type=_whole(0), default=Options.documents, metavar="N", help="size of the history")
    new("--days", type=_number(0), default=Options.days, metavar="N", help="how far their changes reach back")
    new(
        "--history-end",
        type=_time,
        metavar="TIME",
        help="the latest change, 'YYYY-MM-DD HH:MM:SS' Beijing time, instead of start minus --settle",
    )
    new(
        "--settle",
        type=_whole(0),
        default=Options.settle,
        metavar="SECONDS",
        help="age of the latest change at start",
    )
    new(
        "--max-lines",
        type=_whole(1, MOST_LINES),
        default=Options.max_lines,
        metavar="N",
        help="lines of the largest document",
    )
    new(
        "--odd",
        type=_switch,
        default=True,
        metavar="on|off",
        help="values and texts as odd as in real accounts",
    )


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdecimal() or int(port) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT")
    return host, int(port)


def _whole(least: int, most: int = 10**9) -> Callable[[str], int]:
    def convert(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least} to {most}")
        return int(text)

    return convert


def _number(least: float) -> Callable[[str], float]:
    def convert(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not least <= value <= 1e9:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number from {least} up")
        return value

    return convert


def _switch(text: str) -> bool:
    if text not in ("on", "off"):
        raise argparse.ArgumentTypeError(f"{text!r} is neither on nor off")
    return text == "on"


def _time(text: str) -> int:
    try:
        return parse_beijing(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not YYYY-MM-DD HH:MM:SS") from None
