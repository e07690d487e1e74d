"""All parts of one sandbox put together, and the way of an API request through them."""

from __future__ import annotations

import gzip
import threading
from dataclasses import dataclass, field

from sandbox.api import Account, Answer, Api, Request, error
from sandbox.auth import Tokens
from sandbox.author import Author, Plan, history
from sandbox.clock import Clock
from sandbox.faults import Fault, Faults
from sandbox.journal import Journal
from sandbox.limits import RateLimit
from sandbox.mutations import Mutator
from sandbox.options import Options
from sandbox.store import Store

GARBAGE = b'<html><head><title>502</title></head><body>\xe7\xb3\xbb\xff\xfe\x00 {"code":0</body></html>'
_JSON = "application/json; charset=utf-8"
_HTML = "text/html; charset=utf-8"
_WORTH_GZIP = 1024  # bytes


@dataclass
class Delivery:
    """What goes over the wire, and how."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": _JSON})
    manner: str = "plain"  # plain, close, truncate, hang
    wait_before: float = 0.0  # seconds
    wait_within: float = 0.0  # seconds, between the halves of the body


class Sandbox:
    def __init__(self, options: Options, clock: Clock | None = None) -> None:
        self.options = options
        self.clock = clock or Clock()
        self.stopping = threading.Event()
        end = options.history_end if options.history_end is not None else self.clock.second() - options.settle
        plan = Plan(options.seed, options.documents, options.days, end, options.max_lines, options.odd)
        self.store = Store(options.seed)
        self.store.fill(history(plan, self.store.next_ts))
        self.mutator = Mutator(self.store, Author(plan), self.clock)
        self.tokens = Tokens(self.clock, options.token_life, options.seed, options.rotate_tokens)
        if options.access_token:
            self.tokens.accept(options.access_token)
        self.limit = RateLimit(self.clock, options.rate_second, options.rate_minute)
        self.faults = Faults()
        self.journal = Journal(self.clock)
        account = Account(
            options.app_key, options.app_secret, options.provider_app, options.start_ts_confirmed
        )
        self.api = Api(account, self.store, self.tokens, self.clock)
        self._answered = 0
        self._count_lock = threading.Lock()

    def exchange(self, request: Request, accepts_gzip: bool = False) -> Delivery:
        """One API request: quota, then faults, then the API itself."""
        entry = self.journal.arrive(request.path)
        limited = self.limit.ask()
        fault = None if limited else self.faults.take(request.path)
        if fault is not None and fault.kind == "expire_token":
            self.tokens.expire_all()
        answer = error(limited) if limited else self._answer(request, fault)
        delivery = _deliver(answer, fault)
        if accepts_gzip and len(delivery.body) >= _WORTH_GZIP:
            delivery.body = gzip.compress(delivery.body, compresslevel=1)
            delivery.headers["Content-Encoding"] = "gzip"
        delivery.wait_before += self.options.latency / 1000
        self.journal.answer(
            entry,
            _result(answer, fault),
            biz=answer.biz,
            page=answer.page,
            documents=answer.documents,
            http=None if delivery.manner == "close" else delivery.status,
            bytes=len(delivery.body),
            code=answer.code if delivery.status == 200 else None,
            fault=fault.kind if fault else None,
        )
        return delivery

    def _answer(self, request: Request, fault: Fault | None) -> Answer:
        if fault is not None and fault.kind in ("http", "garbage", "close", "code"):
            # only a code fault shows it; the others replace it
            answer = self.api.unheard(request, fault.code, fault.msg)
        else:
            answer = self.api.handle(request)
        if answer.page is not None:
            self._change_now_and_then(answer.window)
        return answer

    def _change_now_and_then(self, window: tuple[int, int] | None) -> None:
        """After every N answered pages one document of their window changes, before the next is read."""
        every = self.options.mutate_every_requests
        if not every:
            return
        with self._count_lock:
            self._answered += 1
            due = self._answered % every == 0
        if due and not self.mutator.paused:
            self.mutator.change(window=window)

    def change_in_background(self) -> None:
        """`--mutate`: so many changes a second, until the sandbox stops."""
        while not self.stopping.wait(1 / self.options.mutate):
            if not self.mutator.paused:
                self.mutator.change()


def _deliver(answer: Answer, fault: Fault | None) -> Delivery:
    kind = fault.kind if fault else ""
    if fault is None or kind in ("code", "expire_token"):
        return Delivery(answer.body)
    if kind == "http":
        page = f"<html><body><h1>{fault.status}</h1></body></html>".encode()
        headers = {"Content-Type": _HTML}
        if fault.retry_after is not None:
            headers["Retry-After"] = str(fault.retry_after)
        return Delivery(page, fault.status, headers)
    if kind == "garbage":
        return Delivery(GARBAGE, headers={"Content-Type": _HTML})
    if kind == "cut":
        return Delivery(answer.body[: len(answer.body) // 2])
    if kind == "huge":
        return Delivery(answer.body + b" " * (fault.mb << 20))
    if kind == "slow":
        return Delivery(answer.body, wait_before=fault.ms / 1000)
    return Delivery(answer.body, manner=kind, wait_within=fault.ms / 1000 if kind == "hang" else 0.0)


def _result(answer: Answer, fault: Fault | None) -> str:
    """What a request counts as in the statistics."""
    if fault is not None and fault.kind == "http":
        return f"http {fault.status}"
    if fault is not None and fault.kind in ("garbage", "close", "truncate", "cut"):
        return fault.kind
    return "ok" if answer.code == 0 else f"code {answer.code}"
