"""Builds a response from its events, and yields the events of a response for dialects that send it whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from softix_proxy.dialects.canonical.types import (
    AnswerEnd,
    AnswerStart,
    AnswerStop,
    CanonicalAnswer,
    CanonicalEvent,
    CanonicalUsage,
    Choice,
    ContentPart,
    ErrorEvent,
    Logprob,
    Logprobs,
    PartDelta,
    PartEnd,
    PartSignature,
    PartStart,
    StopReason,
    Thinking,
    ToolCall,
)


class _Growing:
    """A part and the pieces of its text."""

    __slots__ = ("part", "pieces")

    def __init__(self, part: ContentPart) -> None:
        self.part = part
        self.pieces: list[str] = []

    def whole(self) -> ContentPart:
        if not self.pieces:
            return self.part
        field = "arguments" if isinstance(self.part, ToolCall) else "text"
        text = getattr(self.part, field) + "".join(self.pieces)
        grown: ContentPart = msgspec.structs.replace(self.part, **{field: text})
        return grown


class _Choosing:
    __slots__ = ("logprobs", "parts", "reason", "sequence")

    def __init__(self) -> None:
        self.parts: list[_Growing] = []
        self.reason: StopReason = "end"
        self.sequence = ""
        self.logprobs: list[Logprob] | None = None


class Accumulator:
    """An accumulator of events in their order. It holds the response as far as it has come."""

    def __init__(self) -> None:
        self._start = AnswerStart()
        self._choices: list[_Choosing] = []
        self._usage: CanonicalUsage | None = None
        self._failure: ErrorEvent | None = None
        self._ended = False

    def take(self, event: CanonicalEvent) -> None:
        if isinstance(event, PartDelta):
            self._choices[event.choice].parts[event.index].pieces.append(event.text)
        elif isinstance(event, PartStart):
            self._choice(event.choice).parts.append(_Growing(event.part))
        elif isinstance(event, PartSignature):
            growing = self._choices[event.choice].parts[event.index]
            if isinstance(growing.part, Thinking):
                of = event.of or growing.part.of
                growing.part = msgspec.structs.replace(growing.part, signature=event.signature, of=of)
        elif isinstance(event, Logprobs):
            choice = self._choice(event.choice)
            choice.logprobs = [*(choice.logprobs or ()), *event.logprobs]
        elif isinstance(event, AnswerStop):
            choice = self._choice(event.choice)
            choice.reason, choice.sequence = event.reason, event.sequence
        elif not isinstance(event, PartEnd):
            self._take_rare(event)

    def _take_rare(self, event: AnswerStart | CanonicalUsage | ErrorEvent | AnswerEnd) -> None:
        if isinstance(event, AnswerStart):
            self._start = event
        elif isinstance(event, CanonicalUsage):
            self._usage = event
        elif isinstance(event, ErrorEvent):
            self._failure = event
        else:
            self._ended = True

    def take_growth(self, event: PartDelta) -> ContentPart:
        """Takes a delta, and returns the part that grows as it was at its start."""
        growing = self._choices[event.choice].parts[event.index]
        growing.pieces.append(event.text)
        return growing.part

    def part(self, choice: int, index: int) -> ContentPart:
        """Returns the part as far as it has come."""
        return self._choices[choice].parts[index].whole()

    def answer(self) -> CanonicalAnswer:
        choices = [
            Choice([growing.whole() for growing in choice.parts], choice.reason, choice.sequence, choice.logprobs)
            for choice in self._choices
        ]
        return CanonicalAnswer(self._start, choices, self._usage, self._failure, self._ended)

    def _choice(self, index: int) -> _Choosing:
        while len(self._choices) <= index:
            self._choices.append(_Choosing())
        return self._choices[index]


def accumulate(events: Iterable[CanonicalEvent]) -> CanonicalAnswer:
    folded = Accumulator()
    for event in events:
        folded.take(event)
    return folded.answer()


def parts_of(choice: int, parts: Sequence[ContentPart]) -> Iterator[CanonicalEvent]:
    """Yields events for whole parts."""
    for index, part in enumerate(parts):
        yield PartStart(choice, index, part)
        yield PartEnd(choice, index)


class InOrder:
    """An ordering of events with only one part open at a time, for dialects that require it.

    Events of other parts wait.
    """

    def __init__(self) -> None:
        self._open: tuple[int, int] | None = None
        self._waiting: list[Any] = []

    def take(self, event: CanonicalEvent) -> list[CanonicalEvent]:
        if isinstance(event, PartStart) and self._open is None:
            self._open = (event.choice, event.index)
            return [event]
        if isinstance(event, (PartStart, PartDelta, PartSignature, PartEnd)):
            if (event.choice, event.index) != self._open:
                self._waiting.append(event)
                return []
            return self._closed(event) if isinstance(event, PartEnd) else [event]
        if isinstance(event, AnswerStop):
            return [*self.rest(), event]
        return [event]

    def rest(self) -> list[CanonicalEvent]:
        """Returns all waiting events and closes each part."""
        passed: list[CanonicalEvent] = []
        while self._open is not None:
            passed += self._closed(PartEnd(*self._open))
        return passed

    def _closed(self, close: PartEnd) -> list[CanonicalEvent]:
        passed: list[CanonicalEvent] = [close]
        self._open = None
        waiting, self._waiting = self._waiting, []
        for event in waiting:
            passed += self.take(event)
        return passed
