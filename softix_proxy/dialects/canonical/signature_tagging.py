"""Carries signatures of thoughts in the fields of another dialect. Clients cannot read them, and softix unpacks them.

Only the provider that made a signature can use it. So the field of another dialect holds the signature with a note on
its origin. A conversation that continues at another provider then loses the signature instead of being refused.
"""

from __future__ import annotations

import base64
import binascii

from softix_proxy.dialects.canonical.types import Thinking

_MARK = "softix1"
_KINDS = {"t": False, "r": True}
_STANDARD = str.maketrans("-_", "+/")
"""The translation from the base64 alphabet for URLs, which some SDKs use, to the standard one."""


def tag_signature(thinking: Thinking, own: str) -> str:
    """Returns the signature for a field of the dialect `own`. It has no note if it comes from this dialect."""
    if not thinking.signature or thinking.origin == own:
        return thinking.signature
    kind = "r" if thinking.redacted else "t"
    packed = "\n".join((_MARK, thinking.origin, kind, thinking.of.replace("\n", ""), thinking.signature))
    return base64.b64encode(packed.encode()).decode()


def untag_signature(value: str, own: str, text: str = "", *, redacted: bool = False, of: str = "") -> Thinking:
    """Unpacks a signature with a note. Any other value is a signature of the dialect `own`."""
    if value.startswith(_PREFIX):
        try:
            plain = base64.b64decode(value.translate(_STANDARD), validate=True)
            mark, origin, kind, sealed_of, signature = plain.decode().split("\n", 4)
        except (binascii.Error, ValueError):
            pass
        else:
            if mark == _MARK and kind in _KINDS:
                return Thinking(text, signature, origin, _KINDS[kind], sealed_of)
    return Thinking(text, value, own if value else "", redacted, of)


_PREFIX = base64.b64encode(_MARK.encode())[:8].decode()
