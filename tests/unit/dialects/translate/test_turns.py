from __future__ import annotations

from softix_proxy.dialects.translate.canonical import Text, Turn
from softix_proxy.dialects.translate.losses import losses
from softix_proxy.dialects.translate.turns import leading_system, merged

SYSTEM, USER, ASSISTANT = (Turn(role, [Text(role)]) for role in ("system", "user", "assistant"))  # type: ignore[arg-type]


def test_what_comes_before_the_conversation() -> None:
    assert leading_system([SYSTEM, SYSTEM, USER]) == ([Text("system"), Text("system")], [USER])
    assert leading_system([USER, SYSTEM]) == ([], [USER, SYSTEM])
    assert leading_system([SYSTEM]) == ([Text("system")], ())


def test_neighbours_of_one_role_are_one_turn() -> None:
    _, lost = losses("chat_completions", "messages")
    turns = list(merged([USER, SYSTEM, USER, ASSISTANT, ASSISTANT], lost))
    assert [turn.role for turn in turns] == ["user", "assistant"]
    assert turns[0].parts == [Text("user"), Text("<system>\nsystem\n</system>"), Text("user")]
    assert list(lost.found) == ["later_system"]
