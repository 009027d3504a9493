from __future__ import annotations

from softix_proxy.dialects.canonical.losses import losses
from softix_proxy.dialects.canonical.turns import leading_system, merged
from softix_proxy.dialects.canonical.types import TextPart, Turn

SYSTEM, USER, ASSISTANT = (Turn(role, [TextPart(role)]) for role in ("system", "user", "assistant"))  # type: ignore[arg-type]


def test_leading_system_with_leading_system_turns_splits_them_from_the_conversation() -> None:
    assert leading_system([SYSTEM, SYSTEM, USER]) == ([TextPart("system"), TextPart("system")], [USER])
    assert leading_system([USER, SYSTEM]) == ([], [USER, SYSTEM])
    assert leading_system([SYSTEM]) == ([TextPart("system")], ())


def test_merged_turns_with_neighbours_of_one_role_are_one_turn() -> None:
    _, lost = losses("chat_completions", "messages")
    turns = list(merged([USER, SYSTEM, USER, ASSISTANT, ASSISTANT], lost))
    assert [turn.role for turn in turns] == ["user", "assistant"]
    assert turns[0].parts == [TextPart("user"), TextPart("<system>\nsystem\n</system>"), TextPart("user")]
    assert list(lost.found) == ["later_system"]
