"""Finds out of an answer what the provider keeps of it, so that softix knows whose it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from softix_proxy.dialects.anthropic.stored_refs import of_message
from softix_proxy.dialects.openai.stored_refs import of_completion, of_response
from softix_proxy.domain.access.objects import ObjectRef

_OF: Mapping[str, Callable[[bytes], tuple[ObjectRef, ...]]] = {
    "responses": of_response,
    "chat_completions": of_completion,
    "messages": of_message,
}
"""The endpoints whose answers leave something at the provider."""
_CONTAINER = b'"container"'


def stored_refs_in(endpoint: str, answer: bytes, kinds: frozenset[str]) -> tuple[ObjectRef, ...]:
    """Returns what is kept of a whole answer of the endpoint. `kinds` is what the request has kept."""
    read = _OF.get(endpoint)
    if read is None or (read is of_message and "message" not in kinds and _CONTAINER not in answer):
        return ()
    return read(answer)
