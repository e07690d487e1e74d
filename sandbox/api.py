"""The API's two kinds of calls, token and query, from a request to an answer; no socket in here."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from sandbox import query as queries
from sandbox.auth import Token, Tokens, sign
from sandbox.clock import Clock
from sandbox.query import BAD_PARAMETER, BizError, Page
from sandbox.store import Store

QUERY_PATHS = {"/open/purchasein/query": False, "/open/webapi/wmsapi/purchasein/purchaseinquery": True}
LARGEST_SKEW = 600  # seconds
MESSAGES = {
    0: "执行成功",
    10: "无效签名",
    100: "无效的access_token或access_token已过期",
    110: "该IP不在白名单列表",
    140: "无效的timestamp",
    150: "服务商应用禁止刷新access_token,需商户重新授权",
    190: "接口不存在",
    199: "调用频次超过限制",
    200: "调用频次超过限制",
}
_FORM = "application/x-www-form-urlencoded"
_CODE = re.compile(r"[A-Za-z0-9]{6}", re.ASCII)


@dataclass(frozen=True)
class Request:
    method: str
    target: str  # path and, wrongly, a query
    content_type: str
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path


@dataclass
class Answer:
    body: bytes
    code: int = 0
    documents: int = 0
    page: int | None = None
    biz: str | None = None
    window: tuple[int, int] | None = None


class Refused(Exception):
    """The API answers with a code that is not 0."""

    def __init__(self, code: int, text: str | None = None) -> None:
        super().__init__(text or MESSAGES[code])
        self.code = code


@dataclass
class Account:
    """The one app that this server knows."""

    key: str
    secret: str
    provider: bool = False  # a service provider's app, which may not refresh its token
    filter_since: bool = False


def error(code: int, text: str | None = None) -> Answer:
    text = text if text is not None else MESSAGES.get(code, "系统繁忙")
    return Answer(json.dumps({"code": code, "msg": text, "data": None}, ensure_ascii=False).encode(), code)


class Api:
    def __init__(self, account: Account, store: Store, tokens: Tokens, clock: Clock) -> None:
        self.account = account
        self._store = store
        self._tokens = tokens
        self._clock = clock
        self._token_calls: dict[str, Callable[[Mapping[str, str]], Token]] = {
            "/openWeb/auth/getInitToken": self._init_token,
            "/openWeb/auth/accessToken": self._init_token,
            "/openWeb/auth/refreshToken": self._refresh_token,
        }

    def handle(self, request: Request) -> Answer:
        biz: str | None = None
        try:
            form = _form(request)
            biz = form.get("biz")
            answer = self._route(request.path, form)
        except Refused as refusal:
            answer = error(refusal.code, str(refusal))
        except BizError as mistake:
            answer = error(BAD_PARAMETER, str(mistake))
        answer.biz = biz
        return answer

    @staticmethod
    def unheard(request: Request, code: int, text: str | None) -> Answer:
        """An error although nobody looked at the request."""
        answer = error(code, text)
        with suppress(Refused):
            answer.biz = _form(request).get("biz")
        return answer

    def _route(self, path: str, form: Mapping[str, str]) -> Answer:
        token_call = self._token_calls.get(path)
        if token_call is not None:
            self._check_sender(form)
            return self._token_answer(token_call(form))
        if path not in QUERY_PATHS:
            raise Refused(190)
        self._check_sender(form)
        if form.get("version") != "2":
            raise Refused(BAD_PARAMETER, "version必须是2")
        if not self._tokens.valid(form.get("access_token", "")):
            raise Refused(100)
        return self._query(form, text_ts=QUERY_PATHS[path])

    def _check_sender(self, form: Mapping[str, str]) -> None:
        if form.get("app_key") != self.account.key or form.get("sign") != sign(self.account.secret, form):
            raise Refused(10)
        try:
            skew = abs(int(form.get("timestamp", "")) - self._clock.wall())
        except ValueError:
            raise Refused(140) from None
        if skew > LARGEST_SKEW:
            raise Refused(140)
        if form.get("charset") != "utf-8":
            raise Refused(BAD_PARAMETER, "charset必须是utf-8")

    def _init_token(self, form: Mapping[str, str]) -> Token:
        if form.get("grant_type") != "authorization_code" or not _CODE.fullmatch(form.get("code", "")):
            raise Refused(BAD_PARAMETER, "grant_type或code无效")
        return self._tokens.issue()

    def _refresh_token(self, form: Mapping[str, str]) -> Token:
        if self.account.provider:
            raise Refused(150)
        if form.get("grant_type") != "refresh_token" or form.get("scope") != "all":
            raise Refused(BAD_PARAMETER, "grant_type或scope无效")
        token = self._tokens.refresh(form.get("refresh_token", ""))
        if token is None:
            raise Refused(100, "无效的refresh_token")
        return token

    def _token_answer(self, token: Token) -> Answer:
        data = {
            "access_token": token.access,
            "expires_in": int(self._tokens.life),
            "refresh_token": token.refresh,
            "scope": "all",
        }
        return Answer(json.dumps({"code": 0, "msg": MESSAGES[0], "data": data}, ensure_ascii=False).encode())

    def _query(self, form: Mapping[str, str], text_ts: bool) -> Answer:
        wanted = queries.parse(form.get("biz", "{}"), self.account.filter_since)
        page = queries.run(self._store, wanted)
        return Answer(_page_text(page, text_ts), 0, len(page.documents), page.index, None, wanted.window)


def _page_text(page: Page, text_ts: bool) -> bytes:
    counts = ""
    if page.total is not None:
        counts = f'"data_count":{page.total},"page_count":{-(-page.total // page.size)},'
    head = (
        f'{{"code":0,"msg":"{MESSAGES[0]}","data":{{"page_index":{page.index},"page_size":{page.size},'
        f'{counts}"has_next":{"true" if page.has_next else "false"},"datas":'
    )
    if not page.documents:
        return f"{head}null}}}}".encode()
    bodies = [document.body_with_text_ts() if text_ts else document.body for document in page.documents]
    return head.encode() + b"[" + b",".join(bodies) + b"]}}"


def _form(request: Request) -> dict[str, str]:
    """The parameters of a well-formed call."""
    if request.method != "POST":
        raise Refused(BAD_PARAMETER, "只支持POST请求")
    if urlsplit(request.target).query:
        raise Refused(BAD_PARAMETER, "参数必须放在请求体中")
    if request.content_type.split(";")[0].strip().lower() != _FORM:
        raise Refused(BAD_PARAMETER, f"Content-Type必须是{_FORM}")
    try:
        text = request.body.decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=True, errors="strict")
    except ValueError:
        raise Refused(BAD_PARAMETER, "请求体不是有效的表单") from None
    form = dict(pairs)
    if len(form) < len(pairs) or "" in form.values():
        raise Refused(BAD_PARAMETER, "参数重复或为空")
    return form
