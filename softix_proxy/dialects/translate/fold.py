"""An answer is the fold of its events; and the events of an answer, for the dialects that tell it whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from softix_proxy.dialects.translate.canonical import (
    AnswerEnd,
    AnswerStart,
    AnswerStop,
    CanonicalAnswer,
    CanonicalEvent,
    CanonicalUsage,
    Choice,
    ContentPart,
    Fail,
    Grow,
    Logprob,
    Open,
    PartEnd,
    PartSignature,
    StopReason,
    Thinking,
    ToolCall,
    Weigh,
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


class Fold:
    """Takes events in their order, and has the answer as far as it has come."""

    def __init__(self) -> None:
        self._start = AnswerStart()
        self._choices: list[_Choosing] = []
        self._usage: CanonicalUsage | None = None
        self._failure: Fail | None = None
        self._ended = False

    def take(self, event: CanonicalEvent) -> None:
        if isinstance(event, Grow):
            self._choices[event.choice].parts[event.index].pieces.append(event.text)
        elif isinstance(event, Open):
            self._choice(event.choice).parts.append(_Growing(event.part))
        elif isinstance(event, PartSignature):
            growing = self._choices[event.choice].parts[event.index]
            if isinstance(growing.part, Thinking):
                of = event.of or growing.part.of
                growing.part = msgspec.structs.replace(growing.part, signature=event.signature, of=of)
        elif isinstance(event, Weigh):
            choice = self._choice(event.choice)
            choice.logprobs = [*(choice.logprobs or ()), *event.logprobs]
        elif isinstance(event, AnswerStop):
            choice = self._choice(event.choice)
            choice.reason, choice.sequence = event.reason, event.sequence
        elif not isinstance(event, PartEnd):
            self._take_rare(event)

    def _take_rare(self, event: AnswerStart | CanonicalUsage | Fail | AnswerEnd) -> None:
        if isinstance(event, AnswerStart):
            self._start = event
        elif isinstance(event, CanonicalUsage):
            self._usage = event
        elif isinstance(event, Fail):
            self._failure = event
        else:
            self._ended = True

    def take_growth(self, event: Grow) -> ContentPart:
        """The same, and tells what grows: the part as it began."""
        growing = self._choices[event.choice].parts[event.index]
        growing.pieces.append(event.text)
        return growing.part

    def part(self, choice: int, index: int) -> ContentPart:
        """That part as far as it has come."""
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


def fold(events: Iterable[CanonicalEvent]) -> CanonicalAnswer:
    folded = Fold()
    for event in events:
        folded.take(event)
    return folded.answer()


def parts_of(choice: int, parts: Sequence[ContentPart]) -> Iterator[CanonicalEvent]:
    """Whole parts as events."""
    for index, part in enumerate(parts):
        yield Open(choice, index, part)
        yield PartEnd(choice, index)


class InOrder:
    """Events with one part open at a time, for dialects that know no other way: what grows beside it waits."""

    def __init__(self) -> None:
        self._open: tuple[int, int] | None = None
        self._waiting: list[Any] = []

    def take(self, event: CanonicalEvent) -> list[CanonicalEvent]:
        if isinstance(event, Open) and self._open is None:
            self._open = (event.choice, event.index)
            return [event]
        if isinstance(event, (Open, Grow, PartSignature, PartEnd)):
            if (event.choice, event.index) != self._open:
                self._waiting.append(event)
                return []
            return self._closed(event) if isinstance(event, PartEnd) else [event]
        if isinstance(event, AnswerStop):
            return [*self.rest(), event]
        return [event]

    def rest(self) -> list[CanonicalEvent]:
        """All that waits, each part closed."""
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
