from pathlib import Path

from softix_proxy.domain.core.calendar import Calendar
from softix_proxy.domain.core.clock import SystemClock
from softix_proxy.domain.core.spans import Span
from softix_proxy.domain.metering.usage import UsageFilter
from softix_proxy.exports.metering import csv_usage
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.metering.usage import SqliteUsageStore


async def test_usage_store_without_rows_returns_empty_results(tmp_path: Path) -> None:
    database = Database(tmp_path / "softix.db", SystemClock())
    database.create()
    await database.open()
    usage = SqliteUsageStore(database.session)
    span = Span(0, 2**63 - 1)
    lines = usage.lines(csv_usage.LAYOUT, span, None)
    assert lines is not None and [chunk async for chunk in lines] == []
    assert [rows async for rows in usage.rows(span, None)] == []
    assert await usage.newest(UsageFilter(), 10) == []
    assert await usage.totals("user", 0, 100_000, Calendar("UTC")) == []
    assert await usage.expected_rows(span, None) == 0
    await database.close()
