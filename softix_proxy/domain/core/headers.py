"""The HTTP headers, as the relay and the ports pass them."""

from __future__ import annotations

from collections.abc import Sequence

Header = tuple[str, str]


Headers = Sequence[Header]
"""The names are in lower case."""
