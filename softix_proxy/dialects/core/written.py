"""Measures the text of a whole response. It is used only if the usage report is missing or doubtful.

A response is mostly names, ids, probabilities and the results of tools and searches. Base64 may be many times as long
as the text for which it stands. So the members that count are listed, and the rest is skipped.
"""

from __future__ import annotations

from typing import Any

import msgspec

from softix_proxy.dialects.request.fields import MALFORMED


class _Choice(msgspec.Struct):
    """One choice. Beside its message it may have the probabilities of each token, which are not even decoded."""

    message: Any = None
    text: Any = None


class _Answer(msgspec.Struct):
    """The top-level members in which the dialects have the model's output."""

    choices: list[_Choice] | None = None
    output: Any = None
    content: Any = None
    candidates: Any = None
    text: Any = None


_ANSWER = msgspec.json.Decoder(_Answer)
_TOP = ("message", "content", "parts", "audio", "summary")
_CALLS = ("tool_calls", "function_call", "functionCall", "function", "custom", "toolUse", "executableCode")
_THOUGHTS = ("reasoning_content", "reasoning", "reasoningContent", "reasoningText", "thinking")
_TEXTS = ("text", "refusal", "transcript", "code")
_ARGUMENTS = frozenset(("arguments", "args", "input"))
"""The arguments of a call: a text, or an object that the model wrote as text."""
_READ = frozenset((*_TOP, *_CALLS, *_THOUGHTS, *_TEXTS))
_BROUGHT = ("_result", "_output")
"""The suffixes of the types that contain a tool's result, which no model produced."""


def written_text(answer: bytes) -> str:
    """Returns the text, the reasoning and the call arguments that the model produced.

    If the body is no JSON object, it is all of it.
    """
    try:
        found = _ANSWER.decode(answer)
    except MALFORMED:
        return answer.decode(errors="replace")
    left = [found.output, found.content, found.candidates]
    left += [part for choice in found.choices or () for part in (choice.message, choice.text)]
    if isinstance(found.text, str):
        left.append(found.text)
    texts: list[str] = []
    while left:
        value = left.pop()
        if isinstance(value, str):
            texts.append(value)
        elif isinstance(value, list):
            left += value
        elif isinstance(value, dict) and not _is_brought(value.get("type")):
            texts += _of_arguments(value, left)
            left += [inner for name, inner in value.items() if name in _READ and not _is_repeated(name, value)]
    return " ".join(texts)


def _of_arguments(call: dict[str, Any], left: list[Any]) -> list[str]:
    """Returns the arguments that are an object, as text. Arguments that are text are left to be found as text."""
    texts: list[str] = []
    for name in _ARGUMENTS & call.keys():
        given = call[name]
        if isinstance(given, dict):
            texts += [msgspec.json.encode(given).decode()] if given else []
        else:
            left.append(given)
    return texts


def _is_brought(kind: object) -> bool:
    return isinstance(kind, str) and kind.endswith(_BROUGHT)


def _is_repeated(name: str, value: dict[str, Any]) -> bool:
    """Returns whether the member repeats another one. Some servers send the same reasoning under both of its names."""
    return name == "reasoning" and bool(value.get("reasoning_content"))
