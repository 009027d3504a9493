"""The regions in which providers serve, and to which users and keys are bound."""

from __future__ import annotations

import re
from collections.abc import Sequence

from softix_proxy.domain.core.errors import BadInputError

_REGION = re.compile(r"[a-z0-9][a-z0-9._-]{0,40}")


def checked_region(region: str) -> str:
    """Returns the region if it is one word.

    Operators may use their own words if providers and users have the same ones. Raises BadInputError.
    """
    if not _REGION.fullmatch(region):
        raise BadInputError(f"not a region: {region!r}", "small letters, digits and . _ -, for example eu")
    return region


def checked_regions(regions: Sequence[str]) -> tuple[str, ...]:
    """Returns each of the regions once, in the order given. Raises BadInputError."""
    return tuple(dict.fromkeys(checked_region(region) for region in regions))
