from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from support.books import make_database, make_intent, make_settlement, post

from softix_proxy.domain.core.clock import DAY_US, parse_instant
from softix_proxy.domain.core.errors import BadInputError, NotFoundError
from softix_proxy.domain.metering.usage import UsageSource
from softix_proxy.domain.reporting.reconciliation import DifferenceKind, Measure, ProviderBillLine, Reconciliation
from softix_proxy.imports.formats import ProviderBill
from softix_proxy.operations.reporting import reconcile as operations
from softix_proxy.storage.sqlite.unit import SqliteStorage

DAY = parse_instant("2026-10-01") // DAY_US
MICRO = 10**6
MODELS = """
INSERT INTO providers (id, public_id, name, type, base_url, on_hang_up, created_at_us) VALUES
  (2, 'prv_two', 'two', 'demo', '', 'cancel', 1);
INSERT INTO models (id, name, provider_id, upstream_name, created_at_us) VALUES
  (2, 'fast', 1, 'gpt-4o-mini', 1), (3, 'llama', 2, 'llama', 1);
"""


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[SqliteStorage]:
    """Two days of the provider `lab`: its model llama, and one that is called otherwise upstream; another provider."""
    database = make_database(tmp_path)
    connection = database.connect()
    connection.execute(MODELS)

    def asked(number: int, model: int, charge: int, **changes: Any) -> Any:
        intent = make_intent(number, 0, model_id=model, provider_id=2 if model == 3 else 1)
        return make_settlement(intent, charge_pico=charge * MICRO, **changes)

    post(
        connection,
        [
            asked(1, 1, 100, model_served="llama-2026-01-01"),
            asked(2, 2, 50),
            asked(3, 3, 7000),
            asked(4, 1, 0, source=UsageSource.INTERRUPTED, meters={}),
        ],
        DAY * DAY_US,
    )
    post(connection, [asked(5, 1, 30, model_served="llama-2026-01-01", note="unpriced:images")], (DAY + 1) * DAY_US)
    connection.close()
    await database.open()
    yield SqliteStorage(database)
    await database.close()


def line(day: int, model: str | None, micro: int | None, tokens: int | None = None) -> ProviderBillLine:
    return ProviderBillLine(DAY + day, model, None if micro is None else micro * MICRO, tokens, 1)


def bill(*lines: ProviderBillLine | None, measure: Measure = Measure.USD) -> ProviderBill:
    return ProviderBill("a test", measure, iter(lines))


async def compare(storage: SqliteStorage, given: ProviderBill, provider: str = "lab", **options: Any) -> Reconciliation:
    return await operations.reconcile(storage, provider, given, **options)


def seen(report: Reconciliation) -> Iterable[tuple[int, str, int, int]]:
    unit = MICRO if report.measure is Measure.USD else 1
    return [(one.day - DAY, one.model, one.ours // unit, one.theirs // unit) for one in report.lines]


async def test_reconciliation_of_an_equal_bill_matches_by_day_and_model(storage: SqliteStorage) -> None:
    report = await compare(
        storage,
        bill(
            line(0, "llama-2026-01-01", 60),
            line(0, "llama-2026-01-01", 40),
            line(0, "gpt-4o-mini-2024-07-18", 50),
            line(1, "llama-2026-01-01", 30),
            None,
        ),
    )
    assert seen(report) == [
        (0, "gpt-4o-mini-2024-07-18", 50, 50),
        (0, "llama-2026-01-01", 100, 100),
        (1, "llama-2026-01-01", 30, 30),
    ]
    assert (report.matched, report.difference, report.within, report.left_out) == (1, 0, True, 1)
    assert (report.first_day - DAY, report.end_day - DAY, report.provider) == (0, 2, "lab")
    assert report.unknown_models == report.missing_models == []


async def test_reconciliation_with_unmatched_lines_lists_them(storage: SqliteStorage) -> None:
    report = await compare(storage, bill(line(0, "llama", 100), line(0, "whisper", 9), line(1, None, 3)))
    assert seen(report) == [
        (0, "gpt-4o-mini", 50, 0),
        (0, "llama", 100, 100),
        (0, "whisper", 0, 9),
        (1, "(no model named)", 0, 3),
        (1, "llama", 30, 0),
    ]
    assert (report.unknown_models, report.missing_models) == (["whisper"], ["gpt-4o-mini"])
    assert report.difference == -68 * MICRO


async def test_reconciliation_with_a_difference_explains_it_from_the_rows(storage: SqliteStorage) -> None:
    report = await compare(
        storage, bill(line(0, "llama", 900), line(0, "fast", 50), line(1, "llama", 31)), tolerance=Fraction(1)
    )
    assert [(cause.kind, cause.requests) for cause in report.causes()] == [
        (DifferenceKind.INTERRUPTED, 1),
        (DifferenceKind.UNPRICED, 1),
    ]
    assert [cause.amount for cause in report.causes()] == [800 * MICRO, MICRO]


async def test_reconciliation_of_a_bill_without_models_compares_by_day(storage: SqliteStorage) -> None:
    report = await compare(storage, bill(line(0, None, 150), line(1, None, 40)))
    assert seen(report) == [(0, "(all models)", 150, 150), (1, "(all models)", 30, 40)]
    assert report.missing_models == []


async def test_reconciliation_of_a_bill_in_tokens_compares_tokens(storage: SqliteStorage) -> None:
    report = await compare(storage, bill(line(0, "llama", None, 9), line(0, "fast", None, 7), measure=Measure.TOKENS))
    assert seen(report) == [(0, "fast", 7, 7), (0, "llama", 7, 9)]
    assert (report.difference, report.matched) == (2, Fraction(14, 16))


async def test_reconciliation_with_a_period_leaves_out_other_days(storage: SqliteStorage) -> None:
    lines = [line(-1, "old", 5), line(0, "llama", 100), line(0, "fast", 50), line(1, "llama", 30), line(2, "llama", 5)]
    report = await compare(storage, bill(*lines), from_="2026-10-01", to="2026-10-03")
    assert (report.matched, report.outside_period, report.unknown_models) == (1, 2, [])
    assert not (await compare(storage, bill(*lines))).within


async def test_reconciliation_with_bad_input_is_refused(
    storage: SqliteStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NotFoundError, match="no provider 'none'"):
        await compare(storage, bill(), provider="none")
    with pytest.raises(BadInputError, match="no line about any model"):
        await compare(storage, bill(None))
    with pytest.raises(BadInputError, match="whole days"):
        await compare(storage, bill(line(0, "m", 1)), from_="2026-10-01T12:00:00Z")
    with pytest.raises(BadInputError, match="the period is empty"):
        await compare(storage, bill(line(0, "m", 1)), to="2026-10-01")
    monkeypatch.setattr(operations, "MOST_SUBJECTS", 1)
    with pytest.raises(BadInputError, match="more than 1 days and models"):
        await compare(storage, bill(line(0, "m", 1), line(1, "m", 1)))
