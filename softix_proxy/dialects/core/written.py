"""How much text a whole answer has: looked at only where its report is missing, or leaves a doubt.

An answer is mostly names, ids, probabilities, and what tools and searches brought in; base64 may be many times its
text. So what counts is listed, and the rest is passed over.
"""

from __future__ import annotations

from typing import Any

import msgspec

from softix_proxy.dialects.core.fields import MALFORMED


class _Choice(msgspec.Struct):
    """Beside its message it may have the probabilities of each token, which are not even decoded."""

    message: Any = None
    text: Any = None


class _Answer(msgspec.Struct):
    """Where the dialects have what the model made: at the top."""

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
"""Of a call: text, or an object that the model wrote as text."""
_READ = frozenset((*_TOP, *_CALLS, *_THOUGHTS, *_TEXTS))
_BROUGHT = ("_result", "_output")
"""How the types end of what a tool gave, which no model made."""


def written_bytes(answer: bytes) -> int:
    """Of the text, thoughts and arguments of calls that the model made; all bytes of what is no JSON object."""
    try:
        found = _ANSWER.decode(answer)
    except MALFORMED:
        return len(answer)
    left = [found.output, found.content, found.candidates]
    left += [part for choice in found.choices or () for part in (choice.message, choice.text)]
    if isinstance(found.text, str):
        left.append(found.text)
    size_bytes = 0
    while left:
        value = left.pop()
        if isinstance(value, str):
            size_bytes += len(value) if value.isascii() else len(value.encode(errors="replace"))
        elif isinstance(value, list):
            left += value
        elif isinstance(value, dict) and not _is_brought(value.get("type")):
            size_bytes += _of_arguments(value, left)
            left += [inner for name, inner in value.items() if name in _READ and not _is_repeated(name, value)]
    return size_bytes


def _of_arguments(call: dict[str, Any], left: list[Any]) -> int:
    """Of those that are an object; what is text is left to be counted as text."""
    size_bytes = 0
    for name in _ARGUMENTS & call.keys():
        given = call[name]
        if isinstance(given, dict):
            size_bytes += len(msgspec.json.encode(given)) if given else 0
        else:
            left.append(given)
    return size_bytes


def _is_brought(kind: object) -> bool:
    return isinstance(kind, str) and kind.endswith(_BROUGHT)


def _is_repeated(name: str, value: dict[str, Any]) -> bool:
    """Some servers tell the same thoughts under both of their names."""
    return name == "reasoning" and bool(value.get("reasoning_content"))
