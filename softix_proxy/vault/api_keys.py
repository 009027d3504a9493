"""The API keys: `sx_live_` + 27 random letters and digits (160 bits) + 6 of a checksum. Admin tokens begin otherwise.

The checksum proves nothing. It refuses typing errors and other services' keys before any look-up.
"""

from __future__ import annotations

import hmac
import re
import secrets
import string
from zlib import crc32

from softix_proxy.domain.core.key_text import KEY_HEAD, SHOWN_LETTERS
from softix_proxy.domain.ports.vault import NewKey

_LETTERS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_PAIRS = [first + second for first in _LETTERS for second in _LETTERS]
_RANDOM = 27


class ApiKeys:
    """Creates keys of one kind and their digests, which are HMAC-SHA256 under the pepper.

    Without the pepper, guesses cannot be checked against a stolen table. A key of another kind has another head, so it
    has no digest here.
    """

    def __init__(self, pepper: bytes, head: str = KEY_HEAD) -> None:
        self._keyed = hmac.new(pepper, digestmod="sha256")
        self._head = head
        self._form = re.compile(rf"{head}[0-9A-Za-z]{{33}}", re.ASCII).fullmatch
        self._sum_at = len(head) + _RANDOM

    def new(self) -> NewKey:
        body = self._head + "".join(secrets.choice(_LETTERS) for _ in range(_RANDOM))
        text = body + _checksum(body.encode())
        return NewKey(text, text[: len(self._head) + SHOWN_LETTERS], self._digest(text.encode()))

    def digest(self, text: str) -> bytes | None:
        if self._form(text) is None:
            return None
        data = text.encode()
        return self._digest(data) if text[self._sum_at :] == _checksum(data[: self._sum_at]) else None

    def _digest(self, data: bytes) -> bytes:
        keyed = self._keyed.copy()
        keyed.update(data)
        return keyed.digest()


def _checksum(body: bytes) -> str:
    """Returns the CRC-32 in six digits of base 62. The digits are looked up by pairs."""
    high, low = divmod(crc32(body), 3844)
    return _PAIRS[high // 3844] + _PAIRS[high % 3844] + _PAIRS[low]
