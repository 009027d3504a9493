"""An answer is the fold of its events; and the events of an answer, for the dialects that tell it whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from softix_proxy.dialects.translate.canonical import (
    Answer,
    Choice,
    Close,
    End,
    Event,
    Fail,
    Grow,
    Logprob,
    Open,
    Part,
    Sign,
    Start,
    Stop,
    StopReason,
    Thinking,
    ToolCall,
    Usage,
    Weigh,
)


class _Growing:
    """A part and the pieces of its text."""

    __slots__ = ("part", "pieces")

    def __init__(self, part: Part) -> None:
        self.part = part
        self.pieces: list[str] = []

    def whole(self) -> Part:
        if not self.pieces:
            return self.part
        field = "arguments" if isinstance(self.part, ToolCall) else "text"
        text = getattr(self.part, field) + "".join(self.pieces)
        grown: Part = msgspec.structs.replace(self.part, **{field: text})
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
        self._start = Start()
        self._choices: list[_Choosing] = []
        self._usage: Usage | None = None
        self._failure: Fail | None = None
        self._ended = False

    def take(self, event: Event) -> None:
        if isinstance(event, Grow):
            self._choices[event.choice].parts[event.index].pieces.append(event.text)
        elif isinstance(event, Open):
            self._choice(event.choice).parts.append(_Growing(event.part))
        elif isinstance(event, Sign):
            growing = self._choices[event.choice].parts[event.index]
            if isinstance(growing.part, Thinking):
                of = event.of or growing.part.of
                growing.part = msgspec.structs.replace(growing.part, signature=event.signature, of=of)
        elif isinstance(event, Weigh):
            choice = self._choice(event.choice)
            choice.logprobs = [*(choice.logprobs or ()), *event.logprobs]
        elif isinstance(event, Stop):
            choice = self._choice(event.choice)
            choice.reason, choice.sequence = event.reason, event.sequence
        elif not isinstance(event, Close):
            self._take_rare(event)

    def _take_rare(self, event: Start | Usage | Fail | End) -> None:
        if isinstance(event, Start):
            self._start = event
        elif isinstance(event, Usage):
            self._usage = event
        elif isinstance(event, Fail):
            self._failure = event
        else:
            self._ended = True

    def take_growth(self, event: Grow) -> Part:
        """The same, and tells what grows: the part as it began."""
        growing = self._choices[event.choice].parts[event.index]
        growing.pieces.append(event.text)
        return growing.part

    def part(self, choice: int, index: int) -> Part:
        """That part as far as it has come."""
        return self._choices[choice].parts[index].whole()

    def answer(self) -> Answer:
        choices = [
            Choice([growing.whole() for growing in choice.parts], choice.reason, choice.sequence, choice.logprobs)
            for choice in self._choices
        ]
        return Answer(self._start, choices, self._usage, self._failure, self._ended)

    def _choice(self, index: int) -> _Choosing:
        while len(self._choices) <= index:
            self._choices.append(_Choosing())
        return self._choices[index]


def fold(events: Iterable[Event]) -> Answer:
    folded = Fold()
    for event in events:
        folded.take(event)
    return folded.answer()


def parts_of(choice: int, parts: Sequence[Part]) -> Iterator[Event]:
    """Whole parts as events."""
    for index, part in enumerate(parts):
        yield Open(choice, index, part)
        yield Close(choice, index)


class InOrder:
    """Events with one part open at a time, for dialects that know no other way: what grows beside it waits."""

    def __init__(self) -> None:
        self._open: tuple[int, int] | None = None
        self._waiting: list[Any] = []

    def take(self, event: Event) -> list[Event]:
        if isinstance(event, Open) and self._open is None:
            self._open = (event.choice, event.index)
            return [event]
        if isinstance(event, (Open, Grow, Sign, Close)):
            if (event.choice, event.index) != self._open:
                self._waiting.append(event)
                return []
            return self._closed(event) if isinstance(event, Close) else [event]
        if isinstance(event, Stop):
            return [*self.rest(), event]
        return [event]

    def rest(self) -> list[Event]:
        """All that waits, each part closed."""
        passed: list[Event] = []
        while self._open is not None:
            passed += self._closed(Close(*self._open))
        return passed

    def _closed(self, close: Close) -> list[Event]:
        passed: list[Event] = [close]
        self._open = None
        waiting, self._waiting = self._waiting, []
        for event in waiting:
            passed += self.take(event)
        return passed
