"""The digests by which a text is recognised that must not be kept, such as the address of a client.

An address has few bits, so a plain digest of it could be found again by trying all of them.
"""

from __future__ import annotations

import hmac

_PURPOSE = b"softix: keyed digests"
_DIGEST_BYTES = 16


class KeyedDigests:
    """Makes digests by HMAC-SHA256 under a key of their own, which is derived from the pepper."""

    def __init__(self, pepper: bytes) -> None:
        self._keyed = hmac.new(hmac.digest(pepper, _PURPOSE, "sha256"), digestmod="sha256")

    def digest(self, purpose: str, text: str) -> str:
        """Returns 32 hex digits. Each purpose has other ones."""
        keyed = self._keyed.copy()
        keyed.update(b"%b\0%b" % (purpose.encode(), text.encode("utf-8", "surrogatepass")))
        return keyed.digest()[:_DIGEST_BYTES].hex()
