"""Puts tags in the place of a client's words for the provider, and puts the words back for the client."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from softix_proxy.dialects.request.fields import JsonMembers
from softix_proxy.dialects.request.tags import INNER
from softix_proxy.domain.core.headers import Headers
from softix_proxy.relay.core.inbound import Client
from softix_proxy.relay.core.wrapped_client import WrappedClient
from softix_proxy.relay.request.forward import TagOf


def tagged(body: bytes, words: Sequence[tuple[str, str]], tag_of: TagOf) -> bytes:
    """Returns the body with tags as the values of these members. Every other byte stays."""
    tags = {name: msgspec.json.encode(tag_of(word)) for name, word in words}
    fields = JsonMembers(body, frozenset((*tags, INNER[0])))
    if (tag := tags.pop(".".join(INNER), None)) is not None:
        outer = JsonMembers(fields.raw(INNER[0]) or b"{}", frozenset(INNER))
        tags[INNER[0]] = outer.replaced({INNER[1]: tag})
    return fields.replaced(tags)


class UntaggedClient(WrappedClient):
    """The client to whom a response is sent with its own words.

    A response repeats the words as values of JSON, and its events are passed whole. So each tag is found as one text.
    """

    def __init__(self, client: Client, words: Sequence[tuple[str, str]], tag_of: TagOf) -> None:
        super().__init__(client)
        self._words = [(msgspec.json.encode(tag_of(word)), msgspec.json.encode(word)) for _, word in words]

    async def answer(self, status: int, headers: Headers, body: bytes) -> None:
        await self._client.answer(status, headers, self._untagged(body))

    def send(self, data: bytes) -> bool:
        return self._client.send(self._untagged(data))

    def _untagged(self, data: bytes) -> bytes:
        for tag, word in self._words:
            if tag in data:
                data = data.replace(tag, word)
        return data
