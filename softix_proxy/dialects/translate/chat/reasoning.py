"""Where chat keeps thoughts: `reasoning_content` for reading, and OpenRouter's `reasoning_details` for sending back."""

from __future__ import annotations

from collections.abc import Sequence

from softix_proxy.dialects.translate.canonical import Part, Thinking
from softix_proxy.dialects.translate.wire import Object, said, seen_children, seen_text

_FORMATS = {
    "messages": "anthropic-claude-v1",
    "responses": "openai-responses-v1",
    "generate_content": "google-gemini-v1",
}
_ORIGINS = {form: origin for origin, form in _FORMATS.items()}
_NOTHING = Thinking()
_ORIGINS["azure-openai-responses-v1"] = "responses"


def read_details(message: Object) -> list[Part]:
    """The thoughts of a message, client's or provider's alike; the plain text where there are no details."""
    found = [part for item in seen_children(message, "reasoning_details") if (part := read_detail(item)) != _NOTHING]
    plain = seen_text(message, "reasoning_content") or seen_text(message, "reasoning")
    return [*found] or ([Thinking(plain)] if plain else [])


def read_detail(item: Object) -> Thinking:
    origin = _ORIGINS.get(seen_text(item, "format"), "")
    data, signature = seen_text(item, "data"), seen_text(item, "signature")
    signature = signature or data
    return Thinking(
        seen_text(item, "text") or seen_text(item, "summary"),
        signature if origin else "",
        origin if signature else "",
        bool(data) and origin == "messages",
        seen_text(item, "id"),
    )


def detail(thinking: Thinking, index: int) -> Object:
    """A thought with its signature, so that the client can give it back."""
    form = _FORMATS.get(thinking.origin, "unknown")
    known = {"format": form, "index": index, "id": thinking.of or None}
    if thinking.redacted or thinking.origin != "messages":
        entry = {"type": "reasoning.encrypted", "data": thinking.signature, "summary": thinking.text, **known}
    else:
        entry = {"type": "reasoning.text", "text": thinking.text, "signature": thinking.signature, **known}
    return said(entry)


def details(thoughts: Sequence[Thinking]) -> list[Object]:
    return [detail(thinking, index) for index, thinking in enumerate(thoughts)]
