"""Signatures of thoughts in the fields of another dialect: opaque to the client, and opened on their way back.

A provider's signature is of use to that provider alone. Another dialect's field for it holds it with a word on where it
came from, so that a conversation that goes on at another provider loses it instead of being refused.
"""

from __future__ import annotations

import base64
import binascii

from softix_proxy.dialects.canonical.types import Thinking

_MARK = "softix1"
_KINDS = {"t": False, "r": True}
_STANDARD = str.maketrans("-_", "+/")
"""Some SDKs write base64 in the alphabet for URLs."""


def tag_signature(thinking: Thinking, own: str) -> str:
    """The signature for a field of dialect `own`: bare if it is from there."""
    if not thinking.signature or thinking.origin == own:
        return thinking.signature
    kind = "r" if thinking.redacted else "t"
    packed = "\n".join((_MARK, thinking.origin, kind, thinking.of.replace("\n", ""), thinking.signature))
    return base64.b64encode(packed.encode()).decode()


def untag_signature(value: str, own: str, text: str = "", *, redacted: bool = False, of: str = "") -> Thinking:
    """What was sealed; anything else is a signature of dialect `own`."""
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
