from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softix_proxy.dialects.canonical.accumulate import accumulate
from softix_proxy.dialects.canonical.framing import Framer
from softix_proxy.dialects.canonical.json_values import encode
from softix_proxy.dialects.canonical.json_values import names as names_of
from softix_proxy.dialects.canonical.losses import losses
from softix_proxy.dialects.canonical.types import (
    AnswerEnd,
    AnswerStart,
    AnswerStop,
    CanonicalAnswer,
    CanonicalEvent,
    CanonicalRequest,
    CanonicalUsage,
    Choice,
    ContentPart,
    JsonFormat,
    MediaPart,
    PartDelta,
    PartEnd,
    PartSignature,
    PartStart,
    TextPart,
    Thinking,
    ToolCall,
    ToolChoice,
    ToolDefinition,
    ToolResult,
    Turn,
)
from softix_proxy.dialects.translate import Translation, WriteOptions, translation
from softix_proxy.dialects.translate.dialect_table import DIALECTS
from softix_proxy.domain.core.errors import Code, RefusedError

PAIRS = [(client, provider) for client in DIALECTS for provider in DIALECTS if client != provider]
pairs = st.sampled_from(PAIRS)
CANARY = "canary"


def between(client: str, provider: str) -> Translation:
    found = translation(client, provider, id="0a1b", now_s=1000)
    assert found
    return found


# Requests that every dialect can say.

words = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=12)
names = st.from_regex(r"[a-z_]{1,12}", fullmatch=True)
arguments = st.dictionaries(names, words | st.integers(-99, 99) | st.booleans() | st.none(), max_size=3)
texts = words.map(TextPart)
images = st.just(MediaPart("image", "image/png", "iVBORw0KGgo="))
schemas = st.dictionaries(names, st.just({"type": "string"}), max_size=3).map(
    lambda properties: {"type": "object", "properties": properties}
)


@st.composite
def exchanges(draw: st.DrawFn) -> list[Turn]:
    """What the user says, and what the assistant answers or calls, with the results."""
    turns = [Turn("user", draw(st.lists(texts | images, min_size=1, max_size=3)))]
    calls = draw(st.lists(st.tuples(names, arguments), max_size=2))
    said = draw(st.lists(texts, min_size=0 if calls else 1, max_size=1))
    number = draw(st.integers(0, 10**9))
    called = [ToolCall(f"c{number}_{at}", name, encode(given).decode()) for at, (name, given) in enumerate(calls)]
    turns.append(Turn("assistant", [*said, *called]))
    if called:
        turns.append(Turn("user", [ToolResult(call.id, [draw(texts)]) for call in called]))
        turns.append(Turn("assistant", [draw(texts)]))
    return turns


@st.composite
def requests(draw: st.DrawFn) -> CanonicalRequest:
    tools = [
        ToolDefinition(name, draw(words), draw(schemas)) for name in draw(st.lists(names, max_size=2, unique=True))
    ]
    choices = [None, ToolChoice("auto"), ToolChoice("required"), ToolChoice("none")]
    choices += [ToolChoice("required", [tool.name]) for tool in tools]
    turns = [turn for exchange in draw(st.lists(exchanges(), max_size=2)) for turn in exchange]
    return CanonicalRequest(
        model="m",
        turns=[
            *draw(st.lists(words.map(lambda word: Turn("system", [TextPart(word)])), max_size=1)),
            *turns,
            Turn("user", [draw(texts)]),
        ],
        tools=tools,
        tool_choice=draw(st.sampled_from(choices)) if tools else None,
        max_output_tokens=draw(st.integers(1, 10**6)),
        temperature=draw(st.sampled_from([None, 0, 0.5, 1])),
        top_p=draw(st.sampled_from([None, 0.5])),
        format=draw(st.sampled_from([None, JsonFormat({"type": "object"}, "answer", "", True)])),
    )


def understood(dialect: str, body: bytes) -> CanonicalRequest:
    reading, _ = losses(dialect, dialect)
    return DIALECTS[dialect].read_request(msgspec.json.decode(body), reading)


def normal(request: CanonicalRequest) -> Any:
    """Neighbours of one role as one, arguments as objects, and no word on what dialects decide themselves."""
    turns: list[tuple[str, list[Any]]] = []
    for turn in request.turns:
        parts = [
            (part.id, part.name, msgspec.json.decode(part.arguments))
            if isinstance(part, ToolCall)
            else (part.id, part.parts)
            if isinstance(part, ToolResult)
            else (part.kind, part.mime, part.data)
            if isinstance(part, MediaPart)
            else part
            for part in turn.parts
        ]
        if turns and turns[-1][0] == turn.role:
            turns[-1][1].extend(parts)
        else:
            turns.append((turn.role, parts))
    tools = [(tool.name, tool.description, tool.schema) for tool in request.tools]
    choice = request.tool_choice
    chosen = (choice.mode, list(choice.names)) if choice else None
    form = request.format.schema if request.format else None
    return turns, tools, chosen, request.max_output_tokens, request.temperature, request.top_p, form


@given(pair=pairs, request=requests())
@settings(max_examples=100, deadline=None)
def test_request_translated_there_and_back_is_the_same(pair: tuple[str, str], request: CanonicalRequest) -> None:
    client, provider = pair
    _, writing = losses(provider, client)
    first = encode(DIALECTS[client].write_request(request, WriteOptions(model="m"), writing))
    there = between(client, provider).request(first, WriteOptions(model="m"))
    back = between(provider, client).request(there.body, WriteOptions(model="m"))
    assert there.dropped == back.dropped == ()
    assert normal(understood(client, back.body)) == normal(understood(client, first)) == normal(request)


# Whatever comes.

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = sorted(
    names_of(
        """model messages input contents system instructions systemInstruction tools tool_choice toolConfig role content
        generationConfig parts text type thinking reasoning output choices candidates delta message usage usageMetadata
        error tool_calls function arguments functionCall functionResponse response item index output_index content_index
        content_block stop_reason finish_reason finishReason response_format schema max_tokens stop n source image_url
        inlineData reasoning_details summary encrypted_content signature thoughtSignature cache_control
        call_id id name"""
    )
)
WORDS = sorted(
    names_of(
        """user assistant model tool system text image document tool_use tool_result thinking redacted_thinking message
        reasoning function_call function_call_output input_text output_text input_image refusal function custom auto any
        json_schema base64 url message_start content_block_start content_block_delta content_block_stop message_delta
        message_stop response.created response.output_item.added response.output_text.delta response.output_item.done
        response.completed error STOP stop"""
    )
)
likely = st.recursive(
    st.sampled_from([*WORDS, CANARY, None, True, 0, 1, 1.5, "", [], {}]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=6),
    max_leaves=15,
)
objects = st.dictionaries(st.sampled_from(FIELDS), likely | json_values, max_size=8)
bodies = (objects | json_values).map(encode) | st.binary(max_size=20)


@given(pair=pairs, body=bodies)
@settings(max_examples=120, deadline=None)
def test_request_translation_of_any_body_raises_only_a_refusal_without_a_quote(
    pair: tuple[str, str], body: bytes
) -> None:
    try:
        between(*pair).request(body, WriteOptions(model="m"))
    except RefusedError as error:
        assert error.code is Code.INVALID_REQUEST
        assert CANARY not in error.message


@given(pair=pairs, body=bodies, status=st.sampled_from([400, 401, 429, 500, 529]))
@settings(max_examples=120, deadline=None)
def test_answer_translation_of_any_body_raises_only_a_refusal(pair: tuple[str, str], body: bytes, status: int) -> None:
    assert msgspec.json.decode(between(*pair).error(status, body))["error"]
    try:
        assert msgspec.json.decode(between(*pair).answer(body))
    except RefusedError as error:
        assert error.code is Code.PROVIDER_BROKE_OFF


@given(pair=pairs, events=st.lists(objects, max_size=4))
@settings(max_examples=120, deadline=None)
def test_stream_translation_of_any_events_gives_whole_events_of_json(pair: tuple[str, str], events: list[Any]) -> None:
    stream = between(*pair).stream()
    pieces = [stream.feed(b"data: " + encode(event) + b"\n\n") for event in events]
    told = b"".join([*pieces, stream.end()])
    assert told == b"" or told.endswith((b"\n\n", b"\r\n\r\n"))
    data = [line.removeprefix(b"data: ") for line in told.splitlines() if line.startswith(b"data: ")]
    assert all(line == b"[DONE]" or isinstance(msgspec.json.decode(line), dict) for line in data)


# Answers, streamed and plain.


@st.composite
def answers(draw: st.DrawFn) -> list[CanonicalEvent]:
    """The events of an answer, as every dialect can tell it."""
    origin = draw(st.sampled_from(["messages", "responses", "generate_content"]))
    events: list[CanonicalEvent] = [AnswerStart("a1", "m", 1000)]
    thoughts = draw(st.lists(words, max_size=2))
    index = 0
    if thoughts:
        events += [PartStart(0, 0, Thinking(origin=origin)), *[PartDelta(0, 0, word) for word in thoughts]]
        events += [PartSignature(0, 0, draw(names)), PartEnd(0, 0)]
        index = 1
    said = draw(st.lists(words, max_size=3))
    if said:
        events += [PartStart(0, index, TextPart("")), *[PartDelta(0, index, word) for word in said], PartEnd(0, index)]
        index += 1
    calls = draw(st.lists(st.tuples(names, arguments), max_size=2))
    for at, (name, given_arguments) in enumerate(calls):
        written = encode(given_arguments).decode()
        cut = draw(st.integers(0, len(written)))
        events += [PartStart(0, index, ToolCall(f"c{at}", name)), PartDelta(0, index, written[:cut])]
        events += [PartDelta(0, index, written[cut:]), PartEnd(0, index)]
        index += 1
    reason: Any = "calls" if calls else draw(st.sampled_from(["end", "length"]))
    return [*events, AnswerStop(0, reason), CanonicalUsage({"input_tokens": 3, "output_tokens": 2}), AnswerEnd()]


def kinds(parts: Any) -> list[ContentPart]:
    return sorted(parts, key=lambda part: type(part).__name__)


@given(pair=pairs, events=answers(), data=st.data())
@settings(max_examples=100, deadline=None)
def test_stream_translation_with_split_input_equals_the_plain_answer(
    pair: tuple[str, str], events: list[CanonicalEvent], data: Any
) -> None:
    """As the provider writes it, however it is split, and as the client reads it."""
    client, provider = pair
    context = between(provider, client)._context
    writer = DIALECTS[provider].writer(context)
    streamed = b"".join(writer.write(event) for event in events)
    plain = encode(DIALECTS[provider].write_answer(accumulate(events), context))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(streamed) - 1), max_size=20)))
    stream = between(client, provider).stream()
    got = b"".join(stream.feed(streamed[a:b]) for a, b in zip([0, *cuts], [*cuts, len(streamed)], strict=True))
    got += stream.end()
    heard_stream, heard_plain = heard(client, got), told(client, between(client, provider).answer(plain))
    first, second = heard_stream.choices[0], heard_plain.choices[0]
    assert kinds(first.parts) == kinds(second.parts) == kinds(accumulate(events).choices[0].parts) or not _signs(first)
    assert (first.reason, heard_stream.usage) == (second.reason, heard_plain.usage)
    assert heard_stream.ended
    assert heard_plain.ended


def _signs(choice: Choice) -> bool:
    """Whether its thoughts are compared: each dialect names the maker of a signature in its own way."""
    return not any(isinstance(part, Thinking) for part in choice.parts)


def heard(dialect: str, stream: bytes) -> CanonicalAnswer:

    reader, framer = DIALECTS[dialect].reader(), Framer()
    return accumulate([event for found in framer.feed(stream) for event in reader.read(found)] + list(reader.end()))


def told(dialect: str, body: bytes) -> CanonicalAnswer:
    return accumulate(DIALECTS[dialect].reader().read_whole(msgspec.json.decode(body)))


# The door.


@pytest.mark.parametrize(("client", "provider"), PAIRS)
def test_thinking_given_back_by_the_client_reaches_its_provider_with_its_signature(client: str, provider: str) -> None:
    """A provider's signature comes back to it from a client that gives back what it got."""
    thinking = Thinking("so it is", "c2lnbmF0dXJl", provider, of="rs_a1_0" if provider == "responses" else "")
    if provider == "chat_completions":
        thinking = Thinking("so it is")
    answer = accumulate(
        [
            AnswerStart("a1", "m"),
            PartStart(0, 0, thinking),
            PartEnd(0, 0),
            PartStart(0, 1, ToolCall("c1", "f", "{}")),
            AnswerStop(0, "calls"),
            AnswerEnd(),
        ]
    )
    written = encode(DIALECTS[provider].write_answer(answer, between(provider, client)._context))
    got = msgspec.json.decode(between(client, provider).answer(written))
    history = {
        "chat_completions": lambda: {"messages": [got["choices"][0]["message"]]},
        "responses": lambda: {"input": got["output"]},
        "messages": lambda: {"max_tokens": 9, "messages": [{"role": "assistant", "content": got["content"]}]},
        "generate_content": lambda: {"contents": [got["candidates"][0]["content"]]},
    }[client]()
    model = "deepseek-chat" if provider == "chat_completions" else "m"
    again = between(client, provider).request(encode({"model": "m", **history}), WriteOptions(model=model))
    assert "thinking" not in again.dropped
    (turn,) = [turn for turn in understood(provider, again.body).turns if turn.role == "assistant"]
    assert turn.parts[0] == thinking


def test_signature_of_one_provider_is_not_sent_to_another() -> None:
    answer = {"content": [{"type": "thinking", "thinking": "so", "signature": "s"}], "stop_reason": "end_turn"}
    got = msgspec.json.decode(between("responses", "messages").answer(encode(answer)))
    body = encode({"model": "m", "input": [*got["output"], {"role": "user", "content": "a"}]})
    sent = between("responses", "generate_content").request(body, WriteOptions(model="gemini-2.5-pro"))
    assert sent.dropped == ("thinking",)
    assert b"so" not in sent.body


def test_custom_tool_call_of_another_dialect_is_translated_back() -> None:
    tools = [{"type": "custom", "name": "patch"}]
    back = between("responses", "messages")
    back.request(encode({"model": "m", "input": "a", "tools": tools}), WriteOptions(model="m"))
    call = {"type": "tool_use", "id": "x", "name": "patch", "input": {"input": "*** Begin\n"}}
    (item,) = msgspec.json.decode(back.answer(encode({"content": [call], "stop_reason": "tool_use"})))["output"]
    assert (item["type"], item["input"]) == ("custom_tool_call", "*** Begin\n")


def test_hosted_tools_are_dropped_and_refused_when_they_are_the_only_ones() -> None:
    search, own = {"type": "web_search"}, {"type": "function", "name": "f", "parameters": {}}
    asked: dict[str, Any] = {"model": "m", "input": "a", "tools": [search, own]}
    found = between("responses", "messages").request(encode(asked), WriteOptions(model="m"))
    assert found.dropped == ("hosted_tools", "no_output_limit")
    for tools in ([search], [search, {"type": "custom", "name": ""}]):
        forced = {"tool_choice": {"type": "function", "name": "g"}} if len(tools) > 1 else {}
        with pytest.raises(RefusedError, match="only_hosted_tools"):
            between("responses", "messages").request(
                encode({**asked, "tools": tools, **forced}), WriteOptions(model="m")
            )


def test_gemini_request_streams_when_its_path_says_so() -> None:
    body = encode({"contents": [{"parts": [{"text": "a"}]}]})
    for endpoint, streams in (("stream_generate_content", True), ("generate_content", None)):
        found = translation(endpoint, "messages", id="a", now_s=1)
        assert found
        assert msgspec.json.decode(found.request(body, WriteOptions(model="m")).body).get("stream") is streams


def test_translation_between_same_or_untranslatable_endpoints_is_none() -> None:
    assert translation("messages", "messages", id="a", now_s=1) is None
    assert translation("stream_generate_content", "generate_content", id="a", now_s=1) is None
    assert translation("embeddings", "messages", id="a", now_s=1) is None


def test_plain_answer_with_a_failure_becomes_an_error() -> None:
    failed = {"status": "failed", "error": {"code": "rate_limit_exceeded", "message": "slow down"}}
    body = msgspec.json.decode(between("messages", "responses").answer(encode(failed)))
    assert body["error"] == {"type": "rate_limit_error", "message": "slow down"}


def test_request_nested_too_deeply_is_refused() -> None:
    with pytest.raises(RefusedError):
        between("messages", "responses").request(b'{"a":' * 100_000, WriteOptions(model="m"))
