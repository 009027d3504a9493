from __future__ import annotations

from typing import Any

import openai
import pytest

from softix_proxy.demo import text

QUESTION: Any = [{"role": "user", "content": "What is the zanzibar of the 42nd quux?"}]
WHOLE = len(text.pieces(text.ANSWER))
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL: Any = {"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}
CHOICE: Any = {"type": "function", "function": {"name": "weather"}}


def chat(**more: Any) -> Any:
    return {"model": "demo-small", "messages": QUESTION, **more}


async def test_chat_with_two_choices_counts_both(gpt: openai.AsyncOpenAI) -> None:
    answer = await gpt.chat.completions.create(**chat(n=2))
    assert [choice.message.content for choice in answer.choices] == [text.ANSWER] * 2
    assert {choice.finish_reason for choice in answer.choices} == {"stop"}
    assert answer.usage.prompt_tokens == text.count(QUESTION)
    assert (answer.usage.completion_tokens, answer.usage.total_tokens) == (2 * WHOLE, 2 * WHOLE + text.count(QUESTION))
    assert "zanzibar" not in answer.model_dump_json() and "quux" not in answer.model_dump_json()


@pytest.mark.parametrize("limit", ["max_tokens", "max_completion_tokens"])
async def test_chat_with_an_output_limit_stops_at_it(gpt: openai.AsyncOpenAI, limit: str) -> None:
    answer = await gpt.chat.completions.create(**chat(**{limit: 7}))
    assert (answer.choices[0].finish_reason, answer.usage.completion_tokens) == ("length", 7)
    assert text.count(answer.choices[0].message.content) == 7


async def test_chat_stream_counts_what_it_sends(gpt: openai.AsyncOpenAI) -> None:
    stream = await gpt.chat.completions.create(**chat(n=2, stream=True, stream_options={"include_usage": True}))
    *chunks, last = [chunk async for chunk in stream]
    sent = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices[0].delta.content]
    assert last.choices == [] and last.usage.completion_tokens == len(sent) == 2 * WHOLE
    assert all("usage" in chunk.model_fields_set and chunk.usage is None for chunk in chunks)
    first = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices[0].index == 0]
    assert "".join(piece or "" for piece in first) == text.ANSWER
    assert [chunk.choices[0].finish_reason for chunk in chunks[-2:]] == ["stop", "stop"]


async def test_chat_stream_without_the_usage_option_has_no_usage(gpt: openai.AsyncOpenAI) -> None:
    chunks = [chunk async for chunk in await gpt.chat.completions.create(**chat(stream=True, max_tokens=3))]
    assert not any("usage" in chunk.model_fields_set for chunk in chunks)
    assert len(chunks) == 5 and chunks[-1].choices[0].finish_reason == "length"


async def test_chat_with_a_forced_tool_calls_it(gpt: openai.AsyncOpenAI) -> None:
    answer = await gpt.chat.completions.create(**chat(tools=[TOOL], tool_choice=CHOICE))
    [call] = answer.choices[0].message.tool_calls
    assert (call.function.name, call.function.arguments) == ("weather", '{"city":"demo"}')
    assert (answer.choices[0].finish_reason, answer.choices[0].message.content) == ("tool_calls", None)
    assert answer.usage.completion_tokens == text.count(call.function.arguments)


async def test_chat_stream_with_a_forced_tool_calls_it(gpt: openai.AsyncOpenAI) -> None:
    asked = chat(tools=[TOOL], tool_choice="required", stream_options={"include_usage": True})
    async with gpt.chat.completions.stream(**asked) as stream:
        final = await stream.get_final_completion()
    assert final.choices[0].message.tool_calls[0].function.arguments == '{"city":"demo"}'
    assert final.usage.completion_tokens == text.count('{"city":"demo"}')


async def test_chat_with_a_tool_that_is_not_forced_returns_text(gpt: openai.AsyncOpenAI) -> None:
    answer = await gpt.chat.completions.create(**chat(tools=[TOOL], tool_choice="auto"))
    assert answer.choices[0].message.content == text.ANSWER


async def test_completions_of_two_prompts_count_both(gpt: openai.AsyncOpenAI) -> None:
    asked: Any = {"model": "demo-large", "prompt": ["one", "two"]}
    answer = await gpt.completions.create(**asked)
    assert [(choice.index, choice.finish_reason) for choice in answer.choices] == [(0, "length"), (1, "length")]
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (2, 32)
    stream = await gpt.completions.create(**asked, stream=True, stream_options={"include_usage": True}, max_tokens=5)
    *chunks, last = [chunk async for chunk in stream]
    assert last.usage.completion_tokens == len([chunk for chunk in chunks if chunk.choices[0].text]) == 10


async def test_embeddings_of_the_same_text_are_equal_and_counted(gpt: openai.AsyncOpenAI) -> None:
    one = await gpt.embeddings.create(model="demo-small", input=["hello world", "hello world"], dimensions=12)
    plain = await gpt.embeddings.create(model="demo-small", input="hello world", encoding_format="float", dimensions=12)
    assert one.data[0].embedding == one.data[1].embedding == pytest.approx(plain.data[0].embedding)
    assert len(plain.data[0].embedding) == 12
    assert (one.usage.prompt_tokens, plain.usage.total_tokens) == (4, 2)
    ids = await gpt.embeddings.create(model="demo-small", input=[[1, 2, 3], [4]])
    assert (len(ids.data), ids.usage.prompt_tokens) == (2, 4)
