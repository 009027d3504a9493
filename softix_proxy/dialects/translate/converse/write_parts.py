"""The parts of a conversation as Converse's content blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from softix_proxy.dialects.translate.canonical import (
    CacheLifetime,
    ContentPart,
    MediaPart,
    RefusalPart,
    TextPart,
    Thinking,
    ToolCall,
    ToolResult,
)
from softix_proxy.dialects.translate.converse.spelling import FORMATS, OWN, SIGNED
from softix_proxy.dialects.translate.losses import Losses
from softix_proxy.dialects.translate.media import guess_mime
from softix_proxy.dialects.translate.tools import as_function_call
from softix_proxy.dialects.translate.wire import Object, arguments_object, said

_UNFIT = re.compile(r"[^A-Za-z0-9()\[\]-]+", re.ASCII)
_MOST_LETTERS = 180
_CACHING = ("claude", "nova")
_DEFAULTS = {"image": "image/jpeg", "document": "application/pdf"}


class WriteParts:
    """Of one conversation, in which no two documents may have the same name."""

    def __init__(self, model: str, losses: Losses) -> None:
        self._losses = losses
        self._caches = any(name in model.lower() for name in _CACHING)
        self._names: set[str] = set()

    def write(self, parts: Sequence[ContentPart]) -> list[Object]:
        """Results come first, as it is wanted there; what is empty is left out, as it is refused there."""
        ordered = sorted(parts, key=lambda part: not isinstance(part, ToolResult))
        return [block for part in ordered for block in self._marked(part)]

    def mark(self, cache: CacheLifetime) -> list[Object]:
        """What tells to keep the prompt up to here."""
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
    """Of a result also where one of its parts has the mark."""
    if isinstance(part, (Thinking, RefusalPart)):
        return ""
    if isinstance(part, ToolResult) and not part.cache:
        return next((inner.cache for inner in part.parts if inner.cache), "")
    return part.cache
