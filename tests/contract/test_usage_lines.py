"""Lines of an export that a store makes itself are those that are made of its rows, byte for byte."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from support.books import NOW_US, USD, StoppedClock, make_database, make_intent, make_settlement, post

from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.core.spans import Span
from softix_proxy.domain.metering.usage import Correction, ExportLines, UsageFilter, UsageSource
from softix_proxy.domain.pricing.meters import METERS
from softix_proxy.exports.metering.line_layout import Layout
from softix_proxy.operations.metering import usage
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.unit import SqliteStorage

pytestmark = pytest.mark.only_engine("sqlite", reason="compares lines that it makes itself")

EVER = Span(0, 2**62)
TEXTS = (
    *("", " ", "=1+1", "+a", "-b", "@c", "\td", "\re", "'f", " =g", "A=1", ",", "\\", "0", "100% %s %d"),
    *('a "quote" and ""', "two\nlines\r\n", "é 🦊 \u2028\x85", "\x01\x08\x0c\x1b\x1f\x7f", "</script>"),
)
LETTERS = " \t\r\n\"\\,;=+-@%'/AZaz09\x01\x1f\x7f\u00e9\u2028\ufeff\U0001f98a"
chance = random.Random(7)
ANY_TEXTS = tuple("".join(chance.choices(LETTERS, k=chance.randrange(1, 12))) for _ in range(60))


class WithoutLines:
    """A store that has rows, and cannot make lines."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def reading(self) -> WithoutLines:
        return WithoutLines(self._inner.reading())

    @property
    def usage(self) -> WithoutLines:
        return WithoutLines(self._inner.usage)

    def lines(self, *_: object) -> None:
        return None


@pytest.fixture
async def storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SqliteStorage]:
    """Rows with odd texts, with and without each meter, and corrections whose amounts are negative."""
    monkeypatch.setattr("softix_proxy.storage.sqlite.metering.usage._LINES_AT_ONCE", 17)
    clock = StoppedClock()
    database: Database = make_database(tmp_path, clock)
    connection = database.connect()
    connection.execute("UPDATE users SET name = ? WHERE id = 2", ('=bob "B";\r\n🦊',))
    connection.execute("UPDATE providers SET name = '@lab'")
    settlements = []
    for number, text in enumerate((*TEXTS, *ANY_TEXTS), 1):
        meters = {name: number * at for at, name in enumerate(METERS) if number % 3 and (number + at) % 4}
        intent = make_intent(
            number << 30 | number, 0, user=1 + number % 2, price_id=number % 5 or None, hold_pico=USD // 50
        )
        changes: dict[str, Any] = {
            "meters": meters,
            "note": text,
            "model_served": text[::-1],
            "service_tier": text[1:],
            "error": None if number % 4 else "provider_broke_off",
            "ttfb_ms": None if number % 2 else number,
            "markup": Fraction(100_000_000 + number % 7, 100_000_000),
            "fee_pico": number % 2 * number,
            "source": UsageSource.ESTIMATE if number % 6 else UsageSource.INTERRUPTED,
        }
        cost_pico = number * 10 ** (number % 11)
        settlements.append(
            make_settlement(intent, charge_pico=USD // 90 + number, **{**changes, "cost_pico": cost_pico})
        )
    post(connection, settlements, NOW_US)
    connection.close()
    await database.open()
    clock.us += DAY_US
    made = SqliteStorage(database)
    async with made.writing() as unit:
        for number, row in enumerate(await unit.usage.after(UsageFilter(), 0, 5), 1):
            correction = Correction(
                corrects=row,
                request_id=1 << 50 | number,
                cost_pico=-number,
                charge_pico=-number * 10**8,
                price_id=None,
                markup=Fraction(1),
                note="agreed",
            )
            await unit.ledger.correct(correction)
    yield made
    await database.close()


async def exported(storage: Any, layout: Layout, user: str | None = None) -> list[ExportLines]:
    found = await usage.export(storage, layout, EVER, user)
    return [chunk async for chunk in found.chunks]


@pytest.mark.parametrize("user", [None, "ada"])
@pytest.mark.parametrize("name", usage.FORMATS)
async def test_usage_export_of_a_store_without_lines_is_the_same_file(
    storage: SqliteStorage, name: usage.UsageFormat, user: str | None
) -> None:
    layout = usage.FORMATS[name]
    quick, slow = await exported(storage, layout, user), await exported(WithoutLines(storage), layout, user)
    assert b"".join(one.text for one in quick) == b"".join(one.text for one in slow)
    assert len(quick) > 4 and [one.text for one in quick] == [one.text for one in slow]
    for told in ("rows", "cost_pico", "charge_pico", "file"):
        assert [getattr(one, told) for one in quick] == [getattr(one, told) for one in slow]
    for one, other in zip(quick, slow, strict=True):
        assert (one.sums is None) == (other.sums is None)
        if one.sums and other.sums:
            assert sorted(one.sums.by_user) == sorted(other.sums.by_user)
            assert not one.sums.by_user or one.sums[:2] == other.sums[:2]


async def test_usage_export_of_odd_texts_contains_each_of_them(storage: SqliteStorage) -> None:
    """Else the comparison would say nothing."""
    text = b"".join(one.text for one in await exported(storage, usage.FORMATS["csv"])).decode()
    for part in ("'=1+1", "'-b", "'\td", '""quote""', "two\nlines\r\n", "🦊", "100% %s %d", ",-0.0001,"):
        assert part in text, part


async def test_usage_rows_of_a_user_without_any_come_in_empty_portions(storage: SqliteStorage) -> None:
    reading = storage.reading().usage
    assert [rows async for rows in reading.rows(EVER, 77)] == [[]] * len(
        [rows async for rows in reading.rows(EVER, None)]
    )
