"""The half-open periods of time."""

from __future__ import annotations

from typing import NamedTuple


class Span(NamedTuple):
    """A half-open period of posting, in microseconds since 1970 UTC. It is a range of usage ids too."""

    from_us: int
    to_us: int
