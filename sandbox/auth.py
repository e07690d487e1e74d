"""Who may ask: the signature over the form, and access tokens with a life."""

from __future__ import annotations

import hashlib
import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.clock import Clock


def sign(secret: str, parameters: Mapping[str, str]) -> str:
    """MD5 of the secret and all parameters but `sign`, by name, values before URL encoding."""
    text = secret + "".join(name + parameters[name] for name in sorted(parameters) if name != "sign")
    return hashlib.md5(text.encode()).hexdigest()


@dataclass
class Token:
    access: str
    refresh: str
    expires: float  # Unix seconds


class Tokens:
    """Tokens given out. A refresh keeps the token's value and prolongs it, or gives a new one (`rotate`)."""

    def __init__(self, clock: Clock, life: float, seed: int = 0, rotate: bool = False) -> None:
        self.life = life
        self._clock = clock
        self._rotate = rotate
        self._random = random.Random(f"{seed}/tokens")
        self._by_access: dict[str, Token] = {}
        self._by_refresh: dict[str, Token] = {}
        self._lock = threading.Lock()

    def accept(self, access: str) -> Token:
        """A token that somebody got elsewhere."""
        with self._lock:
            return self._keep(access)

    def issue(self) -> Token:
        with self._lock:
            return self._keep(self._text())

    def refresh(self, refresh: str) -> Token | None:
        """None: no such refresh token."""
        with self._lock:
            token = self._by_refresh.get(refresh)
            if token is None:
                return None
            if self._rotate:
                del self._by_access[token.access]
                del self._by_refresh[refresh]
                return self._keep(self._text())
            token.expires = self._clock.wall() + self.life
            return token

    def valid(self, access: str) -> bool:
        with self._lock:
            token = self._by_access.get(access)
            return token is not None and self._clock.wall() < token.expires

    def expire_all(self) -> None:
        with self._lock:
            for token in self._by_access.values():
                token.expires = 0.0

    def _keep(self, access: str) -> Token:
        token = Token(access, self._text(), self._clock.wall() + self.life)
        self._by_access[access] = token
        self._by_refresh[token.refresh] = token
        return token

    def _text(self) -> str:
        return f"{self._random.getrandbits(128):032x}"
