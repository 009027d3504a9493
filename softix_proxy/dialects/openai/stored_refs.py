"""Reads from the answers of OpenAI's dialects what the provider keeps of them: responses, their items, containers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import msgspec

from softix_proxy.dialects.request.fields import MALFORMED
from softix_proxy.domain.access.objects import ObjectRef, storable

STORED = frozenset(("response", "item", "conversation", "container", "cited_file"))
"""The kinds of things that a response leaves at the provider."""
AUDIO_STORED = frozenset(("audio",))
COMPLETION_STORED = AUDIO_STORED | {"completion"}
"""The kinds that a chat completion leaves at the provider if it is stored."""


class _Annotation(msgspec.Struct):
    file_id: Any = None
    container_id: Any = None


class _Part(msgspec.Struct):
    annotations: list[_Annotation] | None = None


class _Item(msgspec.Struct):
    id: Any = None
    content: list[_Part] | None = None
    container_id: Any = None
    results: list[_Annotation] | None = None


_ITEMS = msgspec.json.Decoder(list[_Item])
_IDS = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])


class _Stored(msgspec.Struct):
    id: Any = None
    conversation: Any = None
    output: msgspec.Raw = msgspec.Raw()
    store: Any = None


_STORED = msgspec.json.Decoder(_Stored)


def of_response(answer: bytes) -> tuple[ObjectRef, ...]:
    """Returns what is kept of a whole response. It is nothing if the response says so."""
    try:
        stored = _STORED.decode(answer)
    except MALFORMED:
        return ()
    return () if stored.store is False else stored_refs_of(stored.id, stored.conversation, stored.output)


def stored_refs_of(name: object, conversation: object, output: msgspec.Raw) -> tuple[ObjectRef, ...]:
    """Returns what is kept, by the members of a response. Ids that are no names are left out."""
    found = [("response", name)]
    if conversation is not None:
        found.append(("conversation", conversation.get("id") if isinstance(conversation, dict) else conversation))
    found += _in_items(output)
    return storable(found)


def _in_items(output: msgspec.Raw) -> Iterator[tuple[str, Any]]:
    try:
        items = _ITEMS.decode(output)
    except MALFORMED:
        yield from _ids_only(output)
        return
    for item in items:
        yield "item", item.id
        yield "container", item.container_id
        for quoted in (
            *(item.results or ()),
            *(each for part in item.content or () for each in part.annotations or ()),
        ):
            yield "cited_file", quoted.file_id
            yield "container", quoted.container_id


def _ids_only(output: msgspec.Raw) -> Iterator[tuple[str, Any]]:
    """Yields the ids of items of which a part has another form than today's."""
    try:
        items = _IDS.decode(output)
    except MALFORMED:
        return
    for item in items:
        with suppress(*MALFORMED):  # a name in broken UTF-8 is none that a client could send
            yield "item", msgspec.json.decode(item.get("id", b"null"))


class _Voice(msgspec.Struct):
    audio: Any = None


class _Choice(msgspec.Struct):
    message: _Voice | None = None


class _Completion(msgspec.Struct):
    id: Any = None
    choices: list[_Choice] | None = None


_COMPLETION = msgspec.json.Decoder(_Completion)


def of_completion(answer: bytes) -> tuple[ObjectRef, ...]:
    """Returns what is kept of a chat completion: itself, and what was spoken in it."""
    try:
        completion = _COMPLETION.decode(answer)
    except MALFORMED:
        return ()
    spoken = [choice.message.audio for choice in completion.choices or () if choice.message is not None]
    return stored_refs_of_completion(completion.id, spoken)


def stored_refs_of_completion(name: object, spoken: list[Any]) -> tuple[ObjectRef, ...]:
    found = [("completion", name), *(("audio", each.get("id")) for each in spoken if isinstance(each, dict))]
    return storable(found)
