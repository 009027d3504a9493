"""One request between two dialects: what goes to the provider, and what comes back of it."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from softix_proxy.dialects.fields import invalid
from softix_proxy.dialects.spoken import CARRIED, COUNTS, STREAMS_BY_PATH, dialect_of
from softix_proxy.dialects.translate.canonical import CanonicalEvent, CanonicalRequest, Occasion, Setting
from softix_proxy.dialects.translate.counts import Count, Silent
from softix_proxy.dialects.translate.customs import Customs
from softix_proxy.dialects.translate.envelopes import Adaptation, Translated, Unwrapper
from softix_proxy.dialects.translate.fold import fold
from softix_proxy.dialects.translate.losses import Losses, losses
from softix_proxy.dialects.translate.table import (
    DIALECTS,
    PROVIDERS,
    DialectCodec,
    ProviderSide,
)
from softix_proxy.dialects.translate.wire import encode, read_object, seen_object
from softix_proxy.dialects.translate.write_error import translated_error
from softix_proxy.domain.errors import Code, RefusedError

_NOTHING = CanonicalRequest(model="", turns=())


class StreamTranslator:
    """The provider's bytes in, the client's bytes out, however they are split."""

    def __init__(self, provider: ProviderSide, client: DialectCodec, occasion: Occasion, customs: Customs) -> None:
        self._framer = provider.framer()
        self._reader = provider.reader()
        self._writer = client.writer(occasion)
        self._customs = customs

    def feed(self, chunk: bytes) -> bytes:
        read = self._reader.read
        passed = b"".join([self._write(read(found)) for found in self._framer.feed(chunk)])
        return passed + self._write(self._reader.end()) if self._framer.done else passed

    def end(self) -> bytes:
        """What is left to say, if the provider had ended its answer; a stream that broke off stays broken."""
        rest = [self._write(self._reader.read(found)) for found in self._framer.end()]
        return b"".join([*rest, self._write(self._reader.end())])

    def _write(self, events: Iterable[CanonicalEvent]) -> bytes:
        write, customs = self._writer.write, self._customs
        if customs.names:
            return b"".join([write(event) for found in events for event in customs.take(found)])
        return b"".join([write(event) for event in events])


class Translation:
    """Of one request, and of its answer. `request` comes first: an answer is written for what was asked."""

    def __init__(self, client: str, provider: str, occasion: Occasion, *, by_path: bool) -> None:
        self._by_path = by_path
        self._names = (client, provider)
        self._client, self._provider = DIALECTS[client], PROVIDERS[provider]
        self._occasion = occasion
        self._customs: frozenset[str] = frozenset()
        self.failed = False
        """The answer told, with a good status, that it failed: in the client's dialect that is an error."""

    def request(self, body: bytes, setting: Setting) -> Translated:
        """Raises RefusedError(INVALID_REQUEST), which quotes no input, where something must not be lost."""
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
        self._occasion = msgspec.structs.replace(self._occasion, request=request)
        if not self._provider.has_custom_tools:
            self._customs = frozenset(tool.name for tool in request.tools if tool.custom)
        return Translated(written, tuple(reading.found))

    def answer(self, body: bytes) -> bytes:
        """Raises RefusedError(PROVIDER_BROKE_OFF) for what is no answer of the provider's dialect."""
        found = seen_object(body)
        if found is None:
            raise RefusedError(Code.PROVIDER_BROKE_OFF, "The provider's answer is not what its API promises.")
        answer = fold(self._told(self._provider.reader().read_whole(found)))
        if answer.failure is not None:
            self.failed = True
            return encode(self._client.write_error(answer.failure.kind, answer.failure.message))
        return encode(self._client.write_answer(answer, self._occasion))

    def _told(self, events: Iterable[CanonicalEvent]) -> Iterable[CanonicalEvent]:
        if not self._customs:
            return events
        customs = Customs(self._customs)
        return (event for read in events for event in customs.take(read))

    def error(self, status: int, body: bytes, named: str = "") -> bytes:
        """The provider's error for the client, whose SDK raises what it raises for its own provider's."""
        return translated_error(self._client.write_error, status, body, named)

    def stream(self) -> StreamTranslator:
        return StreamTranslator(self._provider, self._client, self._occasion, Customs(self._customs))


def _check_tools(request: CanonicalRequest, reading: Losses) -> None:
    """A request that is about tools of a provider's own is not sent without them."""
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
    """Between two endpoints, by their names; None where none is needed, or possible.

    `id` stands for the answer where the provider gives none: letters, digits and underscores. `array`: the client is
    Gemini's and did not ask for events, so its stream is one JSON array.
    """
    if client in COUNTS and provider in COUNTS:
        return Count(client, provider) if client != provider else None
    spoken, there = dialect_of(client), dialect_of(provider)
    if spoken is None or there is None or spoken == there:
        return None
    envelope = PROVIDERS[there].envelope
    if envelope is not None and spoken == CARRIED:
        return Adaptation(envelope)
    occasion = Occasion(request=_NOTHING, id=id, now_s=now_s, array=array)
    return Translation(spoken, there, occasion, by_path=client in STREAMS_BY_PATH)
