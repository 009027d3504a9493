from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from support.books import make_intent, make_settlement, post
from support.posted import rows
from support.year import WHOLE_YEAR, Year, make_year, month

from softix_proxy.domain.core.errors import BadInputError, NotFoundError
from softix_proxy.domain.core.spans import Span
from softix_proxy.exports.ledger.cents import to_cents
from softix_proxy.operations.ledger import balance
from softix_proxy.operations.metering import usage
from softix_proxy.operations.reporting import exports
from softix_proxy.operations.reporting.exports import FORMATS, ExportRequest

ACCOUNTS = {"Checking": "cash", "AI Usage Revenue": "revenue", "Customer Adjustments": "adjustments"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def year(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Year]:
    """To be read only."""
    made = await make_year(tmp_path_factory.mktemp("year"))
    yield made
    await made.database.close()


async def taken(year: Year, form: str, span: Span = WHOLE_YEAR, **told: Any) -> dict[str, bytes]:
    """File → text."""
    files: dict[str, bytes] = {}
    exported = await exports.export(year.storage, ExportRequest(form, span, **told))
    async for chunk in exported.chunks:
        if chunk.text:
            files[chunk.file] = files.get(chunk.file, b"") + chunk.text
    return files


@pytest.mark.parametrize("form", FORMATS)
async def test_export_in_each_format_has_the_sums_of_the_rows(year: Year, form: str) -> None:
    span = Span(0, WHOLE_YEAR.to_us)
    exported = await exports.export(year.storage, ExportRequest(form, span))
    chunks = [chunk async for chunk in exported.chunks]
    csv = await usage.export(year.storage, usage.FORMATS["csv"], span, None)
    rows_of_csv = [chunk async for chunk in csv.chunks]
    assert exported.expected_rows == csv.expected_rows > 0
    assert sum(chunk.charge_pico for chunk in chunks) == sum(chunk.charge_pico for chunk in rows_of_csv)
    assert sum(chunk.cost_pico for chunk in chunks) == sum(chunk.cost_pico for chunk in rows_of_csv)
    assert sum(chunk.rows for chunk in chunks) >= sum(chunk.rows for chunk in rows_of_csv)
    named = {chunk.file for chunk in chunks if chunk.text}
    assert len(named) == 1 and named.pop().startswith(f"{form}_1970-01-01_2027-01-01")


async def test_export_as_csv_equals_the_usage_export(year: Year) -> None:
    exported = await usage.export(year.storage, usage.FORMATS["csv"], WHOLE_YEAR, None)
    before = b"".join([chunk.text async for chunk in exported.chunks])
    assert await taken(year, "csv") == {"csv_2026-01-01_2027-01-01.csv": before}


@pytest.mark.parametrize("granularity", ["row", "day", "month"])
async def test_export_entries_are_dated_by_posting_in_order(year: Year, granularity: str) -> None:
    [text] = (await taken(year, "hledger", granularity=granularity)).values()
    dates = [line[:10] for line in text.decode().splitlines() if line.startswith("2026-")]
    assert dates == sorted(dates)
    lasts = {"2026-01-31", "2026-02-28", "2026-03-31", "2026-12-31"}
    assert lasts <= set(dates) and (granularity == "month") == (len(set(dates)) == 12)


async def test_export_by_day_uses_the_days_of_the_zone(year: Year) -> None:
    """The last request of each month was posted a microsecond before midnight, UTC."""
    told = {"granularity": "day", "zone": ZoneInfo("Europe/Berlin")}
    [text] = (await taken(year, "hledger", month(0), **told)).values()
    assert b"\n2026-02-01 * " in text and b"\n2026-01-31 * " not in text


@pytest.mark.parametrize("form", ["hledger", "quickbooks", "parquet"])
async def test_export_during_a_posting_leaves_it_out(tmp_path: Path, form: str) -> None:
    year, span = await make_year(tmp_path, months=2), Span(0, 2**63 - 1)
    [whole] = (await taken(year, form, span)).values()
    exported = await exports.export(year.storage, ExportRequest(form, span))
    pieces = []
    async for chunk in exported.chunks:
        if not pieces:
            year.clock.us = month(2).from_us
            await balance.add(year.storage, "usr_ada", 1)
            post(year.database.connect(), [make_settlement(make_intent(4711, 0))], month(2).from_us + 5)
        pieces.append(chunk.text)
    assert len(b"".join(pieces)) == len(whole)
    assert len((await taken(year, form, span)).popitem()[1]) != len(whole)
    await year.database.close()


async def test_export_of_one_user_contains_only_theirs(year: Year) -> None:
    [text] = (await taken(year, "hledger", user="usr_bob")).values()
    assert b"usr_bob" in text and b"usr_ada" not in text
    with pytest.raises(NotFoundError):
        await taken(year, "hledger", user="eve")


def cents(text: bytes) -> Counter[tuple[str, str]]:
    """By account and name."""
    sums: Counter[tuple[str, str]] = Counter()
    for row in rows(text.decode()):
        sums[row["Account Name"], row["Name"]] += int(Decimal(row["Debits"] or f"-{row['Credits']}") * 100)
    return sums


@pytest.mark.parametrize("granularity", ["day", "month"])
async def test_export_of_twelve_months_in_cents_equals_the_ledger(year: Year, granularity: str) -> None:
    """Each month exported by itself; the first has what was before, too."""
    found: Counter[tuple[str, str]] = Counter()
    for number in range(12):
        told = {"opening": number == 0, "granularity": granularity}
        [text] = (await taken(year, "quickbooks", month(number), **told)).values()
        found.update(cents(text))
    [whole] = (await taken(year, "quickbooks", Span(0, WHOLE_YEAR.to_us))).values()
    assert +found == +cents(whole) and -found == -cents(whole)
    by_user: Counter[str] = Counter()
    exact: Counter[tuple[str, str]] = Counter()
    async for portion in year.storage.reading().ledger.postings(Span(0, WHOLE_YEAR.to_us), None):
        for posting in portion.postings:
            exact[posting.user_name, str(posting.account)] += posting.wallet_pico
    for (name, _), pico in exact.items():
        by_user[name] += to_cents(pico)
    shown = {
        name.removeprefix("'"): -amount
        for (account, name), amount in found.items()
        if account.endswith("ments") and name
    }
    assert {name.split()[0]: amount for name, amount in shown.items()} == {
        name.split()[0]: amount for name, amount in by_user.items()
    }
    for account, name in ACCOUNTS.items():
        assert abs(found[account, ""] + to_cents(await year.pico(name))) <= 1, "a cent for two customers' halves"
    assert sum(found.values()) == 0


async def test_export_of_invoices_equals_the_charges_to_the_cent(year: Year) -> None:
    shown: Counter[str] = Counter()
    numbers: set[str] = set()
    for number in range(12):
        [text] = (await taken(year, "xero", month(number))).values()
        lines = rows(text.decode())
        assert not numbers & {line["*InvoiceNumber"] for line in lines}
        numbers |= {line["*InvoiceNumber"] for line in lines}
        for line in lines:
            shown[line["Reference"]] += int(Decimal(line["*UnitAmount"]) * 100)
    charged: Counter[str] = Counter()
    for row in await usage.newest(year.storage, limit=1000):
        charged[row.user_public_id] += row.charge_pico
    assert shown == {user: to_cents(pico) for user, pico in charged.items()}


@pytest.mark.parametrize(
    ("form", "told", "said"),
    [
        ("quickbooks", {"granularity": "row"}, "no granularity row"),
        ("csv", {"granularity": "day"}, "no granularity day"),
        ("parquet", {"granularity": "month"}, "no granularity month"),
        ("csv", {"costs": True}, "does not take --costs"),
        ("xero", {"costs": True}, "does not take --costs"),
        ("focus", {"opening": True}, "does not take --opening"),
        ("jsonl", {"names": ["cash=x"]}, "does not take --name"),
        ("hledger", {"names": ["wallets=a=b"]}, "cannot be a name"),
        ("hledger", {"names": ["rent=a"]}, "not a name for the books"),
    ],
)
async def test_export_with_an_unsupported_option_is_refused(
    year: Year, form: str, told: dict[str, Any], said: str
) -> None:
    with pytest.raises(BadInputError, match=said) as refused:
        await exports.export(year.storage, ExportRequest(form, WHOLE_YEAR, **told))
    assert refused.value.remedy


def test_export_formats_with_several_files_or_sums_are_known() -> None:
    assert [form for form in FORMATS if exports.several_files(form)] == ["xero"]
    assert [form for form in FORMATS if not exports.sums_up(form, None)] == [
        *("csv", "jsonl", "parquet", "hledger", "ledger", "beancount")
    ]
    assert exports.sums_up("hledger", "day") and not exports.sums_up("focus", "row")


async def test_export_file_name_with_times_within_a_day_contains_them(year: Year) -> None:
    span = Span(month(0).from_us + 1_000_000, month(0).to_us)
    assert list(await taken(year, "hledger", span)) == ["hledger_2026-01-01T000001_2026-02-01.journal"]
