from __future__ import annotations

from typing import Any

import openai

from softix_proxy.demo import text

WHOLE = len(text.pieces(text.ANSWER))
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL: Any = {"type": "function", "name": "weather", "parameters": SCHEMA, "strict": False}


async def test_responses_return_the_answer_and_its_token_counts(gpt: openai.AsyncOpenAI) -> None:
    answer = await gpt.responses.create(model="demo-small", input="zanzibar", instructions="Be brief.")
    assert (answer.status, answer.output_text) == ("completed", text.ANSWER)
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (2 + 3, WHOLE)
    assert "zanzibar" not in answer.model_dump_json()


async def test_responses_stream_with_an_output_limit_ends_incomplete(gpt: openai.AsyncOpenAI) -> None:
    stream = await gpt.responses.create(model="demo-small", input="hi", stream=True, max_output_tokens=4)
    events = [event async for event in stream]
    assert [event.type.removeprefix("response.") for event in events] == [
        *("created", "in_progress", "output_item.added", "content_part.added"),
        *["output_text.delta"] * 4,
        *("output_text.done", "content_part.done", "output_item.done", "incomplete"),
    ]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert events[-1].response.usage.output_tokens == 4
    assert events[-1].response.incomplete_details.reason == "max_output_tokens"


async def test_responses_stream_with_a_required_tool_calls_it_to_the_end(gpt: openai.AsyncOpenAI) -> None:
    asked: Any = {"model": "demo-small", "input": "hi", "tools": [TOOL], "tool_choice": "required"}
    async with gpt.responses.stream(**asked) as stream:
        deltas = [event async for event in stream if event.type == "response.function_call_arguments.delta"]
        final = await stream.get_final_response()
    assert (final.status, final.output[0].type, final.output[0].name) == ("completed", "function_call", "weather")
    assert final.output[0].arguments == '{"city":"demo"}' and final.usage.output_tokens == len(deltas)
