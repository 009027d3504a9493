"""What is done with a request that has members of which softix does not know what they cost."""

from __future__ import annotations

from typing import Literal, get_args

UnknownMembersRule = Literal["pass", "strip", "refuse"]
"""Pass them on, with a hold for the whole context; leave them out; or refuse the request."""
RULES: tuple[UnknownMembersRule, ...] = get_args(UnknownMembersRule)


def rule_of(
    setting: UnknownMembersRule, provider: UnknownMembersRule | None, key: UnknownMembersRule | None
) -> UnknownMembersRule:
    """Returns the rule that applies: the key's own, else the provider's own, else the setting."""
    return key or provider or setting
