"""Calls of tools that take text, asked for as functions of one text: told as what the client knows."""

from __future__ import annotations

from collections.abc import Iterable

from softix_proxy.dialects.translate.canonical import CanonicalEvent, Grow, Open, PartEnd, ToolCall
from softix_proxy.dialects.translate.fold import Fold
from softix_proxy.dialects.translate.tools import as_custom_call


class Customs:
    """Such a call is told once it is whole: its text cannot be read out of half of its JSON."""

    def __init__(self, names: frozenset[str]) -> None:
        self.names = names
        self._held: dict[tuple[int, int], Fold] = {}

    def take(self, event: CanonicalEvent) -> Iterable[CanonicalEvent]:
        if not isinstance(event, (Open, Grow, PartEnd)):
            return (event,)
        place = (event.choice, event.index)
        if isinstance(event, Open) and isinstance(event.part, ToolCall) and event.part.name in self.names:
            self._held[place] = Fold()
        held = self._held.get(place)
        if held is None:
            return (event,)
        if isinstance(event, Open):
            held.take(Open(0, 0, event.part))
            return ()
        if isinstance(event, Grow):
            held.take(Grow(0, 0, event.text))
            return ()
        del self._held[place]
        return (Open(event.choice, event.index, as_custom_call(held.part(0, 0))), event)
