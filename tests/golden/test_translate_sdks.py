"""What softix writes in a dialect, the SDK of that dialect reads, and it finds the same in it."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
from support.sdk_readers import Said, failure, read

from softix_proxy.dialects.canonical.accumulate import accumulate
from softix_proxy.dialects.canonical.json_values import arguments_object
from softix_proxy.dialects.canonical.types import CanonicalAnswer, RefusalPart, TextPart, Thinking, ToolCall
from softix_proxy.dialects.translate.dialect_table import PROVIDERS
from softix_proxy.domain.pricing.meters import INPUT_METERS, OUTPUT_METERS, total

_SPEC = importlib.util.spec_from_file_location("golden_translate", Path(__file__).with_name("test_translate.py"))
assert _SPEC and _SPEC.loader
golden: Any = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(golden)

STOPS = {
    "chat_completions": {"end": "stop", "calls": "tool_calls", "length": "length", "filter": "content_filter"},
    "responses": {"end": "completed", "calls": "completed", "length": "max_output_tokens", "filter": "content_filter"},
    "messages": {"end": "end_turn", "calls": "tool_use", "length": "max_tokens", "filter": "refusal"},
    "generate_content": {"end": "STOP", "calls": "STOP", "length": "MAX_TOKENS", "filter": "SAFETY"},
}
ANSWERS = [case for case in golden.CASES if case[0].endswith(".answer.json")]
STREAMS = [case for case in golden.CASES if case[0].endswith(golden.STREAMED)]
ERRORS = [case for case in golden.CASES if case[0].endswith(".error.json")]


def told(answer: CanonicalAnswer, target: str) -> Said:
    """What the canonical answer says, as its first choice tells it in the target's words."""
    choice = answer.choices[0]
    refusal = "".join(part.text for part in choice.parts if isinstance(part, RefusalPart))
    text = "".join(part.text for part in choice.parts if isinstance(part, TextPart))
    apart = target in ("chat_completions", "responses")
    usage = answer.usage.meters if answer.usage else None
    reason = "filter" if refusal and not apart else choice.reason
    if target == "messages" and refusal:
        reason = choice.reason
    return Said(
        text=text if apart else text + refusal,
        thoughts="".join(part.text for part in choice.parts if isinstance(part, Thinking)),
        refusal=refusal if apart else "",
        calls=[(part.name, arguments_object(part.arguments)) for part in choice.parts if isinstance(part, ToolCall)],
        stop=STOPS[target].get(reason),
        input_tokens=total(usage, INPUT_METERS) if usage is not None else None,
        output_tokens=total(usage, OUTPUT_METERS) if usage is not None else None,
    )


def compared(found: Said, wanted: Said) -> tuple[Said, Said]:
    if wanted.input_tokens is None:  # Anthropic's usage is never absent
        found.input_tokens = found.output_tokens = None
    if wanted.stop is None:
        found.stop = None
    return found, wanted


def canonical(source: str) -> CanonicalAnswer:
    dialect = source.split("/")[0]
    if source.endswith(golden.STREAMED):
        answer: CanonicalAnswer = golden.folded(source, [golden.read(source)])
        return answer
    return accumulate(PROVIDERS[dialect].reader().read_whole(json.loads(golden.read(source))))


@pytest.mark.parametrize(("source", "target"), [*ANSWERS, *STREAMS])
def test_sdk_with_a_translated_answer_finds_the_same_content(source: str, target: str) -> None:
    answer = canonical(source)
    if not answer.ended:
        assert answer.failure or not answer.choices or source.endswith(golden.STREAMED)
        return
    found = read(target, golden.translated(source, target), stream=source.endswith(golden.STREAMED))
    first, second = compared(found, told(answer, target))
    assert first == second


@pytest.mark.parametrize(("source", "target"), ERRORS)
def test_sdk_with_a_translated_error_raises_its_own_class(source: str, target: str) -> None:
    status = int(source.split(".")[-3])
    error: Any = failure(target, status, golden.translated(source, target))
    classes = {400: "BadRequestError", 404: "NotFoundError", 429: "RateLimitError", 403: "PermissionDeniedError"}
    kind = type(error).__name__
    assert kind == ("ClientError" if target == "generate_content" else classes[status])
    said = json.loads(golden.read(source))
    message = (
        said["error"]["message"]
        if isinstance(said.get("error"), dict)
        else said.get("message") or said.get("Message", "")
    )
    assert message in str(error)
