from __future__ import annotations

from softix_proxy.dialects.canonical.types import CanonicalEvent, PartDelta, PartEnd, PartStart, TextPart, ToolCall
from softix_proxy.dialects.translate.custom_tools import Customs

EVENTS: list[CanonicalEvent] = [
    PartStart(0, 0, TextPart("a")),
    PartDelta(0, 0, "b"),
    PartStart(0, 1, ToolCall("c", "patch")),
    PartDelta(0, 1, '{"inp'),
    PartDelta(0, 1, 'ut":"x\\ny"}'),
    PartEnd(0, 1),
]


def test_custom_tool_call_in_a_stream_is_passed_on_once_it_is_whole() -> None:
    customs = Customs(frozenset({"patch"}))
    told = [event for event in EVENTS for event in customs.take(event)]
    assert told == [*EVENTS[:2], PartStart(0, 1, ToolCall("c", "patch", "x\ny", custom=True)), EVENTS[-1]]


def test_call_of_another_tool_in_a_stream_passes_unchanged() -> None:
    customs = Customs(frozenset({"other"}))
    assert [event for event in EVENTS for event in customs.take(event)] == EVENTS
