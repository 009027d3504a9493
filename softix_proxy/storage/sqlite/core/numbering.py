"""Chooses the number of a posting: the microsecond at which it was posted, or the next free one.

Numbers increase, and none falls into a closed period. So softix waits for a clock that is a little behind the books.
But a clock that was far ahead for a moment must not carry all later numbers along. So numbers return to the present,
and postings that lie beyond an hour without postings are left behind.
"""

from __future__ import annotations

from softix_proxy.domain.core.clock import EARLIEST_US, SLACK_US

_TABLES = ("usage", "transfers")


def _newest(condition: str = "true") -> str:
    """Returns the expression for the newest posting that meets the condition, or 0 if there is none."""
    tables = ", ".join(f"coalesce((SELECT max(id) FROM {table} WHERE {condition}), 0)" for table in _TABLES)
    return f"max({tables})"


_CLOSED = "coalesce((SELECT max(to_us) FROM periods), 0)"
LAST_CLOSED = f"SELECT {_CLOSED}"
"""The beginning of the open time."""
LAST_FREE_BEFORE = f"""
WITH RECURSIVE free (number) AS (
  SELECT min({_newest("id < ?1")} + 1, ?1 - 1)
  UNION ALL
  SELECT number - 1 FROM free
  WHERE EXISTS (SELECT 1 FROM usage WHERE id = number) OR EXISTS (SELECT 1 FROM transfers WHERE id = number)
)
SELECT min(number) FROM free"""
"""The number after the newest posting before ?1. If that was the last moment before ?1, the next lower free number."""
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
"""The first free number from ?1 on."""
LAST_POSTED = f"SELECT max({_newest()}, {_CLOSED} - 1)"
"""The last number in use. Nothing is posted into a closed period, whatever the clock says."""

_NEXT = _newest(f"id > reached AND id <= reached + {SLACK_US}")
NEXT_NUMBER = f"""
WITH RECURSIVE run (reached) AS (
  SELECT max(?1, {_CLOSED}) - 1
  UNION ALL
  SELECT {_NEXT} FROM run WHERE {_NEXT}
)
SELECT 1 + iif(?1 >= {EARLIEST_US}, (SELECT max(reached) FROM run), ({LAST_POSTED}))"""
"""The next number at the instant ?1. From there on the books are followed up to an empty hour.

A clock is ignored if its time is before softix was made. Some machines begin in 1970.
"""


def is_far_ahead(last_us: int, now_us: int) -> bool:
    """Returns whether NEXT_NUMBER is needed, because the books are further ahead than softix waits for a clock."""
    return last_us > now_us + SLACK_US


LAST_REQUEST = """
SELECT max(coalesce((SELECT max(request_id) FROM usage), 0), coalesce((SELECT max(request_id) FROM intents), 0))"""
