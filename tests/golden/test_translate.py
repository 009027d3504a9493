"""What of each dialect becomes in each other one.

`translate/<dialect>/<case>.request.json` is what a client of that dialect sends, `.answer.json`, `.sse` (`.events.json`
where events come in AWS's frames) and `.<status>.error.json` what a provider of it gives back. Beside it lies what is
made of it for each other dialect, under its name: `<case>.request.<target>.json`, `<case>.<target>.sse` … After a
change, and to be read before it is kept:

python tests/golden/test_translate.py --update
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.frames import event as framed
from support.observations import of_answer, of_stream

from softix_proxy.dialects.canonical.accumulate import Accumulator
from softix_proxy.dialects.canonical.framing import Framer
from softix_proxy.dialects.canonical.losses import losses
from softix_proxy.dialects.canonical.types import MediaPart, RefusalPart, TextPart, Thinking, ToolCall
from softix_proxy.dialects.core.base import RequestSpec
from softix_proxy.dialects.registry import PROVIDER_ENDPOINTS, streaming
from softix_proxy.dialects.translate import Translation, WriteOptions, translation
from softix_proxy.dialects.translate.dialect_table import DIALECTS, PROVIDERS
from softix_proxy.domain.core.errors import Code, RefusedError
from softix_proxy.relay.settlement.metered import metered

HERE = Path(__file__).parent / "translate"
KINDS = ("request.json", "answer.json", "error.json", "sse", "events.json")
MODELS = {
    "chat_completions": "gpt-5.2",
    "responses": "gpt-5.2",
    "messages": "claude-sonnet-4-6",
    "generate_content": "gemini-3-pro-preview",
    "converse": "us.anthropic.claude-sonnet-4-6-v1:0",
}
QUESTIONS: dict[str, Any] = {
    "chat_completions": {
        "model": "m",
        "messages": [{"role": "user", "content": "Hello"}],
        "stream_options": {"include_usage": True},
    },
    "responses": {"model": "m", "input": "Hello"},
    "messages": {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hello"}]},
    "generate_content": {"contents": [{"parts": [{"text": "Hello"}]}]},
}
SPOKEN = [*DIALECTS, "converse"]
STREAMED = (".sse", ".events.json")
SOURCES = sorted(
    path.relative_to(HERE).as_posix()
    for path in HERE.rglob("*.*")
    if path.name.removesuffix(".error.json").partition(".")[2] in KINDS
    or (path.name.endswith(".error.json") and path.name.count(".") == 3)
)
"""Expected files have the name of a target before their ending."""
CASES = [
    (source, target)
    for source in SOURCES
    for target in (SPOKEN if source.endswith(".request.json") else DIALECTS)
    if target != source.split("/")[0]
]


@cache
def read(source: str) -> bytes:
    """As it is on the wire."""
    found = (HERE / source).read_bytes()
    return b"".join(framed(*told) for told in json.loads(found)) if source.endswith(".events.json") else found


def expected_at(source: str, target: str) -> Path:
    stem, _, ending = source.replace(".events.json", ".sse").rpartition(".")
    return HERE / f"{stem}.{target}.{ending}"


def between(client: str, provider: str) -> Translation:
    found = translation(client, provider, id="0a1b2c3d", now_s=1_790_000_000)
    assert found
    return found


def asked(client: str, provider: str) -> Translation:
    """One that has a request to answer."""
    found = between(client, provider)
    found.request(msgspec.json.encode(QUESTIONS[client]), WriteOptions(model=MODELS[provider]))
    return found


def translated(source: str, target: str) -> bytes:
    dialect = source.split("/")[0]
    if source.endswith(".request.json"):
        return pretty(request(source, target))
    back = asked(target, dialect)
    if source.endswith(STREAMED):
        stream = back.stream()
        return stream.feed(read(source)) + stream.end()
    if source.endswith(".error.json"):
        return pretty(json.loads(back.error(int(source.split(".")[-3]), read(source))))
    return pretty(json.loads(back.answer(read(source))))


def request(source: str, target: str) -> Any:
    try:
        found = between(source.split("/")[0], target).request(read(source), WriteOptions(model=MODELS[target]))
    except RefusedError as error:
        return {"refused": error.message}
    return {"dropped": found.dropped, "body": json.loads(found.body)}


def pretty(value: Any) -> bytes:
    return (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode()


@pytest.mark.parametrize(("source", "target"), CASES)
def test_golden_translation_is_as_expected(source: str, target: str) -> None:
    assert translated(source, target).decode() == expected_at(source, target).read_bytes().decode()


def test_golden_translations_cover_each_kind_in_each_dialect() -> None:
    counted = Counter((source.split("/")[0], kind) for source in SOURCES for kind in KINDS if source.endswith(kind))
    assert all(counted[dialect, kind] for dialect in DIALECTS for kind in KINDS[:-1])
    assert all(counted["converse", kind] for kind in ("answer.json", "error.json", "events.json"))
    assert len(SOURCES) >= 150


def test_golden_translation_files_all_have_a_source() -> None:
    known = {HERE / source for source in SOURCES} | {expected_at(*case) for case in CASES}
    assert [path.name for path in HERE.rglob("*.*") if path not in known and path.name != "README.md"] == []


STREAMS = [source for source in SOURCES if source.endswith(STREAMED)]


def folded(source: str, chunks: list[bytes]) -> Any:
    side, fold = PROVIDERS[source.split("/")[0]], Accumulator()
    framer, reader = side.framer(), side.reader()
    objects = [found for chunk in chunks for found in framer.feed(chunk)] + list(framer.end())
    for event in [event for found in objects for event in reader.read(found)] + list(reader.end()):
        fold.take(event)
    return fold.answer()


@given(case=st.sampled_from([case for case in CASES if case[0].endswith(STREAMED)]), data=st.data())
@settings(max_examples=100, deadline=None)
def test_translated_stream_in_random_chunks_is_the_same(case: tuple[str, str], data: st.DataObject) -> None:
    source, target = case
    cuts = sorted(data.draw(st.sets(st.integers(1, len(read(source)) - 1), max_size=40)))
    stream = asked(target, source.split("/")[0]).stream()
    spans = zip([0, *cuts], [*cuts, len(read(source))], strict=True)
    got = b"".join(stream.feed(read(source)[start:end]) for start, end in spans) + stream.end()
    assert got == translated(source, target)


@pytest.mark.parametrize("source", STREAMS)
def test_stream_read_byte_by_byte_gives_the_same_answer(source: str) -> None:
    assert folded(source, [bytes([byte]) for byte in read(source)]) == folded(source, [read(source)])


@pytest.mark.parametrize(("source", "target"), [case for case in CASES if case[0].endswith(STREAMED)])
def test_translated_stream_when_read_again_equals_the_plain_answer(source: str, target: str) -> None:
    """Read back, it is what the plain answer that is written of it says, read back."""
    dialect = source.split("/")[0]
    answer = folded(source, [read(source)])
    written = translated(source, target)
    framer, reader, fold = Framer(), DIALECTS[target].reader(), Accumulator()
    objects = list(framer.feed(written)) + list(framer.end())
    for event in [event for found in objects for event in reader.read(found)] + list(reader.end()):
        fold.take(event)
    again = fold.answer()
    assert again.ended == answer.ended
    assert bool(again.failure) == bool(answer.failure)
    if answer.ended:
        context = asked(target, dialect)._context
        whole, plain = DIALECTS[target].write_answer(answer, context), Accumulator()
        for event in DIALECTS[target].reader().read_whole(json.loads(msgspec.json.encode(whole))):
            plain.take(event)
        assert in_kinds(again) == in_kinds(plain.answer())


@pytest.mark.parametrize("dialect", DIALECTS)
def test_request_when_written_and_read_again_is_the_same(dialect: str) -> None:
    """What the canonical form keeps of a request of a dialect, that dialect can say."""
    for source in SOURCES:
        if source.startswith(f"{dialect}/") and source.endswith(".request.json"):
            reading, writing = losses(dialect, dialect)
            try:
                first = DIALECTS[dialect].read_request(json.loads(read(source)), reading)
                written = DIALECTS[dialect].write_request(first, WriteOptions(model=first.model), writing)
                again = DIALECTS[dialect].read_request(json.loads(msgspec.json.encode(written)), reading)
            except RefusedError as error:
                assert error.code is Code.INVALID_REQUEST
                continue
            assert normal(again) == normal(first), source


def normal(request: Any) -> Any:
    """Without what the writer decides, and with turns as they end up."""
    tools = [msgspec.structs.replace(tool, cache="", within=None, strict=bool(tool.strict)) for tool in request.tools]
    choice = request.tool_choice if tools else None
    return {"tools": tools, "choice": choice, "stop": request.stop, "format": request.format}


def in_kinds(answer: Any) -> Any:
    """The parts of each choice by their kind, since a plain answer of chat does not tell the order of kinds."""
    kinds = (Thinking, TextPart, RefusalPart, ToolCall, MediaPart)
    choices = [[[p for p in choice.parts if isinstance(p, kind)] for kind in kinds] for choice in answer.choices]
    texts = [["".join(p.text for p in choice.parts if isinstance(p, TextPart))] for choice in answer.choices]
    rest = [list(choice[:1] + choice[2:]) for choice in choices]
    return rest, texts, [(choice.reason, choice.logprobs) for choice in answer.choices], answer.usage, answer.start


def update() -> None:
    for path in HERE.rglob("*.*"):
        if path.relative_to(HERE).as_posix() not in SOURCES and path.name != "README.md":
            path.unlink()
    for source, target in CASES:
        expected_at(source, target).write_bytes(translated(source, target))


if __name__ == "__main__" and "--update" in sys.argv:
    update()


EMPTIED = "responses/parallel_calls.answer.json"
"""Its counts were taken out."""


@pytest.mark.parametrize("source", [source for source in SOURCES if source.endswith((".answer.json", *STREAMED))])
def test_golden_provider_report_is_charged_unchanged(source: str) -> None:
    """Whatever the client speaks, the provider's own bytes are metered: none of these is too odd to be believed."""
    endpoint, spec = PROVIDER_ENDPOINTS[source.split("/")[0]], RequestSpec("m")
    if source.endswith(STREAMED):
        meter = streaming(endpoint).stream(hide_usage=False)
        meter.feed(read(source))
        observed = of_stream(meter, complete=True, request_bytes=100)
    else:
        observed = of_answer(endpoint, read(source), spec, request_bytes=100)
    found, report = metered(observed, spec), observed.report
    assert report is None or (found.meters == {**report.meters, "requests": 1}) is (source != EMPTIED)
