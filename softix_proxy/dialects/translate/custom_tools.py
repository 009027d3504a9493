"""Converts calls of text tools back to their own form. The provider received these tools as functions of one text."""

from __future__ import annotations

from collections.abc import Iterable

from softix_proxy.dialects.canonical.accumulate import Accumulator
from softix_proxy.dialects.canonical.tools import as_custom_call
from softix_proxy.dialects.canonical.types import CanonicalEvent, PartDelta, PartEnd, PartStart, ToolCall


class Customs:
    """A converter of such calls.

    It passes on a call once it is complete, since its text cannot be read from incomplete JSON.
    """

    def __init__(self, names: frozenset[str]) -> None:
        self.names = names
        self._held: dict[tuple[int, int], Accumulator] = {}

    def take(self, event: CanonicalEvent) -> Iterable[CanonicalEvent]:
        if not isinstance(event, (PartStart, PartDelta, PartEnd)):
            return (event,)
        place = (event.choice, event.index)
        if isinstance(event, PartStart) and isinstance(event.part, ToolCall) and event.part.name in self.names:
            self._held[place] = Accumulator()
        held = self._held.get(place)
        if held is None:
            return (event,)
        if isinstance(event, PartStart):
            held.take(PartStart(0, 0, event.part))
            return ()
        if isinstance(event, PartDelta):
            held.take(PartDelta(0, 0, event.text))
            return ()
        del self._held[place]
        return (PartStart(event.choice, event.index, as_custom_call(held.part(0, 0))), event)
