from __future__ import annotations

from collections.abc import Callable
from typing import Any

from softix_proxy.dialects.canonical.accumulate import accumulate
from softix_proxy.dialects.canonical.types import (
    Alternative,
    CanonicalAnswer,
    ErrorEvent,
    Logprob,
    MediaPart,
    RefusalPart,
    TextPart,
    Thinking,
    ToolCall,
)
from softix_proxy.dialects.openai.chat.read_answer import ReadAnswer

Heard = Callable[..., CanonicalAnswer]


def chunk(delta: dict[str, Any], reason: str | None = None, index: int = 0) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "model": "m", "choices": [{"index": index, "delta": delta, "finish_reason": reason}]}


def call(index: int | None, arguments: str, known_as: str = "", name: str = "") -> dict[str, Any]:
    place = {} if index is None else {"index": index}
    return {"tool_calls": [{**place, "id": known_as, "function": {"name": name, "arguments": arguments}}]}


def parts(answer: CanonicalAnswer, choice: int = 0) -> Any:
    return answer.choices[choice].parts


def test_stream_with_text_after_thinking_keeps_the_first_text(heard: Heard) -> None:
    answer = heard(
        "chat_completions",
        chunk({"role": "assistant", "content": "", "reasoning_content": "so"}),
        chunk({"reasoning_content": " it is", "content": None}),
        chunk({"content": "Yes"}),
        chunk({"content": "."}, "stop"),
    )
    assert parts(answer) == [Thinking("so it is"), TextPart("Yes.")]
    assert answer.ended


def test_chunk_with_thinking_and_text_is_read_as_two_parts(heard: Heard) -> None:
    assert parts(heard("chat_completions", chunk({"reasoning": "so", "content": "Yes"}, "stop"))) == [
        Thinking("so"),
        TextPart("Yes"),
    ]


def test_parallel_calls_in_a_stream_are_read_apart(heard: Heard) -> None:
    answer = heard(
        "chat_completions",
        chunk(call(0, '{"a":', "x", "f")),
        chunk(call(1, '{"b":', "y", "g")),
        chunk(call(0, "1}")),
        chunk(call(1, "2}"), "tool_calls"),
    )
    assert parts(answer) == [ToolCall("x", "f", '{"a":1}'), ToolCall("y", "g", '{"b":2}')]
    assert answer.choices[0].reason == "calls"


def test_calls_with_the_same_or_no_index_are_read_apart(heard: Heard) -> None:
    same = heard("chat_completions", chunk(call(0, "{}", "x", "f")), chunk(call(0, "{}", "y", "g"), "tool_calls"))
    none = heard("chat_completions", chunk(call(None, "{}", "x", "f"), "tool_calls"))
    assert parts(same) == [ToolCall("x", "f", "{}"), ToolCall("y", "g", "{}")]
    assert parts(none) == [ToolCall("x", "f", "{}")]


def test_stream_with_several_choices_keeps_them_apart(heard: Heard) -> None:
    answer = heard(
        "chat_completions",
        chunk({"content": "b"}, index=1),
        chunk({"content": "a"}, "stop"),
        chunk({}, "length", index=1),
    )
    assert [choice.parts for choice in answer.choices] == [[TextPart("a")], [TextPart("b")]]
    assert answer.choices[1].reason == "length"


def test_stream_without_a_finish_reason_has_not_ended(heard: Heard) -> None:
    assert not heard("chat_completions", chunk({"content": "a"})).ended
    assert not heard("chat_completions").ended


def test_stream_with_an_error_has_a_failure_and_no_end(heard: Heard) -> None:
    answer = heard("chat_completions", chunk({"content": "a"}), {"error": {"message": "no", "code": "server_error"}})
    assert answer.failure == ErrorEvent("provider_fault", "no")
    assert not answer.ended


def test_usage_in_either_place_is_read(heard: Heard) -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 2}
    for told in ({"choices": [], "usage": usage}, {"choices": [], "x_groq": {"usage": usage}}):
        answer = heard("chat_completions", chunk({"content": "a"}, "stop"), told)
        assert answer.usage
        assert answer.usage.meters == {"input_tokens": 3, "output_tokens": 2}


def test_signed_thoughts_in_a_stream_are_read_with_their_signatures(heard: Heard) -> None:
    form = {"format": "anthropic-claude-v1", "index": 0}
    answer = heard(
        "chat_completions",
        chunk({"reasoning": "so", "reasoning_details": [{**form, "type": "reasoning.text", "text": "so"}]}),
        chunk({"reasoning_details": [{**form, "type": "reasoning.text", "signature": "s"}]}),
        chunk({"reasoning_details": [{**form, "index": 1, "type": "reasoning.encrypted", "data": "d"}]}, "stop"),
    )
    assert parts(answer) == [Thinking("so", "s", "messages"), Thinking("", "d", "messages", redacted=True)]


def test_plain_answer_with_all_parts_is_read(heard: Heard) -> None:
    signed = {"extra_content": {"google": {"thought_signature": "s"}}}
    message = {
        "role": "assistant",
        "content": "a",
        "refusal": "r",
        "images": [{"image_url": {"url": "data:image/png;base64,AA"}}],
        "tool_calls": [{"id": "x", "function": {"name": "f", "arguments": "{}"}, **signed}],
    }
    top = [{"token": "b", "logprob": -2}]
    weights = {"content": [{"token": "a", "logprob": -1, "top_logprobs": top}]}
    plain = {"id": "1", "choices": [{"message": message, "logprobs": weights, "finish_reason": "tool_calls"}]}
    answer = accumulate(ReadAnswer().read_whole(plain))
    assert parts(answer) == [
        TextPart("a"),
        RefusalPart("r"),
        MediaPart("image", "image/png", "AA"),
        Thinking("", "s", "generate_content", of="x"),
        ToolCall("x", "f", "{}"),
    ]
    assert answer.choices[0].logprobs == [Logprob("a", -1, [Alternative("b", -2)])]


def test_content_list_of_mistral_is_read(heard: Heard) -> None:
    content = [{"type": "thinking", "thinking": [{"type": "text", "text": "so"}]}, {"type": "text", "text": "a"}]
    assert parts(heard("chat_completions", chunk({"content": content}, "stop"))) == [Thinking("so"), TextPart("a")]
