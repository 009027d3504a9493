"""Arranges conversations for dialects that know only two roles, which must alternate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from softix_proxy.dialects.canonical.losses import Losses
from softix_proxy.dialects.canonical.types import ContentPart, TextPart, Turn, TurnRole


def leading_system(turns: Sequence[Turn]) -> tuple[list[ContentPart], Sequence[Turn]]:
    """Returns the system text before the conversation begins, and the conversation."""
    parts: list[ContentPart] = []
    for index, turn in enumerate(turns):
        if turn.role != "system":
            return parts, turns[index:]
        parts += turn.parts
    return parts, ()


def merged(turns: Sequence[Turn], losses: Losses) -> Iterator[Turn]:
    """Joins neighbouring turns of one role. Later system text becomes the user's, in tags."""
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
