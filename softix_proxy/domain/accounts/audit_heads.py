"""The signed head of the audit: what somebody keeps elsewhere, so that a removed end of the chain shows."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass

from softix_proxy.domain.core.errors import BadInputError

SignatureCheck = Callable[[str, bytes, bytes], bool]
"""Returns whether the secret half of a public key signed a message: public key, message, signature."""
_PURPOSE = "audit-head-1"


@dataclass(frozen=True, slots=True)
class AuditHead:
    """The newest entry of a moment, and the signature of the instance."""

    entries: int
    """The number of entries, which is that of the newest one. 0 for an empty audit."""
    sha256: str
    """The hash of the newest entry, in hex."""
    signed_at: str
    public_key: str
    signature: str = ""

    def message(self) -> bytes:
        """Returns what is signed: a JSON array that begins with its purpose, so that it is no other document."""
        return json.dumps([_PURPOSE, self.entries, self.sha256, self.signed_at, self.public_key]).encode()

    def is_signed(self, check: SignatureCheck) -> bool:
        try:
            signature = bytes.fromhex(self.signature)
        except ValueError:
            return False
        return check(self.public_key, self.message(), signature)

    def as_fields(self) -> dict[str, str | int]:
        return asdict(self)


def parse_head(text: str) -> AuditHead:
    """Reads a head as `as_fields` gives it, as JSON. Raises BadInputError."""
    try:
        found = json.loads(text)
        head = AuditHead(**found)
    except (ValueError, TypeError, RecursionError):
        raise BadInputError("this is no head of an audit", "make one with: softix audit sign") from None
    texts = (head.sha256, head.signed_at, head.public_key, head.signature)
    if type(head.entries) is not int or head.entries < 0 or not all(isinstance(each, str) for each in texts):
        raise BadInputError("this is no head of an audit", "make one with: softix audit sign")
    return head
