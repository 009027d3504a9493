"""Translates one request for the provider, and the provider's response for the client."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from softix_proxy.dialects.canonical.accumulate import accumulate
from softix_proxy.dialects.canonical.json_values import encode, read_object, seen_object
from softix_proxy.dialects.canonical.losses import Losses, losses
from softix_proxy.dialects.canonical.types import CanonicalEvent, CanonicalRequest, ResponseContext, WriteOptions
from softix_proxy.dialects.canonical.write_error import translated_error
from softix_proxy.dialects.core.spoken import CARRIED, COUNTS, STREAMS_BY_PATH, dialect_of
from softix_proxy.dialects.request.fields import invalid
from softix_proxy.dialects.translate.custom_tools import Customs
from softix_proxy.dialects.translate.dialect_table import DIALECTS, PROVIDERS, DialectCodec, ProviderSide
from softix_proxy.dialects.translate.envelopes import Adaptation, Translated, Unwrapper
from softix_proxy.dialects.translate.token_counts import Count, Silent
from softix_proxy.domain.core.errors import Code, RefusedError

_NOTHING = CanonicalRequest(model="", turns=())


class StreamTranslator:
    """A translator of the provider's bytes into the client's bytes. The bytes may be split anywhere."""

    def __init__(
        self, provider: ProviderSide, client: DialectCodec, context: ResponseContext, customs: Customs
    ) -> None:
        self._framer = provider.framer()
        self._reader = provider.reader()
        self._writer = client.writer(context)
        self._customs = customs

    def feed(self, chunk: bytes) -> bytes:
        read = self._reader.read
        passed = b"".join([self._write(read(found)) for found in self._framer.feed(chunk)])
        return passed + self._write(self._reader.end()) if self._framer.done else passed

    def end(self) -> bytes:
        """Returns the remaining bytes if the provider has ended its response.

        A stream that broke off stays incomplete.
        """
        rest = [self._write(self._reader.read(found)) for found in self._framer.end()]
        return b"".join([*rest, self._write(self._reader.end())])

    def _write(self, events: Iterable[CanonicalEvent]) -> bytes:
        write, customs = self._writer.write, self._customs
        if customs.names:
            return b"".join([write(event) for found in events for event in customs.take(found)])
        return b"".join([write(event) for event in events])


class Translation:
    """The translation of one request and of its response.

    `request` must be called first, since the response depends on it.
    """

    def __init__(self, client: str, provider: str, context: ResponseContext, *, by_path: bool) -> None:
        self._by_path = by_path
        self._names = (client, provider)
        self._client, self._provider = DIALECTS[client], PROVIDERS[provider]
        self._context = context
        self._customs: frozenset[str] = frozenset()
        self.failed = False
        """Whether a response with a good status reported a failure. The client's dialect shows it as an error."""

    def request(self, body: bytes, setting: WriteOptions) -> Translated:
        """Translates a request. Raises RefusedError(INVALID_REQUEST) if it says something that must not be lost.

        The message of the error quotes no input.
        """
        reading, writing = losses(*self._names)
        try:
            request = self._client.read_request(read_object(body), reading)
            if self._by_path:
                request = msgspec.structs.replace(request, stream=True)
            if setting.output_limit is not None:
                request = msgspec.structs.replace(request, max_output_tokens=setting.output_limit)
            _check_tools(request, reading)
            written = encode(self._provider.write_request(request, setting, writing))
        except RecursionError:
            raise invalid("The request is nested too deeply.") from None
        self._context = msgspec.structs.replace(self._context, request=request)
        if not self._provider.has_custom_tools:
            self._customs = frozenset(tool.name for tool in request.tools if tool.custom)
        return Translated(written, tuple(reading.found))

    def answer(self, body: bytes) -> bytes:
        """Translates a response. Raises RefusedError(PROVIDER_BROKE_OFF) if it is not in the provider's dialect."""
        found = seen_object(body)
        if found is None:
            raise RefusedError(Code.PROVIDER_BROKE_OFF, "The provider's answer is not what its API promises.")
        answer = accumulate(self._told(self._provider.reader().read_whole(found)))
        if answer.failure is not None:
            self.failed = True
            return encode(self._client.write_error(answer.failure.kind, answer.failure.message))
        return encode(self._client.write_answer(answer, self._context))

    def _told(self, events: Iterable[CanonicalEvent]) -> Iterable[CanonicalEvent]:
        if not self._customs:
            return events
        customs = Customs(self._customs)
        return (event for read in events for event in customs.take(read))

    def error(self, status: int, body: bytes, named: str = "") -> bytes:
        """Translates the provider's error. The client's SDK then raises the same exception as for its own provider."""
        return translated_error(self._client.write_error, status, body, named)

    def stream(self) -> StreamTranslator:
        return StreamTranslator(self._provider, self._client, self._context, Customs(self._customs))


def _check_tools(request: CanonicalRequest, reading: Losses) -> None:
    """Raises RefusedError if the request depends on the provider's own tools, which are not translated."""
    if "hosted_tools" in reading.found:
        forced = request.tool_choice.names if request.tool_choice else ()
        if not request.tools or not {tool.name for tool in request.tools}.issuperset(forced):
            reading.meet("only_hosted_tools")


Interpretation = Translation | Adaptation | Count
StreamInterpretation = StreamTranslator | Unwrapper | Silent


def translation(
    client: str,
    provider: str,
    *,
    id: str,  # noqa: A002
    now_s: int,
    array: bool = False,
) -> Interpretation | None:
    """Returns the translation between two endpoints by their names. None if it is not necessary or not possible.

    `id` is the id of the response if the provider gives none. It has letters, digits and underscores. `array` is true
    if the client is Gemini's and did not request events. Its stream is then one JSON array.
    """
    if client in COUNTS and provider in COUNTS:
        return Count(client, provider) if client != provider else None
    spoken, there = dialect_of(client), dialect_of(provider)
    if spoken is None or there is None or spoken == there:
        return None
    envelope = PROVIDERS[there].envelope
    if envelope is not None and spoken == CARRIED:
        return Adaptation(envelope)
    context = ResponseContext(request=_NOTHING, id=id, now_s=now_s, array=array)
    return Translation(spoken, there, context, by_path=client in STREAMS_BY_PATH)
