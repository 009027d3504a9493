"""Reads the user whom a request names: the person for whom a customer's program asks.

OpenAI's requests have `safety_identifier`, and before it `user` (platform.openai.com/docs/api-reference/chat/create).
Anthropic's have `metadata.user_id` (docs.anthropic.com/en/api/messages).
"""

from __future__ import annotations

from softix_proxy.dialects.request.fields import JsonMembers
from softix_proxy.domain.core.errors import RefusedError

_OBJECT, _INNER = "metadata", "user_id"
_TEXTS = ("safety_identifier", "user")
_READ = frozenset((*_TEXTS, _OBJECT))


def named_user(body: bytes) -> str:
    """Returns the text that names the user, or an empty one. A body that is no JSON object names none."""
    if not body.lstrip().startswith(b"{"):
        return ""
    try:
        members = JsonMembers(body, _READ)
        for name in _TEXTS:
            if found := members.text(name):
                return found
        inner = members.raw(_OBJECT)
        if inner is None or not members.has(_OBJECT):
            return ""
        return JsonMembers(inner, frozenset((_INNER,)), "The metadata").text(_INNER) or ""
    except RefusedError:
        return ""
