"""Which number a posting gets: the microsecond at which it was posted, or the next one that is free.

Numbers go up, and none falls into a closed period. So a clock that is a little behind the books is waited for. But one
that was far ahead, if only for a moment, must not carry all that follows along: what lies beyond an hour in which
nothing was posted is left behind, and numbers go on at the present.
"""

from __future__ import annotations

from softix_proxy.domain.clock import SLACK_US

_TABLES = ("usage", "transfers")


def _newest(condition: str = "true") -> str:
    """The newest posting of which that is true; 0 where there is none."""
    tables = ", ".join(f"coalesce((SELECT max(id) FROM {table} WHERE {condition}), 0)" for table in _TABLES)
    return f"max({tables})"


_CLOSED = "coalesce((SELECT max(to_us) FROM periods), 0)"
LAST_POSTED = f"SELECT max({_newest()}, {_CLOSED} - 1)"
"""Nothing is posted into a closed period, whatever the clock says."""

_NEXT = _newest(f"id > reached AND id <= reached + {SLACK_US}")
NEXT_NUMBER = f"""
WITH RECURSIVE run (reached) AS (
  SELECT max(?1, {_CLOSED}) - 1
  UNION ALL
  SELECT {_NEXT} FROM run WHERE {_NEXT}
)
SELECT 1 + iif({_newest("id <= ?1")} OR {_CLOSED} > ?1, (SELECT max(reached) FROM run), max(?1 - 1, {_newest()}))"""
"""At the instant ?1. From there on the books are followed to where an hour is empty.

Where nothing was posted before, the clock is behind all of the books, as it is on machines that begin in 1970.
"""


def is_far_ahead(last_us: int, now_us: int) -> bool:
    """Whether NEXT_NUMBER has to be asked, since the books reach further than a clock is waited for."""
    return last_us > now_us + SLACK_US
