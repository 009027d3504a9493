"""Conversations as dialects want them that know only two voices, which take turns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from softix_proxy.dialects.translate.canonical import ContentPart, TextPart, Turn, TurnRole
from softix_proxy.dialects.translate.losses import Losses


def leading_system(turns: Sequence[Turn]) -> tuple[list[ContentPart], Sequence[Turn]]:
    """What is said to the model before the conversation begins, and the conversation."""
    parts: list[ContentPart] = []
    for index, turn in enumerate(turns):
        if turn.role != "system":
            return parts, turns[index:]
        parts += turn.parts
    return parts, ()


def merged(turns: Sequence[Turn], losses: Losses) -> Iterator[Turn]:
    """Neighbours of one role as one turn; a later word of the system as the user's, in tags."""
    role: TurnRole = "user"
    parts: list[ContentPart] = []
    for turn in turns:
        spoken = turn.role
        if spoken == "system":
            losses.meet("later_system")
            spoken = "user"
            turn = Turn(
                "user",
                [TextPart(f"<system>\n{part.text}\n</system>") for part in turn.parts if isinstance(part, TextPart)],
            )
        if spoken != role and parts:
            yield Turn(role, parts)
            parts = []
        role = spoken
        parts += turn.parts
    if parts:
        yield Turn(role, parts)
