from __future__ import annotations

from softix_proxy.dialects.translate.canonical import (
    AnswerEnd,
    AnswerStart,
    AnswerStop,
    CanonicalEvent,
    CanonicalUsage,
    Grow,
    Logprob,
    Open,
    PartEnd,
    PartSignature,
    TextPart,
    Thinking,
    ToolCall,
    Weigh,
)
from softix_proxy.dialects.translate.fold import Fold, InOrder, fold, parts_of


def test_what_grows_is_put_together() -> None:
    answer = fold(
        [
            AnswerStart("a", "m"),
            Open(0, 0, Thinking("so ", origin="messages")),
            Grow(0, 0, "it is"),
            PartSignature(0, 0, "s", of="x"),
            PartEnd(0, 0),
            Open(0, 1, ToolCall("c", "f")),
            Grow(0, 1, '{"a":'),
            Grow(0, 1, "1}"),
            PartEnd(0, 1),
            Weigh(0, [Logprob("a", -1)]),
            Weigh(0, [Logprob("b", -2)]),
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


def test_choices_are_apart() -> None:
    answer = fold([Open(1, 0, TextPart("b")), Open(0, 0, TextPart("a")), Grow(1, 0, "!")])
    assert [choice.parts for choice in answer.choices] == [[TextPart("a")], [TextPart("b!")]]
    assert not answer.ended


def test_a_part_is_known_as_far_as_it_has_come() -> None:
    growing = Fold()
    growing.take(Open(0, 0, TextPart("a")))
    assert growing.take_growth(Grow(0, 0, "b")) == TextPart("a")
    assert growing.part(0, 0) == TextPart("ab")


def test_whole_parts_as_events() -> None:
    assert fold(parts_of(0, [TextPart("a"), TextPart("b")])).choices[0].parts == [TextPart("a"), TextPart("b")]


def test_what_grows_beside_the_first_waits_for_its_end() -> None:
    in_order = InOrder()
    given: list[CanonicalEvent] = [
        Open(0, 0, ToolCall("a", "f")),
        Open(0, 1, ToolCall("b", "g")),
        Grow(0, 1, "2"),
        Grow(0, 0, "1"),
        PartEnd(0, 1),
        PartEnd(0, 0),
        AnswerStop(0, "calls"),
    ]
    passed = [event for event in given for event in in_order.take(event)]
    assert passed == [given[0], given[3], given[5], given[1], given[2], given[4], given[6]]


def test_a_stop_closes_what_is_open() -> None:
    in_order = InOrder()
    given: list[CanonicalEvent] = [
        Open(0, 0, TextPart("")),
        Open(0, 1, TextPart("")),
        Grow(0, 1, "x"),
        AnswerStop(0, "length"),
    ]
    passed = [event for event in given for event in in_order.take(event)]
    assert passed == [given[0], PartEnd(0, 0), given[1], given[2], PartEnd(0, 1), given[3]]
