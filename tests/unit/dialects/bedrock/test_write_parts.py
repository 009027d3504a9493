from __future__ import annotations

import pytest

from softix_proxy.dialects.bedrock.write_parts import WriteParts
from softix_proxy.dialects.canonical.losses import Losses, losses
from softix_proxy.dialects.canonical.types import (
    ContentPart,
    MediaPart,
    RefusalPart,
    TextPart,
    Thinking,
    ToolCall,
    ToolResult,
)
from softix_proxy.domain.core.errors import RefusedError

CLAUDE, LLAMA = "anthropic.claude-sonnet-4-5-20250929-v1:0", "meta.llama3-70b-instruct-v1:0"


def writer(model: str = CLAUDE) -> tuple[WriteParts, Losses]:
    _, lost = losses("messages", "converse")
    return WriteParts(model, lost), lost


def test_tool_results_come_first_and_empty_parts_are_left_out() -> None:
    parts: list[ContentPart] = [
        TextPart(" "),
        RefusalPart("No."),
        ToolCall("c1", "f", '{"a":1}'),
        ToolResult("c0", [TextPart("bad")], is_error=True),
        ToolResult("c2"),
    ]
    assert writer()[0].write(parts) == [
        {"toolResult": {"toolUseId": "c0", "content": [{"text": "bad"}], "status": "error"}},
        {"toolResult": {"toolUseId": "c2", "content": [{"text": "(empty)"}]}},
        {"text": "No."},
        {"toolUse": {"toolUseId": "c1", "name": "f", "input": {"a": 1}}},
    ]


def test_media_is_written_and_document_names_are_unique() -> None:
    written = writer()[0].write(
        [
            MediaPart("image", "image/png", "AA=="),
            MediaPart("document", "application/pdf", "BB==", name="my_plan.pdf"),
            MediaPart("document", text="plain", name="my_plan.pdf", context="old"),
            MediaPart("video", "video/mp4", "CC=="),
            MediaPart("audio", "audio/mpeg", "DD=="),
        ]
    )
    assert written == [
        {"image": {"format": "png", "source": {"bytes": "AA=="}}},
        {"document": {"format": "pdf", "source": {"bytes": "BB=="}, "name": "my plan pdf"}},
        {"document": {"format": "txt", "source": {"text": "plain"}, "name": "my plan pdf 2", "context": "old"}},
        {"video": {"format": "mp4", "source": {"bytes": "CC=="}}},
        {"audio": {"format": "mp3", "source": {"bytes": "DD=="}}},
    ]


@pytest.mark.parametrize(
    ("part", "loss"),
    [
        (MediaPart("image", url="https://a.example/a.png"), "media_url"),
        (MediaPart("image", "image/tiff", "AA=="), "media_type"),
        (ToolResult("c", [MediaPart("audio", "audio/mpeg", "AA==")]), "media_type"),
    ],
)
def test_part_of_an_unsupported_type_is_refused(part: ContentPart, loss: str) -> None:
    with pytest.raises(RefusedError, match=loss):
        writer()[0].write([part])


def test_cache_marks_are_written_for_claude_and_dropped_for_others() -> None:
    parts: list[ContentPart] = [TextPart("a", "5m"), ToolResult("c", [TextPart("b", "1h")])]
    blocks, (plain, lost) = writer()[0].write(parts), writer(LLAMA)
    assert blocks[1] == {"cachePoint": {"type": "default", "ttl": "1h"}}
    assert blocks[3] == {"cachePoint": {"type": "default"}}
    assert len(plain.write(parts)) == 2
    assert list(lost.found) == ["cache_control"]


def test_thoughts_of_other_models_are_dropped() -> None:
    signed, hidden = Thinking("so", "s", "messages"), Thinking("", "cg==", "converse", redacted=True)
    blocks, (strict, lost) = writer()[0].write([signed, hidden]), writer()
    assert blocks == [
        {"reasoningContent": {"reasoningText": {"text": "so", "signature": "s"}}},
        {"reasoningContent": {"redactedContent": "cg=="}},
    ]
    assert strict.write([Thinking("so"), Thinking("so", "s", "responses")]) == []
    assert list(lost.found) == ["thinking"]
