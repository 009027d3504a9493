"""Translates between a client and a provider of another dialect, in both directions.

The rest of the relay handles the provider's own bytes: they are metered before they are translated.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from softix_proxy.dialects.core.base import ProviderEndpoint, RequestSpec
from softix_proxy.dialects.core.errors import ERROR_TYPE, error_type
from softix_proxy.dialects.core.spoken import STREAMS_BY_PATH
from softix_proxy.dialects.registry import PROVIDER_ENDPOINTS, counting, serves, streaming
from softix_proxy.dialects.request.fields import invalid, is_dense
from softix_proxy.dialects.translate import Interpretation, StreamInterpretation, WriteOptions, translation
from softix_proxy.domain.core.clock import SECOND_US
from softix_proxy.domain.core.errors import RefusedError
from softix_proxy.domain.core.headers import Header, Headers
from softix_proxy.relay.core.inbound import Client, Inbound
from softix_proxy.relay.core.plan import Target
from softix_proxy.relay.core.wrapped_client import WrappedClient

DROPPED = "x-softix-dropped"
_JSON, _EVENTS = "application/json", "text/event-stream"
_OK = 300
_FIRST_BAD = 400
_FAILED = 502
"""The status of a response whose body says that it failed.

Clients that go by the status would take it for a success.
"""


@dataclass(frozen=True, slots=True)
class Interpreted:
    """The client, body and target that replace the original ones when a request is translated."""

    client: Client
    body: bytes
    target: Target


def interpret(
    request: Inbound, client: Client, target: Target, spec: RequestSpec, body: bytes, output_limit: int | None
) -> Interpreted:
    """Translates a request for a target that speaks another dialect. Raises RefusedError if no dialect can express it.

    The provider may speak several dialects, and the target names its best one. Another one is used if the best one
    cannot express something that must not be lost.
    """
    if is_dense(body):
        raise invalid("The request has too many parts to be translated for the provider of this model. Send fewer.")
    array = request.endpoint.name in STREAMS_BY_PATH and "alt=sse" not in request.path
    name, now_s = request.public_id.rpartition("_")[2], request.started_at_us // SECOND_US
    setting, refusals = _setting(request, target, output_limit), list[RefusedError]()
    for endpoint in _endpoints(target, spec.stream):
        found = translation(request.endpoint.name, endpoint.name, id=name, now_s=now_s, array=array)
        if found is None:
            continue
        try:
            translated = found.request(body, setting)
        except RefusedError as error:
            refusals.append(error)
        else:
            interpreter = Interpreter(client, found, translated.dropped, _JSON if array else _EVENTS)
            if endpoint is not target.endpoint:
                target = replace(target, endpoint=endpoint)
            return Interpreted(interpreter, translated.body, target)
    raise refusals[0]


def _endpoints(target: Target, stream: bool) -> Iterator[ProviderEndpoint]:
    """Returns the provider's endpoints. The best one is first."""
    best, spoken, model = target.endpoint.name, target.provider.profile.endpoints, target.model.upstream_name
    yield _of_kind(best, stream, model)
    for name in PROVIDER_ENDPOINTS:
        if name != best and name in spoken and serves(name, model):
            yield _of_kind(name, stream, model)


def _of_kind(name: str, stream: bool, model: str) -> ProviderEndpoint:
    endpoint = PROVIDER_ENDPOINTS[name]
    return counting(streaming(endpoint) if stream else endpoint, model)


def _setting(request: Inbound, target: Target, output_limit: int | None) -> WriteOptions:
    most, profile = target.model.max_output_tokens, target.provider.profile
    if output_limit is not None and most is not None:  # the limit may come from the model of another target
        output_limit = min(output_limit, most)
    named = [value for name, value in request.headers if name == "anthropic-beta"]
    return WriteOptions(
        model=target.model.upstream_name,
        most_output_tokens=most,
        output_limit=output_limit,
        output_field=profile.output_field or "max_completion_tokens",
        more_output_fields=profile.other_output_fields if profile.takes_all_limits else (),
        wraps_counts=profile.wraps_counts,
        betas=[beta for value in named for beta in map(str.strip, value.split(",")) if beta],
    )


class Interpreter(WrappedClient):
    """The client to whom the provider's bytes are sent, and who gets them translated."""

    def __init__(self, client: Client, found: Interpretation, dropped: tuple[str, ...], kind: str) -> None:
        super().__init__(client)
        self._translation = found
        self._dropped = dropped
        self._kind = kind

    @cached_property
    def _stream(self) -> StreamInterpretation:
        return self._translation.stream()

    async def answer(self, status: int, headers: Headers, body: bytes) -> None:
        if status < _OK:
            body = self._translation.answer(body)
            status = _FAILED if self._translation.failed else status
        elif status >= _FIRST_BAD:
            body = self._translation.error(status, body, error_type(headers))
        await self._client.answer(status, self._headers(headers, _JSON), body)

    async def begin(self, status: int, headers: Headers) -> None:
        await self._client.begin(status, self._headers(headers, self._kind))

    def send(self, data: bytes) -> bool:
        passed = self._stream.feed(data)
        return self._client.send(passed) if passed else True

    async def end(self) -> None:
        if rest := self._stream.end():
            self._client.send(rest)
        await self._client.end()

    def _headers(self, headers: Headers, kind: str) -> list[Header]:
        kept = [header for header in headers if header[0] not in ("content-type", ERROR_TYPE, DROPPED)]
        kept.append(("content-type", kind))
        if self._dropped:
            kept.append((DROPPED, ", ".join(self._dropped)))
        return kept
