from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from softix_proxy.dialects.canonical.signature_tagging import tag_signature
from softix_proxy.dialects.canonical.types import (
    AnswerEnd,
    AnswerStart,
    AnswerStop,
    CanonicalAnswer,
    CanonicalEvent,
    CanonicalUsage,
    Choice,
    ErrorEvent,
    Logprob,
    Logprobs,
    MediaPart,
    PartDelta,
    PartEnd,
    PartSignature,
    PartStart,
    RefusalPart,
    ResponseContext,
    TextPart,
    Thinking,
    ToolCall,
)
from softix_proxy.dialects.gemini.write_answer import WriteStream, write_answer

Spoken = Callable[..., list[dict[str, Any]]]
OWN = "generate_content"
EVENTS: list[CanonicalEvent] = [
    AnswerStart("msg_1", "m"),
    PartStart(0, 0, Thinking(origin="messages")),
    PartDelta(0, 0, "so"),
    PartSignature(0, 0, "s"),
    PartEnd(0, 0),
    PartStart(0, 1, TextPart("a")),
    PartDelta(0, 1, "b"),
    PartEnd(0, 1),
    PartStart(0, 2, ToolCall("x", "f")),
    PartDelta(0, 2, '{"a":1}'),
    PartEnd(0, 2),
    Logprobs(0, [Logprob("a", -1)]),
    AnswerStop(0, "calls"),
    CanonicalUsage({"input_tokens": 1, "output_tokens": 2, "reasoning_tokens": 3}),
    AnswerEnd(),
]


def test_stream_with_all_parts_is_written_in_order(spoken: Spoken) -> None:
    found = spoken(OWN, *EVENTS)
    parts = [part for chunk in found for part in chunk["candidates"][0]["content"]["parts"]]
    sealed = tag_signature(Thinking("", "s", "messages"), OWN)
    assert parts == [
        {"text": "so", "thought": True},
        {"text": "", "thought": True, "thoughtSignature": sealed},
        {"text": "a"},
        {"text": "b"},
        {"functionCall": {"id": "x", "name": "f", "args": {"a": 1}}},
        {"text": ""},
    ]
    assert found[-1]["candidates"][0]["finishReason"] == "STOP"
    assert found[-1]["usageMetadata"] == {
        "promptTokenCount": 1,
        "candidatesTokenCount": 2,
        "thoughtsTokenCount": 3,
        "totalTokenCount": 6,
    }
    assert {(chunk["responseId"], chunk["modelVersion"]) for chunk in found} == {("1", "m")}


def test_stream_for_a_client_without_events_is_one_json_array(spoken: Spoken, context: ResponseContext) -> None:
    writer = WriteStream(msgspec.structs.replace(context, array=True))
    assert msgspec.json.decode(b"".join(writer.write(event) for event in EVENTS)) == spoken(OWN, *EVENTS)


def test_stream_with_a_refusal_and_an_image_writes_them(spoken: Spoken) -> None:
    found = spoken(
        OWN,
        PartStart(0, 0, RefusalPart("No.")),
        PartEnd(0, 0),
        PartStart(0, 1, MediaPart("image", "image/png", "AA")),
        PartEnd(0, 1),
        AnswerStop(0, "end"),
        AnswerEnd(),
    )
    assert found[0]["candidates"][0]["content"]["parts"] == [{"text": "No."}]
    assert found[1]["candidates"][0]["content"]["parts"] == [{"inlineData": {"mimeType": "image/png", "data": "AA"}}]
    assert found[2]["candidates"][0]["finishReason"] == "SAFETY"


def test_stream_with_an_error_writes_it(spoken: Spoken) -> None:
    (found,) = spoken(OWN, ErrorEvent("provider_overloaded", "busy"))
    assert found == {"error": {"code": 503, "message": "busy", "status": "UNAVAILABLE"}}


def test_plain_answer_with_a_call_and_logprobs_is_written(context: ResponseContext) -> None:
    choice = Choice([TextPart("a"), ToolCall("x", "f", "broken")], "length", logprobs=[Logprob("a", -1)])
    body = write_answer(CanonicalAnswer(AnswerStart("resp_1"), [choice]), context)
    candidate = body["candidates"][0]
    assert candidate["content"]["parts"][1]["functionCall"]["args"] == {"INVALID_JSON": "broken"}
    assert candidate["finishReason"] == "MAX_TOKENS"
    assert candidate["logprobsResult"]["chosenCandidates"] == [{"token": "a", "logProbability": -1}]
    assert (body["modelVersion"], body["responseId"]) == ("asked", "1")
