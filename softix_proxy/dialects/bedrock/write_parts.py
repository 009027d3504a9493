"""Writes the parts of a conversation as Converse's content blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from softix_proxy.dialects.bedrock.field_names import FORMATS, OWN, SIGNED
from softix_proxy.dialects.canonical.json_values import Object, arguments_object, said
from softix_proxy.dialects.canonical.losses import Losses
from softix_proxy.dialects.canonical.media import guess_mime
from softix_proxy.dialects.canonical.tools import as_function_call
from softix_proxy.dialects.canonical.types import (
    CacheLifetime,
    ContentPart,
    MediaPart,
    RefusalPart,
    TextPart,
    Thinking,
    ToolCall,
    ToolResult,
)

_UNFIT = re.compile(r"[^A-Za-z0-9()\[\]-]+", re.ASCII)
_MOST_LETTERS = 180
_CACHING = ("claude", "nova")
_DEFAULTS = {"image": "image/jpeg", "document": "application/pdf"}


class WriteParts:
    """The writer of one conversation, in which no two documents may have the same name."""

    def __init__(self, model: str, losses: Losses) -> None:
        self._losses = losses
        self._caches = any(name in model.lower() for name in _CACHING)
        self._names: set[str] = set()

    def write(self, parts: Sequence[ContentPart]) -> list[Object]:
        """Writes the parts as blocks.

        Tool results come first, as Converse requires. Empty parts are left out, since it refuses them.
        """
        ordered = sorted(parts, key=lambda part: not isinstance(part, ToolResult))
        return [block for part in ordered for block in self._marked(part)]

    def mark(self, cache: CacheLifetime) -> list[Object]:
        """Writes the mark that keeps the prompt up to here in the cache."""
        if not cache:
            return []
        if not self._caches:
            self._losses.meet("cache_control")
            return []
        return [{"cachePoint": {"type": "default", **({"ttl": "1h"} if cache == "1h" else {})}}]

    def _marked(self, part: ContentPart) -> Iterator[Object]:
        block = self._block(part)
        if block is not None:
            yield block
            yield from self.mark(_cache(part))

    def _block(self, part: ContentPart) -> Object | None:
        if isinstance(part, (TextPart, RefusalPart)):
            return {"text": part.text} if part.text.strip() else None
        if isinstance(part, MediaPart):
            return self._media(part)
        if isinstance(part, ToolCall):
            call = as_function_call(part)
            used = {"toolUseId": call.id, "name": call.name, "input": arguments_object(call.arguments)}
            return {"toolUse": used}
        if isinstance(part, ToolResult):
            return self._result(part)
        return self._thinking(part)

    def _thinking(self, part: Thinking) -> Object | None:
        if part.redacted and part.origin == OWN:
            return {"reasoningContent": {"redactedContent": part.signature}}
        if part.redacted or part.origin != SIGNED or not part.signature:
            self._losses.meet("thinking")
            return None
        return {"reasoningContent": {"reasoningText": {"text": part.text, "signature": part.signature}}}

    def _result(self, part: ToolResult) -> Object:
        if any(isinstance(inner, MediaPart) and inner.kind == "audio" for inner in part.parts):
            self._losses.meet("media_type")
        content = [block for inner in part.parts if (block := self._block(inner)) is not None]
        result: Object = {"toolUseId": part.id, "content": content or [{"text": "(empty)"}]}
        return {"toolResult": result | ({"status": "error"} if part.is_error else {})}

    def _media(self, media: MediaPart) -> Object:
        if media.url:
            self._losses.meet("media_url")
        mime = "text/plain" if media.text else guess_mime(media) or _DEFAULTS.get(media.kind, "")
        called = FORMATS[media.kind].get(mime.partition(";")[0].strip().lower())
        if called is None:
            self._losses.meet("media_type")
        block: Object = {"format": called, "source": {"text": media.text} if media.text else {"bytes": media.data}}
        if media.kind == "document":
            block |= said({"name": self._name(media.name), "context": media.context})
        return {media.kind: block}

    def _name(self, given: str) -> str:
        plain = _UNFIT.sub(" ", given).strip()[:_MOST_LETTERS] or "document"
        name, number = plain, 1
        while name in self._names:
            number += 1
            name = f"{plain} {number}"
        self._names.add(name)
        return name


def _cache(part: ContentPart) -> CacheLifetime:
    """Returns the cache lifetime of a part. A mark on one part of a tool result counts for the result."""
    if isinstance(part, (Thinking, RefusalPart)):
        return ""
    if isinstance(part, ToolResult) and not part.cache:
        return next((inner.cache for inner in part.parts if inner.cache), "")
    return part.cache
