"""Which number a posting gets: the microsecond at which it was posted, or the next one that is free.

Numbers go up, and none falls into a closed period. So a clock that is a little behind the books is waited for. But one
that was far ahead, if only for a moment, must not carry all that follows along: what lies beyond an hour in which
nothing was posted is left behind, and numbers go on at the present.
"""

from __future__ import annotations

from softix_proxy.domain.core.clock import EARLIEST_US, SLACK_US

_TABLES = ("usage", "transfers")


def _newest(condition: str = "true") -> str:
    """The newest posting of which that is true; 0 where there is none."""
    tables = ", ".join(f"coalesce((SELECT max(id) FROM {table} WHERE {condition}), 0)" for table in _TABLES)
    return f"max({tables})"


_CLOSED = "coalesce((SELECT max(to_us) FROM periods), 0)"
LAST_CLOSED = f"SELECT {_CLOSED}"
"""Where what is open begins."""
LAST_FREE_BEFORE = f"""
WITH RECURSIVE free (number) AS (
  SELECT min({_newest("id < ?1")} + 1, ?1 - 1)
  UNION ALL
  SELECT number - 1 FROM free
  WHERE EXISTS (SELECT 1 FROM usage WHERE id = number) OR EXISTS (SELECT 1 FROM transfers WHERE id = number)
)
SELECT min(number) FROM free"""
"""The one after the newest posting before ?1; where that was the last moment before it, the next lower that is free."""
OLDEST_SINCE = """
SELECT min(id) FROM (SELECT min(id) AS id FROM usage WHERE id >= ?1 AND id < ?2
  UNION ALL SELECT min(id) FROM transfers WHERE id >= ?1 AND id < ?2)"""
FREE_NUMBER = """
WITH RECURSIVE free (number) AS (
  SELECT ?1
  UNION ALL
  SELECT number + 1 FROM free
  WHERE EXISTS (SELECT 1 FROM usage WHERE id = number) OR EXISTS (SELECT 1 FROM transfers WHERE id = number)
)
SELECT max(number) FROM free"""
"""The first from ?1 on that no posting has."""
LAST_POSTED = f"SELECT max({_newest()}, {_CLOSED} - 1)"
"""Nothing is posted into a closed period, whatever the clock says."""

_NEXT = _newest(f"id > reached AND id <= reached + {SLACK_US}")
NEXT_NUMBER = f"""
WITH RECURSIVE run (reached) AS (
  SELECT max(?1, {_CLOSED}) - 1
  UNION ALL
  SELECT {_NEXT} FROM run WHERE {_NEXT}
)
SELECT 1 + iif(?1 >= {EARLIEST_US}, (SELECT max(reached) FROM run), ({LAST_POSTED}))"""
"""At the instant ?1. From there on the books are followed to where an hour is empty.

A clock that tells a time before softix was made, as on machines that begin in 1970, is not believed at all.
"""


def is_far_ahead(last_us: int, now_us: int) -> bool:
    """Whether NEXT_NUMBER has to be asked, since the books reach further than a clock is waited for."""
    return last_us > now_us + SLACK_US


LAST_REQUEST = """
SELECT max(coalesce((SELECT max(request_id) FROM usage), 0), coalesce((SELECT max(request_id) FROM intents), 0))"""
