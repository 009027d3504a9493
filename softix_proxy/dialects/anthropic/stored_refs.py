"""Reads from the answers of Anthropic's messages what the provider keeps of them: containers, and held messages."""

from __future__ import annotations

from typing import Any

import msgspec

from softix_proxy.dialects.request.fields import MALFORMED
from softix_proxy.domain.access.objects import ObjectRef, storable

STORED = frozenset(("container", "file"))
"""The kinds of things that an answer may leave at the provider."""
THREAD_STORED = STORED | {"message"}
"""The kinds if the request asked the provider to hold the state of the conversation under the answer's id."""


class _Block(msgspec.Struct):
    content: Any = None


class _Answer(msgspec.Struct):
    id: Any = None
    container: Any = None
    content: list[_Block] | None = None


_ANSWER = msgspec.json.Decoder(_Answer)


def of_message(answer: bytes) -> tuple[ObjectRef, ...]:
    """Returns what is kept of a whole answer. The files that code wrote are in its container."""
    try:
        message = _ANSWER.decode(answer)
    except MALFORMED:
        return ()
    found = stored_refs_of(message.id, message.container)
    if message.container is not None:
        written = [each for block in message.content or () for each in _files(block.content)]
        found += storable(("file", each) for each in written)
    return found


def stored_refs_of(name: object, container: object) -> tuple[ObjectRef, ...]:
    inner = container.get("id") if isinstance(container, dict) else container
    return storable((("message", name), ("container", inner)))


def _files(content: Any) -> list[Any]:
    """Returns the ids of files in the result of a code execution: `content.content[].file_id`."""
    inner = content.get("content") if isinstance(content, dict) else None
    return [each.get("file_id") for each in inner if isinstance(each, dict)] if isinstance(inner, list) else []
