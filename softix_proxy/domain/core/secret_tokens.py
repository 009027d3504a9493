"""The random texts in links and cookies, and the digests by which they are looked up.

A text has 256 random bits, so nobody finds it from its digest, and a plain SHA-256 is enough (ASVS 5, 7.2.3).
"""

from __future__ import annotations

import hashlib
import secrets

_TOKEN_BYTES = 32


def new_token() -> str:
    """Returns 43 letters, digits, `-` and `_`, which are safe in a URL and in a cookie."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def token_digest(text: str) -> bytes:
    """Returns the 32 bytes that are stored in place of the text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
