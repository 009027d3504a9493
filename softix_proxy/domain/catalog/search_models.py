"""Knows the models that search by themselves, whatever a request says, and the meter by which their searches are paid.

A model of another kind is not here. Who names such a model has searches run with every request, so its price must state
what they cost; 0 is a statement as well.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

_BY_REQUEST, _BY_SEARCH = "requests", "web_search_calls"
PATTERNS: Sequence[tuple[re.Pattern[str], str]] = (
    (re.compile(r"sonar-deep-research"), _BY_SEARCH),  # Perplexity's answers count its searches
    (re.compile(r"(?:^|/)sonar(?:-|$|:)"), _BY_REQUEST),  # Perplexity asks a fee for each request
    (re.compile(r"-search-(?:preview|api)"), _BY_REQUEST),  # OpenAI's answers of chat do not count the searches
    (re.compile(r":online$"), _BY_REQUEST),  # OpenRouter adds its web plugin
    (re.compile(r"(?:^|/)compound(?:-|$)"), _BY_REQUEST),  # Groq searches, and runs code
)
"""The pattern of a model's name at its provider, and the meter. The first that matches counts."""


@lru_cache(maxsize=1024)
def searches_by(upstream_name: str) -> str | None:
    """Returns the meter by which the model's own searches are paid, or None if it has none."""
    return next((meter for pattern, meter in PATTERNS if pattern.search(upstream_name)), None)
