"""The tags that stand for clients' own words at a provider, whose account all users share.

Two clients that choose the same word get different tags, so that neither hits what the other's word stands for.
"""

from __future__ import annotations

import hmac
import re
from uuid import UUID

_PURPOSE = b"softix: tags of clients' words"
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII).fullmatch
_TAG_BYTES = 16


class Tags:
    """Makes tags by HMAC-SHA256 under a key of their own, which is derived from the pepper."""

    def __init__(self, pepper: bytes) -> None:
        self._keyed = hmac.new(hmac.digest(pepper, _PURPOSE, "sha256"), digestmod="sha256")

    def tag(self, key_id: int, text: str) -> str:
        """Returns the tag of a word for one API key: 32 hex digits, or a UUID if the word is one."""
        keyed = self._keyed.copy()
        keyed.update(b"%d\0%b" % (key_id, text.encode("utf-8", "surrogatepass")))
        made = keyed.digest()[:_TAG_BYTES]
        return str(UUID(bytes=made)) if _UUID(text) else made.hex()
