from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from softix_proxy.dialects.translate.canonical import (
    AnswerEnd,
    AnswerStart,
    AnswerStop,
    CanonicalAnswer,
    CanonicalEvent,
    CanonicalUsage,
    Choice,
    Fail,
    Grow,
    Logprob,
    MediaPart,
    Occasion,
    Open,
    PartEnd,
    PartSignature,
    RefusalPart,
    TextPart,
    Thinking,
    ToolCall,
    Weigh,
)
from softix_proxy.dialects.translate.gemini.write_answer import WriteStream, write_answer
from softix_proxy.dialects.translate.seal import seal

Spoken = Callable[..., list[dict[str, Any]]]
OWN = "generate_content"
EVENTS: list[CanonicalEvent] = [
    AnswerStart("msg_1", "m"),
    Open(0, 0, Thinking(origin="messages")),
    Grow(0, 0, "so"),
    PartSignature(0, 0, "s"),
    PartEnd(0, 0),
    Open(0, 1, TextPart("a")),
    Grow(0, 1, "b"),
    PartEnd(0, 1),
    Open(0, 2, ToolCall("x", "f")),
    Grow(0, 2, '{"a":1}'),
    PartEnd(0, 2),
    Weigh(0, [Logprob("a", -1)]),
    AnswerStop(0, "calls"),
    CanonicalUsage({"input_tokens": 1, "output_tokens": 2, "reasoning_tokens": 3}),
    AnswerEnd(),
]


def test_the_order_of_a_stream(spoken: Spoken) -> None:
    found = spoken(OWN, *EVENTS)
    parts = [part for chunk in found for part in chunk["candidates"][0]["content"]["parts"]]
    sealed = seal(Thinking("", "s", "messages"), OWN)
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


def test_a_client_that_did_not_ask_for_events(spoken: Spoken, occasion: Occasion) -> None:
    writer = WriteStream(msgspec.structs.replace(occasion, array=True))
    assert msgspec.json.decode(b"".join(writer.write(event) for event in EVENTS)) == spoken(OWN, *EVENTS)


def test_other_parts(spoken: Spoken) -> None:
    found = spoken(
        OWN,
        Open(0, 0, RefusalPart("No.")),
        PartEnd(0, 0),
        Open(0, 1, MediaPart("image", "image/png", "AA")),
        PartEnd(0, 1),
        AnswerStop(0, "end"),
        AnswerEnd(),
    )
    assert found[0]["candidates"][0]["content"]["parts"] == [{"text": "No."}]
    assert found[1]["candidates"][0]["content"]["parts"] == [{"inlineData": {"mimeType": "image/png", "data": "AA"}}]
    assert found[2]["candidates"][0]["finishReason"] == "SAFETY"


def test_a_failure(spoken: Spoken) -> None:
    (found,) = spoken(OWN, Fail("provider_overloaded", "busy"))
    assert found == {"error": {"code": 503, "message": "busy", "status": "UNAVAILABLE"}}


def test_a_plain_answer(occasion: Occasion) -> None:
    choice = Choice([TextPart("a"), ToolCall("x", "f", "broken")], "length", logprobs=[Logprob("a", -1)])
    body = write_answer(CanonicalAnswer(AnswerStart("resp_1"), [choice]), occasion)
    candidate = body["candidates"][0]
    assert candidate["content"]["parts"][1]["functionCall"]["args"] == {"INVALID_JSON": "broken"}
    assert candidate["finishReason"] == "MAX_TOKENS"
    assert candidate["logprobsResult"]["chosenCandidates"] == [{"token": "a", "logProbability": -1}]
    assert (body["modelVersion"], body["responseId"]) == ("asked", "1")
