"""What a provider's own SDK makes of bytes that never saw a network: the content, in one form for all of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import anthropic
import httpx2
import openai
from google import genai
from google.genai import errors, types


@dataclass
class Said:
    text: str = ""
    thoughts: str = ""
    refusal: str = ""
    calls: list[tuple[str, Any]] = field(default_factory=list)
    stop: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None


class Wire:
    """A transport whose answer is set before each call."""

    def __init__(self) -> None:
        self.status, self.body, self.kind = 200, b"", "application/json"

    def answer(self, library: Any) -> Callable[[Any], Any]:
        return lambda _: library.Response(self.status, content=self.body, headers={"content-type": self.kind})


WIRE = Wire()
EVENTS = "text/event-stream"
KEY = "none"


@cache
def openai_client() -> openai.OpenAI:
    client = httpx2.Client(transport=httpx2.MockTransport(WIRE.answer(httpx2)))
    return openai.OpenAI(api_key=KEY, base_url="http://softix.example/v1", http_client=client, max_retries=0)


@cache
def anthropic_client() -> anthropic.Anthropic:
    client = httpx2.Client(transport=httpx2.MockTransport(WIRE.answer(httpx2)))
    return anthropic.Anthropic(api_key=KEY, base_url="http://softix.example", http_client=client, max_retries=0)


@cache
def gemini_client() -> genai.Client:
    client = httpx2.Client(transport=httpx2.MockTransport(WIRE.answer(httpx2)))
    options = types.HttpOptions(base_url="http://softix.example", httpx_client=client)
    return genai.Client(api_key=KEY, http_options=options)


def read(dialect: str, body: bytes, *, stream: bool = False) -> Said:
    WIRE.status, WIRE.body, WIRE.kind = 200, body, EVENTS if stream else "application/json"
    return READERS[dialect](stream)


def failure(dialect: str, status: int, body: bytes) -> Exception:
    """What the SDK raises."""
    WIRE.status, WIRE.body, WIRE.kind = status, body, "application/json"
    try:
        READERS[dialect](False)
    except (openai.APIStatusError, anthropic.APIStatusError, errors.APIError) as error:
        return error
    raise AssertionError("the SDK raised nothing")


def _chat(stream: bool) -> Said:
    asked: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "Hello"}]}
    if stream:
        with openai_client().chat.completions.stream(**asked) as events:
            thoughts = [
                getattr(choice.delta, "reasoning_content", None) or ""
                for event in events
                if event.type == "chunk"
                for choice in event.chunk.choices
            ]
            answer: Any = events.get_final_completion()
    else:
        answer, thoughts = openai_client().chat.completions.create(**asked), []
    usage, choice = answer.usage, answer.choices[0]
    message = choice.message
    return Said(
        text=message.content or "",
        thoughts="".join(thoughts) if stream else getattr(message, "reasoning_content", None) or "",
        refusal=message.refusal or "",
        calls=[(call.function.name, json.loads(call.function.arguments or "{}")) for call in message.tool_calls or ()],
        stop=choice.finish_reason,
        input_tokens=usage and usage.prompt_tokens,
        output_tokens=usage and usage.completion_tokens,
    )


def _responses(stream: bool) -> Said:
    if stream:
        with openai_client().responses.stream(model="m", input="Hello") as events:
            kinds = [event.type for event in events]
            answer: Any = events.get_final_response() if "response.completed" in kinds else None
        if answer is None:  # the SDK's helper knows no other end
            last = WIRE.body.rsplit(b"data: ", 1)[1]
            answer = openai.types.responses.Response.model_validate(json.loads(last)["response"])
    else:
        answer = openai_client().responses.create(model="m", input="Hello")
    contents = [part for item in answer.output if item.type == "message" for part in item.content]
    return Said(
        text=answer.output_text,
        thoughts="".join(part.text for item in answer.output if item.type == "reasoning" for part in item.summary),
        refusal="".join(part.refusal for part in contents if part.type == "refusal"),
        calls=[(item.name, json.loads(item.arguments)) for item in answer.output if item.type == "function_call"],
        stop=answer.incomplete_details.reason if answer.incomplete_details else answer.status,
        input_tokens=answer.usage and answer.usage.input_tokens,
        output_tokens=answer.usage and answer.usage.output_tokens,
    )


def _messages(stream: bool) -> Said:
    asked: dict[str, Any] = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hello"}]}
    if stream:
        with anthropic_client().messages.stream(**asked) as events:
            answer = events.get_final_message()
    else:
        answer = anthropic_client().messages.create(**asked)
    usage = answer.usage
    return Said(
        text="".join(block.text for block in answer.content if block.type == "text"),
        thoughts="".join(block.thinking for block in answer.content if block.type == "thinking"),
        calls=[(block.name, block.input) for block in answer.content if block.type == "tool_use"],
        stop=answer.stop_reason,
        input_tokens=usage.input_tokens
        + (usage.cache_creation_input_tokens or 0)
        + (usage.cache_read_input_tokens or 0),
        output_tokens=usage.output_tokens,
    )


def _gemini(stream: bool) -> Said:
    models = gemini_client().models
    if stream:
        chunks = list(models.generate_content_stream(model="m", contents="Hello"))
    else:
        chunks = [models.generate_content(model="m", contents="Hello")]
    candidates = [chunk.candidates[0] for chunk in chunks if chunk.candidates]
    parts = [part for candidate in candidates if candidate.content for part in candidate.content.parts or ()]
    usage = next((chunk.usage_metadata for chunk in reversed(chunks) if chunk.usage_metadata), None)
    reasons = [candidate.finish_reason for candidate in candidates if candidate.finish_reason]
    return Said(
        text="".join(part.text for part in parts if part.text and not part.thought),
        thoughts="".join(part.text for part in parts if part.text and part.thought),
        calls=[(part.function_call.name, part.function_call.args) for part in parts if part.function_call],
        stop=reasons[-1].value if reasons else None,
        input_tokens=usage and usage.prompt_token_count,
        output_tokens=usage and (usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0),
    )


READERS: dict[str, Callable[[bool], Said]] = {
    "chat_completions": _chat,
    "responses": _responses,
    "messages": _messages,
    "generate_content": _gemini,
}
