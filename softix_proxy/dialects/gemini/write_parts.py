"""Writes turns as Gemini's parts. Signatures go back to the parts with which they came."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence

from softix_proxy.dialects.canonical.json_values import Object, arguments_object, said, seen_object
from softix_proxy.dialects.canonical.losses import Losses
from softix_proxy.dialects.canonical.media import guess_mime
from softix_proxy.dialects.canonical.tools import as_function_call
from softix_proxy.dialects.canonical.types import (
    ContentPart,
    MediaPart,
    RefusalPart,
    TextPart,
    Thinking,
    ToolCall,
    ToolResult,
    Turn,
)
from softix_proxy.dialects.gemini.read_parts import OWN
from softix_proxy.dialects.gemini.references import NO_SUCH_FILE, names_kept
from softix_proxy.domain.core.errors import Code, RefusedError

_UNSIGNED = base64.b64encode(b"skip_thought_signature_validator").decode()
"""Google's value for calls of a conversation that another model began."""


class WriteParts:
    """The writer of one conversation. `signs_calls` is true if the model refuses calls without a signature."""

    def __init__(self, turns: Sequence[Turn], losses: Losses, *, signs_calls: bool) -> None:
        self._losses = losses
        self._signs_calls = signs_calls
        self._names = {part.id: part.name for turn in turns for part in turn.parts if isinstance(part, ToolCall)}

    def write(self, parts: Sequence[ContentPart]) -> list[Object]:
        signatures = {
            part.of: part.signature
            for part in parts
            if isinstance(part, Thinking) and part.origin == OWN and part.of and not part.text
        }
        written: list[Object] = []
        unsigned = self._signs_calls
        for part in sorted(parts, key=lambda part: not isinstance(part, ToolResult)):
            if isinstance(part, ToolCall):
                call = self._call(part)
                signature = signatures.get(part.id) or (_UNSIGNED if unsigned else "")
                unsigned = False
                written.append({**call, "thoughtSignature": signature} if signature else call)
            elif isinstance(part, Thinking):
                self._think(part, written)
            else:
                written += self._plain(part)
        return written

    def _call(self, part: ToolCall) -> Object:
        call = as_function_call(part)
        named = said({"id": call.id, "name": call.name})
        return {"functionCall": {**named, "args": arguments_object(call.arguments)}}

    def _think(self, part: Thinking, written: list[Object]) -> None:
        if part.origin != OWN:
            self._losses.meet("thinking")
        elif part.text:
            thought = {"text": part.text, "thought": True}
            written.append({**thought, "thoughtSignature": part.signature} if part.signature else thought)
        elif part.of in self._names:
            return  # The call already has this signature.
        elif written and "text" in written[-1] and "thoughtSignature" not in written[-1]:
            written[-1] = {**written[-1], "thoughtSignature": part.signature}
        else:
            written.append({"text": "", "thoughtSignature": part.signature})

    def _plain(self, part: TextPart | RefusalPart | MediaPart | ToolResult) -> Iterator[Object]:
        if isinstance(part, (TextPart, RefusalPart)):
            if part.text:
                yield {"text": part.text}
        elif isinstance(part, MediaPart):
            yield self._media(part)
        else:
            yield from self._result(part)

    def _media(self, media: MediaPart) -> Object:
        if media.text:
            self._losses.meet("text_document")
            title = f"{media.name}\n\n" if media.name else ""
            return {"text": f"{title}{media.text}"}
        if media.context:
            self._losses.meet("document_context")
        if media.detail in ("low", "high"):
            self._losses.meet("image_detail")
        if media.url:
            if names_kept(media.url):
                raise RefusedError(Code.OBJECT_NOT_FOUND, NO_SUCH_FILE)
            return {"fileData": said({"mimeType": guess_mime(media), "fileUri": media.url})}
        usual = {"image": "image/jpeg", "document": "application/pdf"}.get(media.kind, "")
        return {"inlineData": {"mimeType": media.mime or usual, "data": media.data}}

    def _result(self, result: ToolResult) -> Iterator[Object]:
        """Writes a tool result. An object stays as it is.

        Any other text gets the name that Google's SDKs use for it.
        """
        plain = "\n".join(part.text for part in result.parts if isinstance(part, TextPart))
        whole = None if result.is_error else seen_object(plain)
        response = {"error" if result.is_error else "output": plain} if whole is None else whole
        name = result.name or self._names.get(result.id, "")
        yield {"functionResponse": {**said({"id": result.id}), "name": name, "response": response}}
        media = [part for part in result.parts if isinstance(part, MediaPart)]
        if media:
            self._losses.meet("tool_result_media")
        for part in media:
            yield self._media(part)
