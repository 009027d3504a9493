"""The table of the dialects that are translated, by the names of their endpoints."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, Protocol

from softix_proxy.dialects.anthropic.read_answer import ReadAnswer as ReadMessages
from softix_proxy.dialects.anthropic.read_request import read_request as read_messages
from softix_proxy.dialects.anthropic.write_answer import WriteStream as StreamMessages
from softix_proxy.dialects.anthropic.write_answer import write_answer as answer_messages
from softix_proxy.dialects.anthropic.write_request import write_request as write_messages
from softix_proxy.dialects.bedrock.read_answer import ReadAnswer as ReadConverse
from softix_proxy.dialects.bedrock.write_request import write_request as write_converse
from softix_proxy.dialects.canonical.framing import Framer
from softix_proxy.dialects.canonical.json_values import Object
from softix_proxy.dialects.canonical.losses import Losses
from softix_proxy.dialects.canonical.types import (
    CanonicalAnswer,
    CanonicalEvent,
    CanonicalRequest,
    ResponseContext,
    WriteOptions,
)
from softix_proxy.dialects.canonical.write_error import anthropic_error, google_error, openai_error
from softix_proxy.dialects.gemini.read_answer import ReadAnswer as ReadGemini
from softix_proxy.dialects.gemini.read_request import read_request as read_gemini
from softix_proxy.dialects.gemini.write_answer import WriteStream as StreamGemini
from softix_proxy.dialects.gemini.write_answer import write_answer as answer_gemini
from softix_proxy.dialects.gemini.write_request import write_request as write_gemini
from softix_proxy.dialects.openai.chat.read_answer import ReadAnswer as ReadChat
from softix_proxy.dialects.openai.chat.read_request import read_request as read_chat
from softix_proxy.dialects.openai.chat.write_answer import WriteStream as StreamChat
from softix_proxy.dialects.openai.chat.write_answer import write_answer as answer_chat
from softix_proxy.dialects.openai.chat.write_request import write_request as write_chat
from softix_proxy.dialects.openai.responses.read_answer import ReadAnswer as ReadResponses
from softix_proxy.dialects.openai.responses.read_request import read_request as read_responses
from softix_proxy.dialects.openai.responses.write_answer import WriteStream as StreamResponses
from softix_proxy.dialects.openai.responses.write_answer import write_answer as answer_responses
from softix_proxy.dialects.openai.responses.write_request import write_request as write_responses
from softix_proxy.dialects.translate.envelopes import INVOKE, RAW_PREDICT, Envelope
from softix_proxy.dialects.translate.envelopes import writer as enveloped
from softix_proxy.dialects.translate.frames import Chunks, Frames


class AnswerReader(Protocol):
    """A reader of one response. It never raises, whatever a provider sends."""

    def read_whole(self, answer: Object) -> Iterator[CanonicalEvent]: ...

    def read(self, event: Object) -> Iterator[CanonicalEvent]:
        """Reads the next object of a stream."""
        ...

    def end(self) -> Iterator[CanonicalEvent]:
        """Handles the end of the stream."""
        ...


class StreamWriter(Protocol):
    """A writer of one stream."""

    def write(self, event: CanonicalEvent) -> bytes: ...


class DialectCodec(NamedTuple):
    read_request: Callable[[Object, Losses], CanonicalRequest]
    write_request: Callable[[CanonicalRequest, WriteOptions, Losses], Object]
    reader: Callable[[], AnswerReader]
    write_answer: Callable[[CanonicalAnswer, ResponseContext], Object]
    writer: Callable[[ResponseContext], StreamWriter]
    write_error: Callable[[str, str], Object]
    has_custom_tools: bool = False


DIALECTS: Mapping[str, DialectCodec] = {
    "chat_completions": DialectCodec(
        read_chat, write_chat, ReadChat, answer_chat, StreamChat, openai_error, has_custom_tools=True
    ),
    "responses": DialectCodec(
        read_responses,
        write_responses,
        ReadResponses,
        answer_responses,
        StreamResponses,
        openai_error,
        has_custom_tools=True,
    ),
    "messages": DialectCodec(
        read_messages, write_messages, ReadMessages, answer_messages, StreamMessages, anthropic_error
    ),
    "generate_content": DialectCodec(read_gemini, write_gemini, ReadGemini, answer_gemini, StreamGemini, google_error),
}


class ProviderSide(NamedTuple):
    """The functions for a provider's side of a translation, for every client."""

    write_request: Callable[[CanonicalRequest, WriteOptions, Losses], Object]
    reader: Callable[[], AnswerReader]
    has_custom_tools: bool = False
    framer: Callable[[], Framer | Frames] = Framer
    envelope: Envelope | None = None
    """The envelope in which it accepts Anthropic's messages."""


PROVIDERS: Mapping[str, ProviderSide] = {
    **{name: ProviderSide(of.write_request, of.reader, of.has_custom_tools) for name, of in DIALECTS.items()},
    "converse": ProviderSide(write_converse, ReadConverse, framer=Frames),
    "invoke": ProviderSide(enveloped(INVOKE), ReadMessages, framer=Chunks, envelope=INVOKE),
    "raw_predict": ProviderSide(enveloped(RAW_PREDICT), ReadMessages, envelope=RAW_PREDICT),
}
"""The dialects of clients, and those that only providers speak."""
