"""Tells which parts of a response's cost can stay out of sight while it is streamed.

What a client has seen bounds what a provider has produced only if all that is produced also passes. So a request is
taken for one that hides nothing only if each of its members is known to hide nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from softix_proxy.dialects.request.fields import JsonMembers
from softix_proxy.domain.metering.text_tokens import MOST_COUNTED

WORK, CALLS, REASONING = "work", "calls", "reasoning"
"""The hidden parts: work of any kind, calls of tools that are sent once they are complete, and reasoning."""
HIDES_ANYTHING = frozenset((WORK,))
"""What a request may hide of which nothing better is known."""
MOST_VISIBLE_BYTES = ANY_SIZE = MOST_COUNTED
"""The largest request whose input softix counts when a client has left. To count more would hold up others."""
_ASKS = {"tools": CALLS, "reasoning": REASONING, "reasoning_effort": REASONING, "thinking": REASONING}
"""The members that ask for something that a provider may hide, whatever the dialect."""
_OFF = re.compile(rb'null|\[\s*\]|\{\s*\}|"none"|\{\s*"type"\s*:\s*"disabled"\s*\}')
"""The values by which such a member asks for nothing."""
_HIDES_NOTHING = frozenset[str]()


def hidden_parts(body: bytes, fields: JsonMembers, visible: Mapping[str, int]) -> frozenset[str]:
    """Returns what the response to a streamed request of text can hide.

    `visible` has the members that hide nothing of themselves, each with its largest size in bytes.
    """
    if len(body) > MOST_VISIBLE_BYTES:
        return HIDES_ANYTHING
    hides = _HIDES_NOTHING
    for name, value in fields.pairs():
        most_bytes = visible.get(name, 0)
        if most_bytes != ANY_SIZE and memoryview(value).nbytes > most_bytes:
            return HIDES_ANYTHING
        if name in _ASKS and _OFF.fullmatch(memoryview(value)) is None:
            hides |= {_ASKS[name]}
    return hides
