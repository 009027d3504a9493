from typing import Any

import pytest

from softix_proxy.domain.core.errors import UnusableError
from softix_proxy.domain.instance.readiness import Trouble
from softix_proxy.relay.core.readiness import Readiness

FULL = Trouble("SQLITE_FULL", "the disk is full", "make room", 7)


class Parts:
    """A directory and a journal, as well or as ill as the test says."""

    def __init__(self, trouble: Trouble | None = None, error: Exception | None = None) -> None:
        self._trouble, self._error = trouble, error

    def trouble(self) -> Trouble | None:
        return self._trouble

    async def refresh_shared(self) -> None:
        if self._error is not None:
            raise self._error


def readiness(**state: Any) -> Readiness:
    parts: Any = Parts(**state)
    return Readiness(parts, parts)


async def test_readiness_with_readable_and_writable_database_reports_no_trouble() -> None:
    assert await readiness().check() is None


async def test_readiness_with_unwritable_database_reports_the_cause() -> None:
    told = await readiness(trouble=FULL).check()
    assert told == Trouble("SQLITE_FULL", "the books cannot be written: the disk is full", "make room", 7)


async def test_readiness_with_unreadable_database_reports_the_cause_without_file_name() -> None:
    error = UnusableError("/srv/x is damaged", "run: x", code="SQLITE_CORRUPT", reason="the database is damaged")
    told = await readiness(error=error).check()
    assert told == Trouble("SQLITE_CORRUPT", "the books cannot be read: the database is damaged", "run: x")


async def test_readiness_with_unrelated_error_raises_it() -> None:
    with pytest.raises(KeyError):
        await readiness(error=KeyError("x")).check()
