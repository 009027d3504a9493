from __future__ import annotations

from softix_proxy.dialects.canonical.accumulate import Accumulator, InOrder, accumulate, parts_of
from softix_proxy.dialects.canonical.types import (
    AnswerEnd,
    AnswerStart,
    AnswerStop,
    CanonicalEvent,
    CanonicalUsage,
    Logprob,
    Logprobs,
    PartDelta,
    PartEnd,
    PartSignature,
    PartStart,
    TextPart,
    Thinking,
    ToolCall,
)


def test_accumulator_with_a_whole_stream_joins_its_parts_and_keeps_the_last_usage() -> None:
    answer = accumulate(
        [
            AnswerStart("a", "m"),
            PartStart(0, 0, Thinking("so ", origin="messages")),
            PartDelta(0, 0, "it is"),
            PartSignature(0, 0, "s", of="x"),
            PartEnd(0, 0),
            PartStart(0, 1, ToolCall("c", "f")),
            PartDelta(0, 1, '{"a":'),
            PartDelta(0, 1, "1}"),
            PartEnd(0, 1),
            Logprobs(0, [Logprob("a", -1)]),
            Logprobs(0, [Logprob("b", -2)]),
            AnswerStop(0, "calls"),
            CanonicalUsage({"output_tokens": 1}),
            CanonicalUsage({"output_tokens": 2}),
            AnswerEnd(),
        ]
    )
    (choice,) = answer.choices
    assert choice.parts == [Thinking("so it is", "s", "messages", of="x"), ToolCall("c", "f", '{"a":1}')]
    assert choice.logprobs == [Logprob("a", -1), Logprob("b", -2)]
    assert choice.reason == "calls"
    assert answer.usage == CanonicalUsage({"output_tokens": 2})
    assert answer.ended


def test_accumulator_with_two_choices_keeps_them_apart() -> None:
    answer = accumulate([PartStart(1, 0, TextPart("b")), PartStart(0, 0, TextPart("a")), PartDelta(1, 0, "!")])
    assert [choice.parts for choice in answer.choices] == [[TextPart("a")], [TextPart("b!")]]
    assert not answer.ended


def test_accumulator_with_an_open_part_returns_what_has_come_so_far() -> None:
    growing = Accumulator()
    growing.take(PartStart(0, 0, TextPart("a")))
    assert growing.take_growth(PartDelta(0, 0, "b")) == TextPart("a")
    assert growing.part(0, 0) == TextPart("ab")


def test_parts_of_whole_parts_returns_events_that_rebuild_them() -> None:
    assert accumulate(parts_of(0, [TextPart("a"), TextPart("b")])).choices[0].parts == [TextPart("a"), TextPart("b")]


def test_in_order_with_a_second_open_part_holds_it_until_the_first_ends() -> None:
    in_order = InOrder()
    given: list[CanonicalEvent] = [
        PartStart(0, 0, ToolCall("a", "f")),
        PartStart(0, 1, ToolCall("b", "g")),
        PartDelta(0, 1, "2"),
        PartDelta(0, 0, "1"),
        PartEnd(0, 1),
        PartEnd(0, 0),
        AnswerStop(0, "calls"),
    ]
    passed = [event for event in given for event in in_order.take(event)]
    assert passed == [given[0], given[3], given[5], given[1], given[2], given[4], given[6]]


def test_in_order_when_the_answer_stops_closes_open_parts() -> None:
    in_order = InOrder()
    given: list[CanonicalEvent] = [
        PartStart(0, 0, TextPart("")),
        PartStart(0, 1, TextPart("")),
        PartDelta(0, 1, "x"),
        AnswerStop(0, "length"),
    ]
    passed = [event for event in given for event in in_order.take(event)]
    assert passed == [given[0], PartEnd(0, 0), given[1], given[2], PartEnd(0, 1), given[3]]
