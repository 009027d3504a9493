from __future__ import annotations

from typing import Any

from softix_proxy.dialects.canonical.losses import losses
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
from softix_proxy.dialects.gemini.write_parts import WriteParts

OWN = "generate_content"


def write(
    *parts: ContentPart, signs_calls: bool = False, before: tuple[ContentPart, ...] = ()
) -> tuple[list[Any], list[str]]:
    _, lost = losses("messages", OWN)
    turns = [Turn("assistant", before), Turn("user", parts)]
    return WriteParts(turns, lost, signs_calls=signs_calls).write(parts), list(lost.found)


def test_signatures_are_written_on_their_parts() -> None:
    found, lost = write(
        Thinking("so", "t", OWN),
        TextPart("a"),
        Thinking("", "g", OWN),
        Thinking("", "h", OWN, of="x"),
        Thinking("so", "s", "messages"),
        ToolCall("x", "f", '{"a":1}'),
        ToolCall("y", "g"),
        signs_calls=True,
    )
    assert found == [
        {"text": "so", "thought": True, "thoughtSignature": "t"},
        {"text": "a", "thoughtSignature": "g"},
        {"functionCall": {"id": "x", "name": "f", "args": {"a": 1}}, "thoughtSignature": "h"},
        {"functionCall": {"id": "y", "name": "g", "args": {}}},
    ]
    assert lost == ["thinking"]


def test_call_of_another_model_is_marked_as_unsigned() -> None:
    first, second = write(ToolCall("x", "f"), ToolCall("y", "g"), signs_calls=True)[0]
    assert first["thoughtSignature"].startswith("c2tpcF90aG91Z2h0")
    assert "thoughtSignature" not in second
    assert "thoughtSignature" not in write(ToolCall("x", "f"))[0][0]


def test_tool_results_come_first_with_the_names_of_their_functions(
    before: tuple[ContentPart, ...] = (ToolCall("x", "f"),),
) -> None:
    image = MediaPart("image", "image/png", "AA")
    found, lost = write(
        TextPart("b"),
        ToolResult("x", [TextPart("sunny"), image]),
        ToolResult("y", [TextPart('{"a":1}')], "g"),
        ToolResult("z", [TextPart("{}")], "h", is_error=True),
        before=before,
    )
    assert found == [
        {"functionResponse": {"id": "x", "name": "f", "response": {"output": "sunny"}}},
        {"inlineData": {"mimeType": "image/png", "data": "AA"}},
        {"functionResponse": {"id": "y", "name": "g", "response": {"a": 1}}},
        {"functionResponse": {"id": "z", "name": "h", "response": {"error": "{}"}}},
        {"text": "b"},
    ]
    assert lost == ["tool_result_media"]


def test_media_and_texts_are_written() -> None:
    found, lost = write(
        TextPart(""),
        RefusalPart("No."),
        MediaPart("image", url="https://example.org/a.png", detail="high"),
        MediaPart("document", text="long", name="T"),
        MediaPart("document", data="AA", context="c"),
    )
    assert found == [
        {"text": "No."},
        {"fileData": {"mimeType": "image/png", "fileUri": "https://example.org/a.png"}},
        {"text": "T\n\nlong"},
        {"inlineData": {"mimeType": "application/pdf", "data": "AA"}},
    ]
    assert lost == ["image_detail", "text_document", "document_context"]
