from __future__ import annotations

from softix_proxy.dialects.translate.canonical import CanonicalEvent, Grow, Open, PartEnd, TextPart, ToolCall
from softix_proxy.dialects.translate.customs import Customs

EVENTS: list[CanonicalEvent] = [
    Open(0, 0, TextPart("a")),
    Grow(0, 0, "b"),
    Open(0, 1, ToolCall("c", "patch")),
    Grow(0, 1, '{"inp'),
    Grow(0, 1, 'ut":"x\\ny"}'),
    PartEnd(0, 1),
]


def test_a_call_is_told_once_it_is_whole() -> None:
    customs = Customs(frozenset({"patch"}))
    told = [event for event in EVENTS for event in customs.take(event)]
    assert told == [*EVENTS[:2], Open(0, 1, ToolCall("c", "patch", "x\ny", custom=True)), EVENTS[-1]]


def test_other_calls_pass() -> None:
    customs = Customs(frozenset({"other"}))
    assert [event for event in EVENTS for event in customs.take(event)] == EVENTS
