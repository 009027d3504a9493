"""What the commands about providers' own reports share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

from softix_proxy.domain.core.clock import DAY_US, from_us
from softix_proxy.domain.core.errors import FailureError


@contextmanager
def opened(path: Path) -> Iterator[BufferedReader]:
    """Opens the file. Raises FailureError if it cannot be opened or read."""
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise FailureError(f"cannot read {path}: {error.strerror}", "name a file that can be read") from None


def day_text(day: int) -> str:
    """Returns the date of a day, which is counted since 1970: `2026-10-01`."""
    return from_us(day * DAY_US).date().isoformat()
