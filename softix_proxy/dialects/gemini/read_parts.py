"""Reads the parts of Gemini's contents, and matches each function response to its call."""

from __future__ import annotations

import re
from collections.abc import Sequence

from softix_proxy.dialects.canonical.json_values import Object, child, children, encode_text, flag, text
from softix_proxy.dialects.canonical.losses import Losses
from softix_proxy.dialects.canonical.media import kind_of
from softix_proxy.dialects.canonical.signature_tagging import untag_signature
from softix_proxy.dialects.canonical.types import ContentPart, MediaPart, TextPart, Thinking, ToolCall, ToolResult
from softix_proxy.dialects.gemini.field_names import camel
from softix_proxy.dialects.request.fields import invalid

OWN = "generate_content"
_KEPT = re.compile(r"gs://|https://generativelanguage\.googleapis\.com/")
_VIDEO = re.compile(r"https://(?:www\.)?(?:youtube\.com|youtu\.be)/")


class ReadParts:
    """The reader of one conversation.

    A call without an id gets one from its position, which is the same in every request that repeats the conversation.
    """

    def __init__(self, losses: Losses) -> None:
        self._losses = losses
        self._calls = 0
        self._unanswered: list[ToolCall] = []

    def read(self, parts: Sequence[Object]) -> list[ContentPart]:
        return [found for part in parts for found in self._part(part)]

    def _part(self, part: Object) -> list[ContentPart]:
        signature = text(part, "thoughtSignature")
        if part.get("functionCall") is not None:
            call = self._call(camel(child(part, "functionCall")))
            if not signature:
                return [call]
            return [Thinking(signature=signature, origin=OWN, of=call.id), call]
        if part.get("functionResponse") is not None:
            return [self._result(camel(child(part, "functionResponse")))]
        if part.get("inlineData") is not None:
            data = camel(child(part, "inlineData"))
            mime = text(data, "mimeType")
            return [MediaPart(kind_of(mime), mime, text(data, "data"), name=text(data, "displayName"))]
        if part.get("fileData") is not None:
            return [self._file(camel(child(part, "fileData")), part)]
        if part.get("text") is None:
            if any(name in part for name in ("executableCode", "codeExecutionResult")):
                self._losses.meet("code_execution")
                return []
            if signature:
                return [untag_signature(signature, OWN)]
            raise invalid("A part must have text, data, a function call or a function's response.")
        if flag(part, "thought"):
            return [untag_signature(signature, OWN, text(part, "text"))]
        said: list[ContentPart] = [TextPart(text(part, "text"))] if part["text"] else []
        return [*said, untag_signature(signature, OWN)] if signature else said

    def _call(self, node: Object) -> ToolCall:
        self._calls += 1
        arguments = encode_text(child(node, "args"))
        call = ToolCall(text(node, "id") or f"call_{self._calls}", text(node, "name"), arguments)
        self._unanswered.append(call)
        return call

    def _result(self, node: Object) -> ToolResult:
        given, name = text(node, "id"), text(node, "name")
        for call in self._unanswered:
            if call.id == given or (not given and call.name == name):
                self._unanswered.remove(call)
                given = call.id
                break
        response, parts = child(node, "response"), self.read([camel(item) for item in children(node, "parts")])
        media = [part for part in parts if isinstance(part, MediaPart)]
        return ToolResult(given, [TextPart(_told(response)), *media], name, is_error=response.keys() == {"error"})

    def _file(self, node: Object, part: Object) -> MediaPart:
        url, mime = text(node, "fileUri"), text(node, "mimeType")
        if _KEPT.match(url):
            self._losses.meet("file_id")
        if part.get("videoMetadata"):
            self._losses.meet("video_metadata")
        kind = "video" if _VIDEO.match(url) else kind_of(mime)
        return MediaPart(kind, mime, url=url, name=text(node, "displayName"))


def _told(response: Object) -> str:
    """Returns the text of a function's response if it is only text under one of the usual names."""
    if len(response) == 1:
        (name, value), *_ = response.items()
        if name in ("output", "result", "error") and isinstance(value, str):
            return value
    return encode_text(response)
