"""A provider that answers with the dearest answer that its dialect allows, and a client who asks for it.

What costs and what brings costs in is an assumption about providers, from their public documentation: a token is at
least one byte of text; an address, an id or a tool may bring in as much as the context holds, and each round of a tool
reads all of it again; a limit on the output is a limit under whichever of its names a server reads.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

CONTEXT_TOKENS = 20_000
MOST_OUTPUT_TOKENS = 500
WIDE_CONTEXT_TOKENS = 5 * CONTEXT_TOKENS
"""The context after a beta header that widens it."""
TEMPLATE_TOKENS = 1000
"""What a provider puts around the texts: chat template, descriptions of tools."""
UNLIMITED_CALLS = 25
"""The calls that a hosted tool makes if nothing limits them."""
REMOVED = "removed"
"""The value of a member that an attack takes out of a request."""
MICRO = 10**6
"""Pico-USD of a token at a dollar a million."""
PRICES_PICO: Mapping[str, int] = {
    "input_tokens": 1 * MICRO,
    "output_tokens": 2 * MICRO,
    "web_search_calls": 10**10,
    "tool_calls": 14 * 10**9,
    "search_units": 2 * 10**9,
    "audio_ms": 10**5,
    "images": 4 * 10**10,
    "characters": 15 * MICRO,
}
"""The price of one unit, which `SHEET` states in the operator's words."""
SHEET: Mapping[str, str] = {
    "input": "1",
    "output": "2",
    "web_search": "10",
    "tool_call": "14",
    "search_unit": "2",
    "audio_second": "0.0001",
    "image": "0.04",
    "character": "15",
}


@dataclass
class Sent:
    """What arrived at the provider, and what its dearest answer costs so far."""

    body: bytes
    """The client's. What softix writes into it is no text."""
    fields: dict[str, Any]
    """The members as they arrived."""
    headers: dict[str, str]
    input_tokens: int = 0
    output_tokens: int = 0
    calls: dict[str, int] = field(default_factory=dict)

    def add(self, meter: str, number: int) -> None:
        self.calls[meter] = self.calls.get(meter, 0) + number

    @property
    def meters(self) -> dict[str, int]:
        found = {"input_tokens": self.input_tokens, "output_tokens": self.output_tokens, **self.calls}
        return {name: number for name, number in found.items() if number}

    @property
    def cost_pico(self) -> int:
        return sum(PRICES_PICO[name] * number for name, number in self.meters.items())


Fields = dict[str, Any]
Ask = Callable[[random.Random], Fields]
Costs = Callable[[Sent], None]


@dataclass(frozen=True)
class Attack:
    """A part of a request, and what it costs at most."""

    name: str
    endpoint: str
    ask: Ask
    costs: Costs = lambda sent: None
    headers: Mapping[str, str] = field(default_factory=dict)
    alone: bool = False
    """Whether it does not go together with others."""


# What things cost


def text(sent: Sent) -> None:
    """Every byte of the body is a token, as far as the context goes, and a template comes on top."""
    sent.input_tokens = min(len(sent.body) + TEMPLATE_TOKENS, CONTEXT_TOKENS)


def texts(sent: Sent) -> None:
    """The same for a list of which each element has the context for itself."""
    sent.input_tokens = len(sent.body)


def opens(sent: Sent) -> None:
    """Something brings in as much as fits."""
    sent.input_tokens = max(sent.input_tokens, CONTEXT_TOKENS)


def rounds(meter: str, limit: Callable[[Sent], int | None], most: int = UNLIMITED_CALLS + 1) -> Costs:
    """A tool is called so often, and the whole context is read for each call and for the answer.

    `most` is how often a provider has the model read on at all. The limit of the output is that of the whole response,
    whatever calls are in it. Sources: OpenAI's reference of `max_output_tokens`, and Anthropic's of `max_tokens` and of
    its loop of server tools, which pauses after ten rounds.
    """

    def costs(sent: Sent) -> None:
        most = limit(sent)
        calls = UNLIMITED_CALLS if most is None else most
        if meter:
            sent.add(meter, calls)
        sent.input_tokens = CONTEXT_TOKENS * min(calls + 1, most)

    return costs


def output(*names: str, times: tuple[str, ...] = ()) -> Costs:
    """As much as the largest limit allows, under whichever of these names, for each choice."""

    def costs(sent: Sent) -> None:
        found = [sent.fields[name] for name in names if isinstance(sent.fields.get(name), int)]
        limit = min(max(found), MOST_OUTPUT_TOKENS) if found else MOST_OUTPUT_TOKENS
        choices = max([sent.fields[name] for name in times if isinstance(sent.fields.get(name), int)], default=1)
        sent.output_tokens = limit * choices

    return costs


def called(meter: str, number: Callable[[Sent], int]) -> Costs:
    return lambda sent: sent.add(meter, number(sent))


def both(*costs: Costs) -> Costs:
    def together(sent: Sent) -> None:
        for each in costs:
            each(sent)

    return together


# What is asked


def fields(**told: Any) -> Ask:
    return lambda chance: json.loads(json.dumps(told))  # its own copy, which others may change


def words(chance: random.Random, most: int = 400) -> str:
    return "".join(chance.choice('aé€😀 "\\\n0') for _ in range(chance.randrange(most)))


def say(chance: random.Random) -> list[Fields]:
    return [{"role": "user", "content": words(chance)} for _ in range(chance.randrange(1, 4))]


def limit(chance: random.Random) -> int:
    return chance.choice((1, 16, 200, MOST_OUTPUT_TOKENS, 10 * MOST_OUTPUT_TOKENS))


FILE = '; filename="sound.ogg"'


def form(told: Mapping[str, str]) -> bytes:
    """The same as a form, in which `file` is a file."""
    parts = []
    for name, value in told.items():
        head = f'Content-Disposition: form-data; name="{name}"{FILE if name == "file" else ""}'
        parts.append(f"--adversary\r\n{head}\r\n\r\n{value}\r\n")
    return "".join((*parts, "--adversary--\r\n")).encode()


# How a provider reports it


def _openai(sent: Sent, read: str, written: str) -> Fields:
    return {
        read: sent.input_tokens,
        written: sent.output_tokens,
        "total_tokens": sent.input_tokens + sent.output_tokens,
    }


def chat_answer(sent: Sent) -> Fields:
    choice = {"index": 0, "message": {"role": "assistant", "content": "Yes."}, "finish_reason": "stop"}
    return {"model": "m", "choices": [choice], "usage": _openai(sent, "prompt_tokens", "completion_tokens")}


def completion_answer(sent: Sent) -> Fields:
    choice = {"index": 0, "text": "Yes.", "finish_reason": "stop"}
    return {"model": "m", "choices": [choice], "usage": _openai(sent, "prompt_tokens", "completion_tokens")}


def response_answer(sent: Sent) -> Fields:
    done = [{"type": "message", "content": [{"type": "output_text", "text": "Yes."}]}]
    for meter, kind in (("web_search_calls", "web_search_call"), ("tool_calls", "file_search_call")):
        done += [{"type": kind, "status": "completed"}] * sent.calls.get(meter, 0)
    usage = _openai(sent, "input_tokens", "output_tokens")
    return {"object": "response", "status": "completed", "model": "m", "output": done, "usage": usage}


def message_answer(sent: Sent) -> Fields:
    usage: Fields = {"input_tokens": sent.input_tokens, "output_tokens": sent.output_tokens}
    if searches := sent.calls.get("web_search_calls"):
        usage["server_tool_use"] = {"web_search_requests": searches}
    content = [{"type": "text", "text": "Yes."}]
    return {"type": "message", "role": "assistant", "model": "m", "content": content, "usage": usage}


def gemini_answer(sent: Sent) -> Fields:
    usage = {"promptTokenCount": sent.input_tokens, "candidatesTokenCount": sent.output_tokens}
    usage["totalTokenCount"] = sent.input_tokens + sent.output_tokens
    candidate = {"content": {"parts": [{"text": "Yes."}], "role": "model"}, "finishReason": "STOP", "index": 0}
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "m"}


def embedding_answer(sent: Sent) -> Fields:
    usage = {"prompt_tokens": sent.input_tokens, "total_tokens": sent.input_tokens}
    return {"object": "list", "model": "m", "data": [{"object": "embedding", "embedding": [0.5]}], "usage": usage}


def gemini_embedding_answer(sent: Sent) -> Fields:
    return {"embeddings": [{"values": [0.5]}], "usageMetadata": {"promptTokenCount": sent.input_tokens}}


def rerank_answer(sent: Sent) -> Fields:
    results = [{"index": 0, "relevance_score": 0.5}]
    if "search_units" in sent.calls:
        return {"results": results, "meta": {"billed_units": {"search_units": sent.calls["search_units"]}}}
    return {"results": results, "usage": {"total_tokens": sent.input_tokens}}


def image_answer(sent: Sent) -> Fields:
    return {"created": 1, "data": [{"b64_json": "AA=="}] * sent.calls["images"]}


def transcript_answer(sent: Sent) -> Fields:
    return {"text": "Yes.", "usage": {"type": "duration", "seconds": sent.calls["audio_ms"] / 1000}}


ANSWERS: Mapping[str, Callable[[Sent], Fields]] = {
    "chat_completions": chat_answer,
    "completions": completion_answer,
    "responses": response_answer,
    "messages": message_answer,
    "generate_content": gemini_answer,
    "embeddings": embedding_answer,
    "embed_content": gemini_embedding_answer,
    "batch_embed_contents": gemini_embedding_answer,
    "rerank": rerank_answer,
    "image_generations": image_answer,
    "transcriptions": transcript_answer,
}
