"""Translates requests that count input tokens, from the client's dialect to the provider's, and the counts back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from softix_proxy.dialects.canonical.json_values import Object, child, encode, names, read_object, seen_object
from softix_proxy.dialects.canonical.losses import losses
from softix_proxy.dialects.canonical.types import WriteOptions
from softix_proxy.dialects.canonical.write_error import translated_error
from softix_proxy.dialects.core.spoken import COUNTS
from softix_proxy.dialects.translate.dialect_table import DIALECTS
from softix_proxy.dialects.translate.envelopes import Translated
from softix_proxy.domain.core.errors import Code, RefusedError

_LIMIT = "no_output_limit"
"""The loss of a missing output limit. A count produces no output, so it needs no limit."""


class _Way(NamedTuple):
    """The format of one dialect for a request to count tokens and for the count."""

    unwrap: Callable[[Object], Object]
    wrap: Callable[[Object, WriteOptions], Object]
    field: str
    kind: str = ""


def _only(kept: frozenset[str]) -> Callable[[Object, WriteOptions], Object]:
    return lambda body, setting: {name: value for name, value in body.items() if name in kept}


def _whole(body: Object) -> Object:
    return body


def _inner(body: Object) -> Object:
    """Returns the request to count.

    Google's SDK sends only the parts to count. Other clients send the request that they would send later.
    """
    return child(body, "generateContentRequest") or child(body, "generate_content_request") or body


def _as_request(body: Object, setting: WriteOptions) -> Object:
    model = setting.model
    if not setting.wraps_counts:
        return body
    return {"generateContentRequest": {"model": f"models/{model.removeprefix('models/')}", **body}}


_WAYS: Mapping[str, _Way] = {
    "responses": _Way(
        _whole,
        _only(names("model input instructions tools tool_choice parallel_tool_calls reasoning text truncation")),
        "input_tokens",
        "response.input_tokens",
    ),
    "messages": _Way(
        _whole, _only(names("model messages system tools tool_choice thinking output_config")), "input_tokens"
    ),
    "generate_content": _Way(_inner, _as_request, "totalTokens"),
}


class Silent:
    """A translator of streams without output. A count does not stream, and a stream of one is not passed on."""

    def feed(self, chunk: bytes) -> bytes:
        return b""

    def end(self) -> bytes:
        return b""


class Count:
    """The translation of one count."""

    failed = False
    """It is always false, since errors of a count have an error status."""

    def __init__(self, client: str, provider: str) -> None:
        """`client` and `provider` are the names of the endpoints."""
        self._names = (COUNTS[client], COUNTS[provider])

    def request(self, body: bytes, setting: WriteOptions) -> Translated:
        """Translates the request. Raises RefusedError as a translation of the counted request does."""
        client, provider = self._names
        reading, writing = losses(client, provider)
        node = _WAYS[client].unwrap(read_object(body))
        request = DIALECTS[client].read_request(node, reading)
        written = DIALECTS[provider].write_request(request, setting, writing)
        return Translated(
            encode(_WAYS[provider].wrap(written, setting)), tuple(name for name in reading.found if name != _LIMIT)
        )

    def answer(self, body: bytes) -> bytes:
        """Translates the response. Raises RefusedError(PROVIDER_BROKE_OFF) if it is no count."""
        client, provider = (_WAYS[name] for name in self._names)
        count = (seen_object(body) or {}).get(provider.field)
        if not isinstance(count, int) or isinstance(count, bool):
            raise RefusedError(Code.PROVIDER_BROKE_OFF, "The provider's answer is no count of tokens.")
        return encode({"object": client.kind, client.field: count} if client.kind else {client.field: count})

    def error(self, status: int, body: bytes, named: str = "") -> bytes:
        return translated_error(DIALECTS[self._names[0]].write_error, status, body, named)

    def stream(self) -> Silent:
        return Silent()
