import asyncio
from typing import Any

import pytest

from softix_proxy.domain.core.errors import Code, RefusedError, UnusableError
from softix_proxy.domain.instance.readiness import Trouble
from softix_proxy.relay.core import readiness as readiness_module
from softix_proxy.relay.core.readiness import Readiness

FULL = Trouble("SQLITE_FULL", "the disk is full", "make room", 7)


class Parts:
    """A directory and a journal, as well or as ill as the test says."""

    def __init__(self, trouble: Trouble | None = None, error: Exception | None = None) -> None:
        self._trouble, self._error = trouble, error
        self.now_ns = 0
        self.probes: list[object] = []
        self.refusal: Exception | None = None

    def monotonic_ns(self) -> int:
        return self.now_ns

    async def probe(self) -> None:
        self.probes.append(self.now_ns)
        if self.refusal is not None:
            raise self.refusal

    def trouble(self) -> Trouble | None:
        return self._trouble

    async def refresh_shared(self) -> None:
        if self._error is not None:
            raise self._error


def readiness(**state: Any) -> Readiness:
    parts: Any = Parts(**state)
    return Readiness(parts, parts, parts.monotonic_ns)


async def test_readiness_has_made_a_real_write_at_most_every_five_seconds() -> None:
    parts: Any = Parts()
    ready = Readiness(parts, parts, parts.monotonic_ns)
    for parts.now_ns in (0, 1, 4_999_999_999, 5_000_000_000, 9_999_999_999):
        assert await ready.check() is None
    assert parts.probes == [0, 5_000_000_000]


async def test_readiness_after_a_write_that_failed_reports_it_and_writes_again() -> None:
    parts: Any = Parts()
    parts.refusal = RefusedError(Code.STORAGE_UNAVAILABLE, "the disk is full.", 5, {"cause": "SQLITE_FULL"})
    ready = Readiness(parts, parts, parts.monotonic_ns)
    told = await ready.check()
    assert told is not None and told.code == "SQLITE_FULL" and "the disk is full" in told.reason
    parts.refusal = None
    assert await ready.check() is None and len(parts.probes) == 2


async def test_readiness_while_a_write_does_not_end_reports_a_slow_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    parts: Any = Parts()
    parts.probe = asyncio.Event().wait
    monkeypatch.setattr(readiness_module, "_PROBE_WAIT_S", 0.01)
    told = await Readiness(parts, parts, parts.monotonic_ns).check()
    assert told is not None and told.code == "COMMIT_SLOW" and told.remedy


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
