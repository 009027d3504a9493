from __future__ import annotations

from typing import Any

import anthropic

from softix_proxy.demo import text

QUESTION: Any = [{"role": "user", "content": "What is the zanzibar of the 42nd quux?"}]
WHOLE = len(text.pieces(text.ANSWER))
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL: Any = {"name": "weather", "input_schema": SCHEMA}


def chat(**more: Any) -> Any:
    return {"model": "demo-small", "messages": QUESTION, **more}


async def test_messages_return_the_answer_and_its_token_counts(claude: anthropic.AsyncAnthropic) -> None:
    answer = await claude.messages.create(**chat(max_tokens=1000, system="Be kind."))
    assert (answer.content[0].text, answer.stop_reason) == (text.ANSWER, "end_turn")
    counted = await claude.messages.count_tokens(**chat(system="Be kind."))
    assert answer.usage.input_tokens == counted.input_tokens == text.count(QUESTION) + 3
    assert answer.usage.output_tokens == WHOLE
    cut = await claude.messages.create(**chat(max_tokens=5))
    assert (cut.stop_reason, cut.usage.output_tokens, text.count(cut.content[0].text)) == ("max_tokens", 5, 5)


async def test_messages_stream_counts_what_it_sends(claude: anthropic.AsyncAnthropic) -> None:
    stream = await claude.messages.create(**chat(max_tokens=1000, stream=True))
    events = [event async for event in stream]
    kinds = [event.type for event in events]
    assert kinds[:2] == ["message_start", "content_block_start"]
    assert kinds[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    assert events[-2].usage.output_tokens == kinds.count("content_block_delta") == WHOLE
    assert events[0].message.usage.input_tokens == text.count(QUESTION)


async def test_messages_with_a_forced_tool_call_it(claude: anthropic.AsyncAnthropic) -> None:
    asked = chat(max_tokens=1000, tools=[TOOL], tool_choice={"type": "tool", "name": "weather"})
    answer = await claude.messages.create(**asked)
    assert (answer.content[0].name, answer.content[0].input, answer.stop_reason) == (
        *("weather", {"city": "demo"}),
        "tool_use",
    )
    async with claude.messages.stream(**asked) as stream:
        final = await stream.get_final_message()
    assert final.content[0].input == {"city": "demo"} and final.usage.output_tokens == answer.usage.output_tokens
    cut = await claude.messages.create(**{**asked, "max_tokens": 2, "tool_choice": {"type": "any"}})
    assert (cut.content[0].input, cut.stop_reason) == ({}, "max_tokens")
