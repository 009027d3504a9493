from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from support.books import NOW_US, StoppedClock, make_database, make_intent, make_settlement, post, revision

from softix_proxy.domain.core.calendar import date_of
from softix_proxy.domain.core.clock import DAY_US, format_instant
from softix_proxy.domain.core.errors import BadInputError, NotFoundError
from softix_proxy.domain.core.ids import format_request_id
from softix_proxy.domain.metering.settlement import Settlement
from softix_proxy.domain.metering.usage import UsageFilter, UsageSource
from softix_proxy.domain.pricing.rates import PriceSheet
from softix_proxy.operations.metering import usage
from softix_proxy.operations.pricing import prices
from softix_proxy.storage.sqlite.unit import SqliteStorage

TODAY_US = NOW_US - NOW_US % DAY_US
YESTERDAY, TODAY, TOMORROW = (str(format_instant(TODAY_US + days * DAY_US))[:10] for days in (-1, 0, 1))
PRICED = 9
"""The request whose charge has a price behind it: 1,000 tokens for $2 a million, and 100 for $8."""


def settled(number: int, charge_pico: int, *, user: int = 1, price_id: int | None = None, **more: object) -> Settlement:
    intent = make_intent(number, 0, user=user, price_id=price_id)
    return make_settlement(intent, charge_pico=charge_pico, **more)


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[SqliteStorage]:
    """Three requests of yesterday (one failed, one of bob), and one of today that has a price."""
    clock = StoppedClock()
    database = await make_database(tmp_path, clock).open()
    made = SqliteStorage(database)
    price = (
        await prices.set_price(
            made, "lab/llama", PriceSheet.parse({"bands": [{"prices": {"input": "2.00", "output": "8.00"}}]})
        )
    ).version.id
    failed = {"error": "provider_broke_off", "status_code": 502, "source": UsageSource.NONE, "meters": {}}
    connection = database.connect()
    post(connection, [settled(1, 5), settled(2, 0, **failed), settled(3, 7, user=2)], NOW_US - DAY_US)
    meters = {"input_tokens": 1000, "output_tokens": 100}
    post(connection, [settled(PRICED, 2_800_000_000, price_id=price, meters=meters)], NOW_US)
    assert revision(connection) > 0
    connection.close()
    yield made
    await database.close()


def numbers(rows: Sequence[usage.UsageRow]) -> list[int]:
    return [row.request_id for row in rows]


async def test_newest_usage_with_filters_contains_only_matching_rows(storage: SqliteStorage) -> None:
    assert numbers(await usage.newest(storage, limit=10)) == [PRICED, 3, 2, 1]
    assert numbers(await usage.newest(storage, limit=2)) == [PRICED, 3]
    assert numbers(await usage.newest(storage, limit=10, user="bob")) == [3]
    assert numbers(await usage.newest(storage, limit=10, key="key_ada", errors_only=True)) == [2]
    assert numbers(await usage.newest(storage, limit=10, model="lab/llama", from_=TODAY)) == [PRICED]
    assert numbers(await usage.newest(storage, limit=10, model="llama", to=TODAY, user="ada")) == [2, 1]


@pytest.mark.parametrize("wanted", [{"user": "eve"}, {"key": "key_eve"}, {"model": "lab/gpt"}])
async def test_newest_usage_of_an_unknown_user_key_or_model_is_refused(
    storage: SqliteStorage, wanted: dict[str, str]
) -> None:
    with pytest.raises(NotFoundError):
        await usage.newest(storage, limit=10, **wanted)  # type: ignore[arg-type]


@pytest.mark.parametrize(("from_", "to"), [(TODAY, TODAY), (TOMORROW, TODAY), ("yesterday", TODAY)])
async def test_usage_with_a_bad_period_is_refused(storage: SqliteStorage, from_: str, to: str) -> None:
    with pytest.raises(BadInputError):
        await usage.newest(storage, limit=10, from_=from_, to=to)
    with pytest.raises(BadInputError):
        await usage.summary(storage, "user", from_, to)
    with pytest.raises(BadInputError):
        usage.parse_span(from_, to)


def add(storage: SqliteStorage, *settlements: Settlement, at_us: int = NOW_US) -> None:
    connection = storage._database.connect()
    post(connection, settlements, at_us)
    connection.close()


async def test_tail_begins_with_the_last_rows_and_goes_on_with_each_added_row_once(storage: SqliteStorage) -> None:
    tail = usage.UsageTail(storage, UsageFilter())
    assert numbers(await tail.begin(2)) == [3, PRICED]
    assert numbers(await tail.added()) == []
    add(storage, settled(11, 5), settled(12, 5), settled(13, 5))
    assert [numbers(await tail.added(2)) for _ in range(3)] == [[11, 12], [13], []]


async def test_tail_with_a_filter_passes_other_rows_and_looks_at_each_once(storage: SqliteStorage) -> None:
    wanted = await usage.filter_of(storage.reading(), user="bob", model="llama")
    tail = usage.UsageTail(storage, wanted)
    assert numbers(await tail.begin(5)) == [3]
    add(storage, settled(11, 5), settled(12, 5, user=2), settled(13, 5))
    assert numbers(await tail.added()) == [12]
    assert tail._seen == (await usage.newest(storage, limit=1))[0].id
    assert numbers(await tail.added()) == []


async def test_tail_of_an_instance_without_usage_shows_the_first_row(storage: SqliteStorage) -> None:
    tail = usage.UsageTail(storage, await usage.filter_of(storage.reading(), key="key_bob", errors_only=True))
    assert numbers(await tail.begin(5)) == []
    add(storage, settled(11, 0, user=2, error="provider_broke_off", status_code=502))
    assert numbers(await tail.added()) == [11]


async def test_tail_leaves_out_rows_of_a_clock_that_was_ahead_and_misses_no_later_one(storage: SqliteStorage) -> None:
    add(storage, settled(11, 5), at_us=NOW_US + DAY_US)
    tail = usage.UsageTail(storage, UsageFilter())
    assert numbers(await tail.begin(1)) == [11]
    add(storage, settled(12, 5), at_us=NOW_US + 1)
    assert numbers(await tail.added()) == [12]
    add(storage, settled(13, 5), at_us=NOW_US + 2)
    assert numbers(await tail.added()) == [13]


async def test_usage_with_a_status_contains_only_rows_with_it(storage: SqliteStorage) -> None:
    assert numbers(await usage.newest(storage, limit=9, statuses=["5xx"])) == [2]
    assert numbers(await usage.newest(storage, limit=9, statuses=["200", "502"], user="ada")) == [
        PRICED,
        2,
        1,
    ]
    assert numbers(await usage.newest(storage, limit=9, statuses=["4XX"])) == []


@pytest.mark.parametrize("text", ["", "5x", "600", "0xx", "20", "2000", "²00", "ok"])
async def test_status_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadInputError, match="not a status"):
        usage.parse_statuses([text])


async def test_explanation_of_a_charge_lists_its_lines(storage: SqliteStorage) -> None:
    explained = await usage.explain(storage, format_request_id(PRICED))
    assert [(line.meter, line.quantity, str(line.unit_price), line.charge_pico) for line in explained.lines] == [
        ("input_tokens", 1000, "2.00", 2_000_000_000),
        ("output_tokens", 100, "8.00", 800_000_000),
    ]
    assert explained.charge_pico == explained.row.charge_pico
    assert (await usage.explain(storage, format_request_id(1))).lines == ()


async def test_explanation_of_an_unknown_or_bad_request_id_is_refused(storage: SqliteStorage) -> None:
    with pytest.raises(NotFoundError):
        await usage.explain(storage, format_request_id(4))
    with pytest.raises(BadInputError, match="not a request id"):
        await usage.explain(storage, "4")


async def test_usage_of_a_request_is_shown_only_to_its_owner(storage: SqliteStorage) -> None:
    request_id = format_request_id(3)
    shown = await usage.for_request(storage, request_id, user_id=2)
    assert shown is not None and shown["request_id"] == request_id
    assert await usage.for_request(storage, request_id, user_id=1) is None
    assert await usage.for_request(storage, "nonsense", user_id=1) is None


async def test_usage_summary_by_user_and_by_day_has_the_sums(storage: SqliteStorage) -> None:
    by_user = await usage.summary(storage, "user", YESTERDAY, TOMORROW)
    assert [(total.name, total.requests, total.errors, total.charge_pico) for total in by_user.totals] == [
        ("ada", 3, 1, 2_800_000_005),
        ("bob", 1, 0, 7),
    ]
    assert [(total.name, total.charge_pico) for total in by_user.days] == [(YESTERDAY, 12), (TODAY, 2_800_000_000)]
    by_day = await usage.summary(storage, "day", TODAY, TOMORROW)
    assert by_day.totals == by_day.days and [total.name for total in by_day.totals] == [TODAY]


async def test_usage_page_has_all_charts(storage: SqliteStorage) -> None:
    page = await usage.page(storage, YESTERDAY, TOMORROW, "0.1.0")
    assert [part.by for part in page.parts] == ["model", "user", "key"]
    assert [total.name for total in page.parts[1].totals] == ["ada", "bob"]
    assert page.parts[1].trends["usr_bob"][TODAY_US // DAY_US - 1].charge_pico == 7
    assert (page.made_at_us, [day.name for day in page.days]) == (NOW_US, [YESTERDAY, TODAY])


async def test_usage_summary_without_dates_covers_this_month_in_whole_days(storage: SqliteStorage) -> None:
    summary = await usage.summary(storage, "model", None, None)
    assert date_of(summary.first_day).isoformat() == f"{TODAY[:8]}01"
    assert date_of(summary.end_day).isoformat() == TOMORROW
    with pytest.raises(BadInputError, match="whole days"):
        await usage.summary(storage, "model", f"{YESTERDAY}T12:00:00Z", TOMORROW)


@pytest.mark.parametrize("form", usage.FORMATS)
async def test_usage_export_in_each_format_has_the_announced_sums(
    storage: SqliteStorage, form: usage.UsageFormat
) -> None:
    layout = usage.FORMATS[form]
    exported = await usage.export(storage, layout, usage.parse_span(YESTERDAY, TOMORROW), None)
    chunks = [chunk async for chunk in exported.chunks]
    assert exported.expected_rows == sum(chunk.rows for chunk in chunks) == 4
    assert sum(chunk.charge_pico for chunk in chunks) == 2_800_000_012
    assert sum(chunk.text.count(b"req_") for chunk in chunks) == 4
    assert (chunks[0].text == layout.header.encode()) == bool(layout.header)


async def test_usage_export_of_one_user_contains_only_theirs(storage: SqliteStorage) -> None:
    span = usage.parse_span(YESTERDAY, TOMORROW)
    exported = await usage.export(storage, usage.FORMATS["csv"], span, "bob")
    assert sum([chunk.charge_pico async for chunk in exported.chunks]) == 7
    with pytest.raises(NotFoundError):
        await usage.export(storage, usage.FORMATS["csv"], span, "eve")
