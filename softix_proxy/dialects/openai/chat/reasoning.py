"""Reads and writes thoughts in chat completions.

`reasoning_content` is for reading. OpenRouter's `reasoning_details` can be sent back.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from softix_proxy.dialects.canonical.json_values import Object, said, seen_children, seen_count, seen_text
from softix_proxy.dialects.canonical.types import ContentPart, Thinking

_FORMATS = {
    "messages": "anthropic-claude-v1",
    "responses": "openai-responses-v1",
    "generate_content": "google-gemini-v1",
    "converse": "bedrock-converse-v1",
}
_ORIGINS = {form: origin for origin, form in _FORMATS.items()}
_ORIGINS["azure-openai-responses-v1"] = "responses"


def read_details(message: Object) -> list[ContentPart]:
    """Reads the thoughts of a client's or a provider's message. Without details, it reads the plain text.

    The pieces of one thought have the same index. A client that collected a stream may not have joined them.
    """
    found: list[Thinking] = []
    last: int | None = None
    for item in seen_children(message, "reasoning_details"):
        part, index = read_detail(item), seen_count(item, "index")
        if found and index is not None and index == last and not found[-1].signature:
            part = msgspec.structs.replace(part, text=found.pop().text + part.text)
        found.append(part)
        last = index
    plain = seen_text(message, "reasoning_content") or seen_text(message, "reasoning")
    told = [part for part in found if part.text or part.signature]
    return [*told] or ([Thinking(plain)] if plain else [])


def read_detail(item: Object) -> Thinking:
    origin = _ORIGINS.get(seen_text(item, "format"), "")
    data, signature = seen_text(item, "data"), seen_text(item, "signature")
    signature = signature or data
    return Thinking(
        seen_text(item, "text") or seen_text(item, "summary"),
        signature if origin else "",
        origin,
        bool(data) and origin == "messages",
        seen_text(item, "id"),
    )


def detail(thinking: Thinking, index: int) -> Object:
    """Returns a thought with its signature, so that the client can send it back."""
    form = _FORMATS.get(thinking.origin, "unknown")
    known = {"format": form, "index": index, "id": thinking.of or None}
    if thinking.signature and (thinking.redacted or thinking.origin != "messages"):
        entry = {"type": "reasoning.encrypted", "data": thinking.signature, "summary": thinking.text, **known}
    else:
        entry = {"type": "reasoning.text", "text": thinking.text, "signature": thinking.signature, **known}
    return said(entry)


def details(thoughts: Sequence[Thinking]) -> list[Object]:
    return [detail(thinking, index) for index, thinking in enumerate(thoughts)]
