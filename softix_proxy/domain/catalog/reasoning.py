"""Tells which models never reason out of sight. Every model that is not known to belong to them may."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import lru_cache

_NEVER = re.compile(
    r"""
    (?:ft:)?(?:
        (?:gpt-3\.5|gpt-4|gpt-4o|gpt-4\.1|gpt-4\.5|chatgpt-4o|gpt-5(?:\.\d)?-chat)(?![\w.])
      | (?:davinci|babbage)-\d
      | claude-(?:instant|[23])(?!\w)
      | claude-(?:opus|sonnet|haiku)-4(?!\w)
      | (?:meta-)?llama(?:$|-?[234](?!\d))
      | (?:open-)?mi[sx]tral-(?:7b|8x7b|8x22b|nemo|tiny)
      | codestral
      | gemini-(?:1\.[05]|2\.0)(?!\d)
      | gemma-?[123](?!\d)
      | command-(?:r|r-plus|r7b|light|nightly|a-\d)
      | grok-[23](?![\w.])
      | deepseek-chat(?!\w)
      | .*non-reasoning(?!\w)
    )
    """,
    re.VERBOSE,
)
"""The beginnings of the names of models that show everything that they produce, as their makers' documentation says.

Claude's models reason only if the request asks for it, and the request's own members show that.
"""
_YET = re.compile(
    r"(?<!non-)reason|think|search|research|audio|realtime|nemotron|grok-3-mini|(?<![a-z0-9])r1(?![a-z0-9])"
)
"""The words in a name that say that this one of the family reasons, searches or speaks all the same."""


@lru_cache(maxsize=1024)
def never_reasons(name: str, others: Sequence[str] = ()) -> bool:
    """Returns whether a model never reasons unless the request asks for it.

    `name` is the provider's name of the model, in which the maker may stand first: `meta-llama/Llama-3.3-70B`. The
    operator knows `others`, which are patterns such as `my-model*`.
    """
    lower = name.lower()
    if any(fnmatchcase(lower, pattern.lower()) for pattern in others):
        return True
    last = lower.rpartition("/")[2]
    return _NEVER.match(last) is not None and _YET.search(last) is None
