"""The dialects that are translated, by the names of their endpoints."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, Protocol

from softix_proxy.dialects.translate.canonical import (
    CanonicalAnswer,
    CanonicalEvent,
    CanonicalRequest,
    Occasion,
    Setting,
)
from softix_proxy.dialects.translate.chat.read_answer import ReadAnswer as ReadChat
from softix_proxy.dialects.translate.chat.read_request import read_request as read_chat
from softix_proxy.dialects.translate.chat.write_answer import WriteStream as StreamChat
from softix_proxy.dialects.translate.chat.write_answer import write_answer as answer_chat
from softix_proxy.dialects.translate.chat.write_request import write_request as write_chat
from softix_proxy.dialects.translate.converse.read_answer import ReadAnswer as ReadConverse
from softix_proxy.dialects.translate.converse.write_request import write_request as write_converse
from softix_proxy.dialects.translate.envelopes import INVOKE, RAW_PREDICT, Envelope
from softix_proxy.dialects.translate.envelopes import writer as enveloped
from softix_proxy.dialects.translate.frames import Chunks, Frames
from softix_proxy.dialects.translate.framing import Framer
from softix_proxy.dialects.translate.gemini.read_answer import ReadAnswer as ReadGemini
from softix_proxy.dialects.translate.gemini.read_request import read_request as read_gemini
from softix_proxy.dialects.translate.gemini.write_answer import WriteStream as StreamGemini
from softix_proxy.dialects.translate.gemini.write_answer import write_answer as answer_gemini
from softix_proxy.dialects.translate.gemini.write_request import write_request as write_gemini
from softix_proxy.dialects.translate.losses import Losses
from softix_proxy.dialects.translate.messages.read_answer import ReadAnswer as ReadMessages
from softix_proxy.dialects.translate.messages.read_request import read_request as read_messages
from softix_proxy.dialects.translate.messages.write_answer import WriteStream as StreamMessages
from softix_proxy.dialects.translate.messages.write_answer import write_answer as answer_messages
from softix_proxy.dialects.translate.messages.write_request import write_request as write_messages
from softix_proxy.dialects.translate.responses.read_answer import ReadAnswer as ReadResponses
from softix_proxy.dialects.translate.responses.read_request import read_request as read_responses
from softix_proxy.dialects.translate.responses.write_answer import WriteStream as StreamResponses
from softix_proxy.dialects.translate.responses.write_answer import write_answer as answer_responses
from softix_proxy.dialects.translate.responses.write_request import write_request as write_responses
from softix_proxy.dialects.translate.wire import Object
from softix_proxy.dialects.translate.write_error import anthropic_error, google_error, openai_error


class AnswerReader(Protocol):
    """Of one answer. Never raises on what a provider sends."""

    def read_whole(self, answer: Object) -> Iterator[CanonicalEvent]: ...

    def read(self, event: Object) -> Iterator[CanonicalEvent]:
        """The next object of a stream."""
        ...

    def end(self) -> Iterator[CanonicalEvent]:
        """The stream is over."""
        ...


class StreamWriter(Protocol):
    """Of one stream."""

    def write(self, event: CanonicalEvent) -> bytes: ...


class DialectCodec(NamedTuple):
    read_request: Callable[[Object, Losses], CanonicalRequest]
    write_request: Callable[[CanonicalRequest, Setting, Losses], Object]
    reader: Callable[[], AnswerReader]
    write_answer: Callable[[CanonicalAnswer, Occasion], Object]
    writer: Callable[[Occasion], StreamWriter]
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
    """How a provider is asked and answers, whoever asks."""

    write_request: Callable[[CanonicalRequest, Setting, Losses], Object]
    reader: Callable[[], AnswerReader]
    has_custom_tools: bool = False
    framer: Callable[[], Framer | Frames] = Framer
    envelope: Envelope | None = None
    """In which it takes Anthropic's messages."""


PROVIDERS: Mapping[str, ProviderSide] = {
    **{name: ProviderSide(of.write_request, of.reader, of.has_custom_tools) for name, of in DIALECTS.items()},
    "converse": ProviderSide(write_converse, ReadConverse, framer=Frames),
    "invoke": ProviderSide(enveloped(INVOKE), ReadMessages, framer=Chunks, envelope=INVOKE),
    "raw_predict": ProviderSide(enveloped(RAW_PREDICT), ReadMessages, envelope=RAW_PREDICT),
}
"""The dialects of clients, and what only providers speak."""
