"""A small client of the API and of the control endpoints, for tests: signs, retries nothing."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from sandbox.auth import sign
from sandbox.options import Options

QUERY = "/open/purchasein/query"
TYPE = "application/x-www-form-urlencoded;charset=UTF-8"


def signed(secret: str, parameters: Mapping[str, str]) -> dict[str, str]:
    return {**parameters, "sign": sign(secret, parameters)}


def query_form(
    biz: str, timestamp: int, token: str, key: str = Options.app_key, secret: str = Options.app_secret
) -> dict[str, str]:
    """The signed form of a business request."""
    return signed(
        secret,
        {
            "app_key": key,
            "access_token": token,
            "timestamp": str(timestamp),
            "version": "2",
            "charset": "utf-8",
            "biz": biz,
        },
    )


def token_form(
    timestamp: int, refresh: str | None = None, key: str = Options.app_key, secret: str = Options.app_secret
) -> dict[str, str]:
    """The signed form of getInitToken, or of refreshToken."""
    form = {"app_key": key, "timestamp": str(timestamp), "charset": "utf-8"}
    if refresh is None:
        form |= {"grant_type": "authorization_code", "code": "abc123"}
    else:
        form |= {"grant_type": "refresh_token", "refresh_token": refresh, "scope": "all"}
    return signed(secret, form)


class Client:
    """One connection to a running sandbox; opened again by http.client when the server closed it."""

    def __init__(self, url: str, timeout: float = 10.0) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=timeout)

    def close(self) -> None:
        self._connection.close()

    def send(
        self, method: str, target: str, body: str | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[http.client.HTTPResponse, bytes]:
        """The answer and its body; http.client's errors pass through, the connection is then closed."""
        try:
            self._connection.request(method, target, body, headers or {})
            answer = self._connection.getresponse()
            return answer, answer.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            raise

    def post(
        self, path: str, form: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> tuple[http.client.HTTPResponse, bytes]:
        return self.send("POST", path, urlencode(form), {"Content-Type": TYPE, **(headers or {})})

    def control(self, method: str, name: str, wish: Mapping[str, Any] | None = None) -> Any:
        """The answer of a control endpoint; RuntimeError if it refuses."""
        answer, body = self.send(method, f"/_control/{name}", None if wish is None else json.dumps(wish))
        if answer.status != 200:
            raise RuntimeError(f"{method} {name}: {body.decode()}")
        return json.loads(body)
