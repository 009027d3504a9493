"""No answer that a dialect allows costs more than what is held for its request.

An adversary reads the request as the provider gets it, and makes the dearest answer that it may. What it may is written
here once more, from the providers' documentation and not from the code: which names of the output limit a server
obeys, how often its own tools have the model read the input, and what brings input.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from support.playbook import LAB, MODEL, PRICE, Exchange, Stage

from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.domain.catalog.profiles import PROFILES
from softix_proxy.domain.catalog.provider_types import ProviderType
from softix_proxy.domain.core.errors import RefusedError
from softix_proxy.domain.pricing.rates import PriceSheet, Rate

CONTEXT, MOST = 200_000, 4_000
WIDE = 1_000_000
PRICES = {
    "input": "3",
    "cached_input": "0.3",
    "cache_write_1h": "6",
    "output": "15",
    "audio_input": "40",
    "audio_output": "80",
    "web_search": "10",
    "tool_call": "2.5",
    "search_unit": "2",
    "character": "15",
    "audio_second": "0.0001",
    "request": "0.001",
}
SHEET = PriceSheet.parse({"bands": [{"prices": PRICES}]})
RATE = Rate(1, SHEET)
BIG = replace(MODEL, context_tokens=CONTEXT, max_output_tokens=MOST)
Meters = dict[str, int]

# What servers obey

EITHER = ("max_completion_tokens", "max_tokens")
OLD = ("max_tokens",)
OBEYS: dict[str, tuple[tuple[str, ...], ...]] = {
    "openai": (EITHER,),
    "azure": (EITHER,),
    "xai": (EITHER,),
    "groq": (EITHER,),
    "openrouter": (EITHER,),
    "fireworks": (EITHER,),
    "vllm": (EITHER,),
    "sglang": (EITHER,),
    "demo": (EITHER,),
    "llamacpp": (("n_predict", "max_tokens"),),
    "openai-compatible": (OLD, ("max_completion_tokens",)),
}
"""Type of provider → the servers that it may be, each with the names that it obeys. The first that it gets counts."""
BRINGS = ("data_sources", "documents", "chat_template", "chat_template_kwargs", "mm_processor_kwargs")
LOOP = 10
"""The rounds after which Anthropic pauses."""
ENDLESS = 1000
"""The calls of a tool that nothing limits."""
CODE_ROUNDS = 6


def text_tokens(sent: bytes) -> int:
    """A token is at least a byte; the template of the provider adds some."""
    return min(len(sent) + 1000, CONTEXT)


def output(body: dict[str, Any], obeys: tuple[str, ...]) -> int:
    return min(next((body[name] for name in obeys if body.get(name) is not None), MOST), MOST)


def chat(sent: bytes, obeys: tuple[str, ...], kind: str) -> Meters:
    body = json.loads(sent)
    opened = kind == "perplexity" or any(body.get(name) for name in BRINGS) or not isinstance(content(body), str)
    rounds = 2 if body.get("data_sources") else 1
    made = output(body, obeys) + (len(body["prediction"]["content"]) if body.get("prediction") else 0)
    return {
        "cache_write_1h_tokens": (CONTEXT if opened else text_tokens(sent)) * rounds,
        "output_tokens": made * (body.get("n") or 1),
    }


def content(body: dict[str, Any]) -> Any:
    return body["messages"][0]["content"]


def completions(sent: bytes, kind: str) -> Meters:
    body = json.loads(sent)
    obeys = ("n_predict", "max_tokens") if kind == "llamacpp" else OLD
    answers = (body.get("n") or 1) * (len(body["prompt"]) if isinstance(body["prompt"], list) else 1)
    return {"input_tokens": text_tokens(sent), "output_tokens": output(body, obeys) * answers}


def messages(sent: bytes, betas: str) -> Meters:
    body = json.loads(sent)
    uses = [tool.get("max_uses", ENDLESS) for tool in body.get("tools", ()) if tool["type"].startswith("web_")]
    searches = [
        tool.get("max_uses", ENDLESS) for tool in body.get("tools", ()) if tool["type"].startswith("web_search")
    ]
    rounds = LOOP if body.get("mcp_servers") else min(1 + sum(uses), LOOP)
    opened = uses or body.get("mcp_servers") or not isinstance(content(body), str)
    context = WIDE if "context-1m" in betas else CONTEXT
    summaries = (
        1 if any("compact" in edit["type"] for edit in body.get("context_management", {}).get("edits", ())) else 0
    )
    read = context if opened or summaries else min(len(sent) + 1000, context)
    return {
        "cache_write_1h_tokens": read * (rounds + summaries),
        "output_tokens": min(body["max_tokens"], MOST) * (1 + summaries),
        "web_search_calls": sum(searches),
    }


def responses(sent: bytes, kind: str) -> Meters:
    body = json.loads(sent)
    tools = [tool["type"] for tool in body.get("tools", ()) if tool["type"] != "function"]
    if body.get("prompt"):
        tools += ["web_search", "file_search"]
    calls = body.get("max_turns" if kind == "xai" else "max_tool_calls", ENDLESS) if tools else 0
    opened = tools or body.get("previous_response_id")
    return {
        "input_tokens": (CONTEXT if opened else text_tokens(sent)) * (1 + calls),
        "output_tokens": output(body, ("max_output_tokens",)),
        "web_search_calls": calls if "web_search" in tools else 0,
        "tool_calls": calls if "file_search" in tools else 0,
    }


def gemini(sent: bytes) -> Meters:
    body = json.loads(sent)
    config, tools = body.get("generationConfig", {}), {name for tool in body.get("tools", ()) for name in tool}
    tools.discard("functionDeclarations")
    rounds = CODE_ROUNDS if "codeExecution" in tools else 2 if tools else 1
    return {
        "input_tokens": (CONTEXT if tools else text_tokens(sent)) * rounds,
        "output_tokens": output(config, ("maxOutputTokens",)) * config.get("candidateCount", 1),
        "web_search_calls": 10 if "googleSearch" in tools else 0,
    }


# What clients ask

limits = st.none() | st.integers(1, 3 * MOST)
uses = st.none() | st.integers(0, 20)
some = st.sampled_from(("x" * 40, "é" * 300, "€" * 2000))
images = st.just([{"type": "image_url", "image_url": {"url": "https://a.example/a.png"}}])


def present(**members: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Each member with a value or absent."""
    return st.fixed_dictionaries({}, optional=members)


@st.composite
def chats(draw: st.DrawFn) -> dict[str, Any]:
    asked = draw(
        present(
            max_tokens=limits,
            max_completion_tokens=limits,
            n_predict=limits,
            num_predict=limits,
            max_output_tokens=limits,
            n=st.integers(1, 4),
            prediction=some.map(lambda text: {"type": "content", "content": text}),
            data_sources=st.just([{"type": "azure_search"}]),
            documents=st.just([{"text": "a"}]),
            chat_template=st.just("{% for i in range(99999) %}x{% endfor %}"),
            chat_template_kwargs=st.just({"documents": ["x"]}),
            mm_processor_kwargs=st.just({"max_pixels": 10**9}),
        )
    )
    return {"messages": [{"role": "user", "content": draw(some | images)}], **asked}


@st.composite
def texts(draw: st.DrawFn) -> dict[str, Any]:
    asked = draw(present(max_tokens=limits, max_completion_tokens=limits, n_predict=limits, n=st.integers(1, 4)))
    return {"prompt": draw(some), **asked}


@st.composite
def turns(draw: st.DrawFn) -> dict[str, Any]:
    tools = [
        {"type": kind, "name": kind, **({} if most is None else {"max_uses": most})}
        for kind, most in draw(
            st.dictionaries(st.sampled_from(("web_search_20250305", "web_fetch_20250910")), uses)
        ).items()
    ]
    more = draw(
        present(
            mcp_servers=st.just([{"type": "url", "url": "https://a.example", "name": "a"}]),
            context_management=st.sampled_from(
                ({"edits": [{"type": "compact_20260112"}]}, {"edits": [{"type": "clear_tool_uses_20250919"}]})
            ),
        )
    )
    body = {"max_tokens": draw(st.integers(1, MOST)), "messages": [{"role": "user", "content": draw(some)}], **more}
    return {**body, "tools": tools} if tools else body


@st.composite
def inputs(draw: st.DrawFn) -> dict[str, Any]:
    kinds = draw(st.sets(st.sampled_from(("web_search", "file_search", "mcp", "function"))))
    more = draw(
        present(
            max_output_tokens=limits,
            max_tool_calls=st.integers(0, 30),
            previous_response_id=st.just("resp_1"),
            prompt=st.just({"id": "pmpt_1"}),
        )
    )
    tools = [{"type": kind, "name": kind} for kind in sorted(kinds)]
    return {"input": draw(some), **more, **({"tools": tools} if tools else {})}


@st.composite
def contents(draw: st.DrawFn) -> dict[str, Any]:
    kinds = draw(st.sets(st.sampled_from(("googleSearch", "urlContext", "codeExecution", "functionDeclarations"))))
    config = draw(present(maxOutputTokens=st.integers(1, 3 * MOST), candidateCount=st.integers(1, 4)))
    tools: list[dict[str, Any]] = [{kind: [] if kind == "functionDeclarations" else {}} for kind in sorted(kinds)]
    body = {"contents": [{"role": "user", "parts": [{"text": draw(some)}]}], "generationConfig": config}
    return {**body, "tools": tools} if tools else body


ASKED: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "chat_completions": chats(),
    "completions": texts(),
    "messages": turns(),
    "responses": inputs(),
    "generate_content": contents(),
    "stream_generate_content": contents(),
}
PAIRS = [
    (endpoint, kind, server)
    for endpoint in ASKED
    for kind in ProviderType
    if endpoint in PROFILES[kind].endpoints
    for server in (OBEYS.get(kind.value, (OLD,)) if endpoint == "chat_completions" else (OLD,))
]
BETAS = st.sampled_from(("", "context-1m-2025-08-07", "claude-code-20250219,context-1m-2025-08-07"))


async def served(endpoint: str, kind: ProviderType, body: bytes, betas: str) -> tuple[int, bytes] | None:
    """What is held, and what the provider gets; None for a request that is refused."""
    stage = Stage(providers=(replace(LAB, type=kind),), models=(BIG,), prices=(replace(PRICE, sheet=SHEET),))
    if betas:
        stage.headers.append(("anthropic-beta", betas))
    stage.upstream.answer = Exchange(b"{}")
    found: Any = ENDPOINTS[endpoint]
    try:
        await stage.serve(body, found.of("llama", "") if "content" in endpoint else found)
    except RefusedError:
        if not stage.upstream.calls:
            return None
    [intent], [call] = stage.journal.intents, stage.upstream.calls
    return intent.bound.hold_pico(intent.bound.output_tokens), call.body


@pytest.mark.parametrize(("endpoint", "kind", "server"), PAIRS)
@settings(
    max_examples=25,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow],
)
@given(data=st.data())
def test_hold_covers_the_dearest_answer_that_a_provider_may_give(
    endpoint: str, kind: ProviderType, server: tuple[str, ...], data: st.DataObject
) -> None:
    asked = {**data.draw(ASKED[endpoint]), **({} if "content" in endpoint else {"model": "llama"})}
    betas = data.draw(BETAS) if endpoint == "messages" else ""
    found = asyncio.run(served(endpoint, kind, json.dumps(asked).encode(), betas))
    if found is None:
        return
    hold_pico, sent = found
    meters = {
        "chat_completions": lambda: chat(sent, server, kind.value),
        "completions": lambda: completions(sent, kind.value),
        "messages": lambda: messages(sent, betas),
        "responses": lambda: responses(sent, kind.value),
    }.get(endpoint, lambda: gemini(sent))()
    charge_pico = RATE.price({**meters, "requests": 1}).charge_pico
    assert charge_pico <= hold_pico, (meters, sent)


# What is paid by the size of a recording


@pytest.mark.parametrize(
    ("start", "ms_per_byte"),
    [(b"OggS", 57), (b"fLaC", 57), (b"\xff\xf3\x18\xc4", 1), (b"\x1aE\xdf\xa3", 17), (b"\0\0\0 ftypM4A ", 21)],
)
async def test_hold_covers_the_longest_sound_that_a_file_can_hold(start: bytes, ms_per_byte: int) -> None:
    """The file says what it likes of its own length: what is paid is what its bytes can be decoded to."""
    head = b'--d\r\nContent-Disposition: form-data; name="model"\r\n\r\nllama\r\n--d\r\n'
    head += b'Content-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    body = head + start + bytes(5000) + b"\r\n--d--\r\n"
    found = await served("transcriptions", ProviderType.OPENAI, body, "")
    assert found is not None
    heard_ms = 5000 * ms_per_byte
    for meters in ({"audio_ms": heard_ms}, {"audio_input_tokens": min(heard_ms // 100, CONTEXT)}):
        assert RATE.price({**meters, "output_tokens": MOST, "requests": 1}).charge_pico <= found[0]
