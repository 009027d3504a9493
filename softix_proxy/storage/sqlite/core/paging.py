"""Lists that are read page by page, the newest row first."""

from __future__ import annotations

_LARGEST_ID = 2**63 - 1


def is_before(parameter: str) -> str:
    """Returns the condition of the rows before the one of this id, or of all rows if the parameter is null.

    It is a range of ids, so that no page reads the rows of the pages before it.
    """
    return f"id < coalesce({parameter}, {_LARGEST_ID})"
