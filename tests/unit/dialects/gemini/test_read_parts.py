from __future__ import annotations

import pytest

from softix_proxy.dialects.canonical.json_values import Object
from softix_proxy.dialects.canonical.losses import losses
from softix_proxy.dialects.canonical.signature_tagging import tag_signature
from softix_proxy.dialects.canonical.types import ContentPart, MediaPart, TextPart, Thinking, ToolCall, ToolResult
from softix_proxy.dialects.gemini.read_parts import ReadParts
from softix_proxy.domain.core.errors import RefusedError

OWN = "generate_content"


def read(*parts: Object) -> tuple[list[ContentPart], list[str]]:
    lost, _ = losses(OWN, "messages")
    return ReadParts(lost).read(parts), list(lost.found)


def test_thoughts_and_signatures_are_read_with_their_origin() -> None:
    foreign = Thinking("so", "s", "messages")
    found, _ = read(
        {"text": "so", "thought": True, "thoughtSignature": tag_signature(foreign, OWN)},
        {"text": "so", "thought": True},
        {"text": "a", "thoughtSignature": "g"},
        {"functionCall": {"name": "f", "args": {"a": 1}}, "thoughtSignature": "h"},
    )
    assert found == [
        foreign,
        Thinking("so"),
        TextPart("a"),
        Thinking("", "g", OWN),
        Thinking("", "h", OWN, of="call_1"),
        ToolCall("call_1", "f", '{"a":1}'),
    ]


def test_function_responses_are_matched_with_their_calls() -> None:
    found, _ = read(
        {"functionCall": {"name": "f"}},
        {"functionCall": {"name": "g"}},
        {"functionCall": {"name": "f", "id": "own"}},
        {"functionResponse": {"name": "g", "response": {"output": "1"}}},
        {"functionResponse": {"name": "f", "response": {"error": "2"}}},
        {"functionResponse": {"name": "f", "id": "own", "response": {"a": 3}}},
    )
    assert found[3:] == [
        ToolResult("call_2", [TextPart("1")], "g"),
        ToolResult("call_1", [TextPart("2")], "f", is_error=True),
        ToolResult("own", [TextPart('{"a":3}')], "f"),
    ]


def test_media_parts_of_each_kind_are_read() -> None:
    found, lost = read(
        {"inlineData": {"mimeType": "image/png", "data": "AA"}},
        {"fileData": {"mimeType": "application/pdf", "fileUri": "https://example.org/a.pdf"}},
        {"fileData": {"fileUri": "https://youtu.be/x"}, "videoMetadata": {"fps": 1}},
        {"functionResponse": {"name": "f", "parts": [{"inline_data": {"mime_type": "image/png", "data": "BB"}}]}},
    )
    assert found[:3] == [
        MediaPart("image", "image/png", "AA"),
        MediaPart("document", "application/pdf", url="https://example.org/a.pdf"),
        MediaPart("video", url="https://youtu.be/x"),
    ]
    assert isinstance(found[3], ToolResult)
    assert found[3].parts == [TextPart("{}"), MediaPart("image", "image/png", "BB")]
    assert lost == ["video_metadata"]


def test_empty_and_code_parts_are_left_out() -> None:
    found, lost = read({"executableCode": {"code": "x"}}, {"text": ""}, {"thoughtSignature": "g"})
    assert found == [Thinking("", "g", OWN)]
    assert lost == ["code_execution"]


@pytest.mark.parametrize("part", [{}, {"fileData": {"fileUri": "gs://bucket/a"}}, {"text": 5}, {"functionCall": 1}])
def test_malformed_part_is_refused(part: Object) -> None:
    with pytest.raises(RefusedError):
        read(part)
