"""The words of clients that stand for something at the provider: a request that is repeated, or a cache of prompts.

The provider knows only the operator's account. So a word of one client would also mean what another client's same word
means: with a guessed `prompt_cache_key`, the time of an answer tells whether somebody has sent this prompt. softix
sends another word in its place, which only the same API key gets.
"""

from __future__ import annotations

from softix_proxy.dialects.request.fields import JsonMembers

HEADERS = frozenset(
    (
        "conversation_id",
        "idempotency-key",
        "openai-safety-identifier",
        "session-id",
        "session_id",
        "thread-id",
        "thread_id",
        "x-session-id",
    )
)
"""The headers whose values are such words."""
MEMBERS = frozenset(("prompt_cache_key", "safety_identifier", "user"))
"""The members of chat and Responses requests whose texts are such words. Responses repeat them in their answers."""


INNER = ("background_options", "continuation_id")
"""The one such word that is in an object of the request: the object, and its member."""
WATCHED = MEMBERS | {INNER[0]}
"""The members of a request that may have such words."""


def read_tags(fields: JsonMembers) -> tuple[tuple[str, str], ...]:
    """Returns the members of a request that are such words, and their texts. Raises RefusedError for another value.

    The name of INNER is written with a dot.
    """
    found = [(name, fields.text(name)) for name in sorted(MEMBERS)]
    options = fields.raw(INNER[0])
    if options is not None and fields.has(INNER[0]):
        found.append((".".join(INNER), JsonMembers(options, frozenset(INNER[1:]), "An object").text(INNER[1])))
    return tuple((name, text) for name, text in found if text)
