"""Reads the tags that a person names."""

from __future__ import annotations

from collections.abc import Sequence

from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.metering.usage_tags import BadTagError, checked


def parse_tags(texts: Sequence[str]) -> tuple[str, ...]:
    """Returns the tags in the order of their names. Raises BadInputError."""
    try:
        return checked(texts)
    except BadTagError as error:
        raise BadInputError(error.why[0].lower() + error.why[1:].rstrip("."), "write for example team=search") from None
