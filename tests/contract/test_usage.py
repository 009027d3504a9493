import csv
import io
import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from fractions import Fraction
from pathlib import Path

import pytest
from support.books import post

from softix_proxy.domain.access.keys import KeyLimits
from softix_proxy.domain.core.calendar import Calendar
from softix_proxy.domain.core.clock import DAY_US, SystemClock, parse_instant
from softix_proxy.domain.core.money import parse_usd
from softix_proxy.domain.core.spans import Span
from softix_proxy.domain.metering.admission import Intent
from softix_proxy.domain.metering.bounds import Bound
from softix_proxy.domain.metering.settlement import Settlement
from softix_proxy.domain.metering.usage import Correction, UsageFilter, UsageRow, UsageSource, add_up
from softix_proxy.domain.pricing.meters import INPUT_METERS, METERS
from softix_proxy.exports.metering import csv_usage, jsonl_usage
from softix_proxy.exports.metering.columns import COLUMNS, fields
from softix_proxy.exports.metering.line_layout import Layout
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.unit import SqliteStorage

pytestmark = pytest.mark.only_engine("sqlite", reason="reads in portions, and compares with its tables")

UTC = Calendar("UTC")
START_US = parse_instant("2026-10-30T23:59:59.999990Z")
EVER = Span(0, 2**63 - 1)
DIRECTORY = """
INSERT INTO users (id, public_id, name, email, role, created_at_us) VALUES
  (1, 'usr_ada', 'ada', 'ada@example.org', 'user', 1), (2, 'usr_eve', '=1+"2", or so', 'eve@example.org', 'user', 1);
INSERT INTO wallets (user_id, posted_pico) VALUES (1, 9000000000000), (2, 9000000000000);
INSERT INTO keys (id, public_id, user_id, label, prefix, digest, created_at_us) VALUES
  (1, 'key_one', 1, 'ci', 'sx_live_one', x'01', 1), (2, 'key_two', 2, '', 'sx_live_two', x'02', 1);
INSERT INTO providers (id, public_id, name, type, base_url, on_hang_up, status, created_at_us) VALUES
  (1, 'prv_a', 'lab', 'demo', '', 'cancel', 'active', 1), (2, 'prv_b', '@old', 'demo', '', 'cancel', 'removed', 1);
INSERT INTO models (id, name, provider_id, upstream_name, created_at_us) VALUES
  (1, 'llama', 1, 'llama', 1), (2, 'llama', 2, 'llama', 1), (3, 'mu:"7b"', 1, 'mu', 1);
"""


def settlement(number: int, **changes: object) -> Settlement:
    user = 1 + number % 2
    model = 1 + number % 3
    intent = Intent(
        request_id=(number + 1) << 22 | number,
        revision=0,
        user_id=user,
        postpaid=False,
        key_id=user,
        limits=KeyLimits(),
        provider_id=2 if model == 2 else 1,
        model_id=model,
        price_id=None if number % 5 == 0 else 4,
        endpoint="/v1/messages",
        stream=number % 2 == 0,
        bound=Bound(),
        tokens_estimate=0,
        started_at_us=START_US - 1 - number,
    )
    values: dict[str, object] = {
        "intent": intent,
        "hold_pico": 0,
        "tokens_held": 0,
        "source": UsageSource.PROVIDER,
        "status_code": 200,
        "meters": {"input_tokens": number, "output_tokens": 7},
        "markup": Fraction(1) if number % 2 else Fraction(43, 40),
        "cost_pico": 10**9 * number + number,
        "charge_pico": 11 * 10**8 * number + number,
        "latency_ms": number,
    }
    return Settlement(**{**values, **changes})  # type: ignore[arg-type]


ODD: Sequence[dict[str, object]] = (
    {"model_served": "-x\r\n,y", "note": '\tit\'s 100% "so"\\ é 🦊\x01', "service_tier": "+a", "ttfb_ms": 3},
    {"error": "provider_broke_off", "status_code": 502, "source": UsageSource.PARTIAL, "meters": {}, "note": ""},
    {"meters": dict(zip(METERS, range(20, 60), strict=False)), "markup": Fraction(100000001, 100000000)},
    {"cost_pico": 10**12, "charge_pico": 1234 * 10**12 + 10**10, "markup": Fraction(0)},
    {"cost_pico": 0, "charge_pico": 0, "model_served": "A=1", "note": "@"},
)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """Fifty requests in two groups: forty around a midnight, ten a day later."""
    database = Database(tmp_path / "softix.db", SystemClock())
    database.create()
    connection = database.connect()
    connection.execute(DIRECTORY)
    settlements = [settlement(number, **(ODD[number] if number < len(ODD) else {})) for number in range(50)]
    post(connection, settlements[:40], START_US)
    post(connection, settlements[40:], START_US + DAY_US)
    connection.close()
    await database.open()
    yield database
    await database.close()


@pytest.fixture
def storage(database: Database) -> SqliteStorage:
    return SqliteStorage(database)


async def rows(storage: SqliteStorage) -> Sequence[UsageRow]:
    return await storage.reading().usage.after(UsageFilter(), 0, 1000)


async def text(storage: SqliteStorage, layout: Layout, span: Span = EVER, user_id: int | None = None) -> str:
    chunks = [chunk async for chunk in storage.reading().usage.lines(layout, span, user_id)]
    return b"".join(chunk.text for chunk in chunks).decode()


async def test_usage_rows_are_read_back_with_names_and_meters(storage: SqliteStorage) -> None:
    posted = await rows(storage)
    assert [row.id for row in posted] == [
        *range(START_US, START_US + 40),
        *range(START_US + DAY_US, START_US + DAY_US + 10),
    ]
    eve = posted[1]
    assert (eve.user_public_id, eve.key_public_id, eve.key_prefix) == ("usr_eve", "key_two", "sx_live_two")
    assert (eve.provider, eve.model, eve.error, eve.source, eve.meters) == (
        "@old",
        "llama",
        "provider_broke_off",
        UsageSource.PARTIAL,
        {},
    )
    assert posted[2].meters == dict(zip(METERS, range(20, 60), strict=False))
    assert posted[0].stream is True
    assert await storage.reading().usage.by_request(eve.request_id) == eve
    assert await storage.reading().usage.by_request(5) is None


async def test_usage_filters_select_the_matching_rows_in_order(storage: SqliteStorage) -> None:
    usage, posted = storage.reading().usage, await rows(storage)
    latest = list(reversed(posted))
    assert await usage.newest(UsageFilter(), 3) == latest[:3]
    assert await usage.newest(UsageFilter(user_id=2), 100) == [row for row in latest if row.user_id == 2]
    assert await usage.newest(UsageFilter(key_id=1, model_ids=[1, 3]), 100) == [
        row for row in latest if row.user_id == 1 and row.model_id != 2
    ]
    assert await usage.newest(UsageFilter(errors_only=True), 100) == [posted[1]]
    span = Span(posted[10].id, posted[12].id)
    assert await usage.newest(UsageFilter(span=span), 100) == [posted[11], posted[10]]
    assert await usage.after(UsageFilter(user_id=1), posted[45].id, 2) == [posted[46], posted[48]]
    assert await usage.newest(UsageFilter(model_ids=[]), 100) == []


async def test_model_ids_are_found_by_either_name(storage: SqliteStorage) -> None:
    usage = storage.reading().usage
    assert sorted(await usage.model_ids("llama")) == [1, 2]
    assert await usage.model_ids("@old/llama") == [2]
    assert await usage.model_ids("none") == []


@pytest.mark.parametrize("by", ["user", "key", "model", "provider", "day"])
async def test_usage_totals_equal_the_sums_of_the_rows(storage: SqliteStorage, by: str) -> None:
    subjects = {
        "user": lambda row: (row.user_public_id, row.user_name),
        "key": lambda row: (row.key_public_id, f"{row.user_name} {'ci ' if row.user_id == 1 else ''}{row.key_prefix}"),
        "model": lambda row: (f"{row.provider}/{row.model}",) * 2,
        "provider": lambda row: (row.provider,) * 2,
        "day": lambda row: (str(fields(row)["posted_at"])[:10],) * 2,
    }
    charges: Counter[tuple[str, str]] = Counter()
    requests: Counter[tuple[str, str]] = Counter()
    for row in await rows(storage):
        charges[subjects[by](row)] += row.charge_pico
        requests[subjects[by](row)] += 1
    totals = await storage.reading().usage.totals(by, 0, 10**6, UTC)  # type: ignore[arg-type]
    assert {(total.id, total.name): total.charge_pico for total in totals} == charges
    assert {(total.id, total.name): total.requests for total in totals} == requests
    assert sum(total.errors for total in totals) == 1
    assert sum(total.input_tokens for total in totals) == sum(
        number for number in range(50) if number not in (1, 2)
    ) + sum(range(20, 20 + len(INPUT_METERS)))
    if by == "day":
        assert [total.id for total in totals] == ["2026-10-30", "2026-10-31"]
    else:
        assert [total.charge_pico for total in totals] == sorted(charges.values(), reverse=True)


@pytest.mark.parametrize("by", ["user", "key", "model", "provider"])
async def test_usage_trends_equal_the_totals_day_by_day(storage: SqliteStorage, by: str) -> None:
    usage = storage.reading().usage
    totals = await usage.totals(by, 0, 10**6, UTC)  # type: ignore[arg-type]
    trends = await usage.trends(by, 0, 10**6, UTC, 100)  # type: ignore[arg-type]
    days = {day for trend in trends.values() for day in trend}
    assert days == {START_US // DAY_US, START_US // DAY_US + 1}
    assert {name: add_up(list(trend.values()), name).charge_pico for name, trend in trends.items()} == {
        total.id: total.charge_pico for total in totals
    }
    assert all(total.id == name for name, trend in trends.items() for total in trend.values())
    assert set(await usage.trends(by, 0, 10**6, UTC, 1)) == {totals[0].id}  # type: ignore[arg-type]
    assert await usage.trends(by, 0, 1, UTC, 9) == {}  # type: ignore[arg-type]


async def test_usage_totals_of_some_days_count_only_these_days(storage: SqliteStorage) -> None:
    day = START_US // DAY_US
    usage = storage.reading().usage
    assert await usage.totals("day", 0, day, UTC) == []
    assert sum(total.requests for total in await usage.totals("user", day, day + 1, UTC)) == 10


async def test_usage_totals_beyond_64_bits_are_exact(database: Database, storage: SqliteStorage) -> None:
    connection = database.connect()
    most = 2**63 - 1
    for key in (1, 2, 3):
        connection.execute("INSERT INTO usage_daily VALUES (5, ?, 1, 1, 1, 1, 0, 0, 0, ?, ?)", (key, most, most))
    connection.close()
    (total,) = await storage.reading().usage.totals("user", 5, 6, UTC)
    assert (total.cost_pico, total.charge_pico) == (3 * most, 3 * most)


async def test_json_lines_equal_the_fields_of_the_rows(storage: SqliteStorage) -> None:
    lines = (await text(storage, jsonl_usage.LAYOUT)).split("\n")
    assert lines.pop() == ""
    assert [json.loads(line) for line in lines] == [fields(row) for row in await rows(storage)]
    assert all(list(json.loads(line)) == [column.name for column in COLUMNS] for line in lines)


def in_csv(value: object) -> str:
    if value is None or isinstance(value, bool):
        return {None: "", True: "true", False: "false"}[value]
    written = str(value)
    return "'" + written if written[:1] in tuple("=+-@\t\r") and isinstance(value, str) else written


async def test_csv_lines_equal_the_fields_of_the_rows(storage: SqliteStorage) -> None:
    written = csv_usage.LAYOUT.header + await text(storage, csv_usage.LAYOUT)
    header, *read = csv.reader(io.StringIO(written, newline=""), strict=True)
    assert header == [column.name for column in COLUMNS]
    assert read == [[in_csv(value) for value in fields(row).values()] for row in await rows(storage)]
    assert written.endswith("\r\n")
    assert read[1][5] == """'=1+"2", or so"""
    assert read[3][header.index("charge")] == "1234.01"


async def test_usage_export_adds_up_to_the_ledger(database: Database, storage: SqliteStorage) -> None:
    chunks = [chunk async for chunk in storage.reading().usage.lines(csv_usage.LAYOUT, EVER, None)]
    read = csv.DictReader(io.StringIO(csv_usage.LAYOUT.header + b"".join(one.text for one in chunks).decode()))
    charged = sum(parse_usd(row["charge"]) for row in read)
    ledger = await database.session.one("SELECT sum(amount_pico) FROM transfers WHERE kind = 'charge'")
    assert ledger is not None
    assert charged == sum(chunk.charge_pico for chunk in chunks) == ledger[0]
    assert sum(chunk.rows for chunk in chunks) == 50


async def test_usage_export_of_a_half_open_span_and_one_user_has_only_their_rows(storage: SqliteStorage) -> None:
    midnight = parse_instant("2026-10-31")
    posted = await rows(storage)

    async def ids(span: Span, user_id: int | None = None) -> list[int]:
        lines = await text(storage, jsonl_usage.LAYOUT, span, user_id)
        return [json.loads(line)["row_id"] for line in lines.splitlines()]

    assert await ids(Span(0, midnight)) == [row.id for row in posted[:10]]
    assert posted[10].id == midnight
    assert await ids(Span(midnight, 2**63 - 1)) == [row.id for row in posted[10:]]
    assert await ids(EVER, 1) == [row.id for row in posted if row.user_id == 1]
    assert await text(storage, csv_usage.LAYOUT, Span(0, 1)) == ""
    assert await text(storage, csv_usage.LAYOUT, EVER, 77) == ""


async def test_expected_rows_are_those_of_the_days_of_the_span(storage: SqliteStorage) -> None:
    usage = storage.reading().usage
    assert await usage.expected_rows(EVER, None) == 50
    assert await usage.expected_rows(EVER, 1) == 25
    assert await usage.expected_rows(Span(START_US + 5, START_US + 6), None) == 10
    assert await usage.expected_rows(Span(0, 1), None) == 0


async def test_usage_export_leaves_out_rows_posted_meanwhile(
    database: Database, storage: SqliteStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("softix_proxy.storage.sqlite.metering.usage._LINES_AT_ONCE", 7)
    everything = await text(storage, jsonl_usage.LAYOUT)
    connection = database.connect()
    pieces = []
    async for chunk in storage.reading().usage.lines(jsonl_usage.LAYOUT, EVER, None):
        if not pieces:
            post(connection, [settlement(99)], START_US + 3 * DAY_US)
        assert chunk.text.count(b"\n") == chunk.rows <= 7
        pieces.append(chunk.text)
    connection.close()
    assert b"".join(pieces).decode() == everything
    assert len(pieces) == 8


async def test_daily_costs_equal_the_sums_of_the_rows(storage: SqliteStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of all providers of a name, in pieces."""
    day = START_US // DAY_US
    expected: Counter[tuple[object, ...]] = Counter()
    for row in await rows(storage):
        if row.provider == "lab":
            key = (row.id // DAY_US, row.model, row.model_served, row.source)
            expected[*key, "requests"] += 1
            expected[*key, "cost"] += row.cost_pico
            expected[*key, "tokens"] += sum(row.meters.get(name, 0) for name in METERS if name.endswith("_tokens"))
    for at_once in (3, 1000):
        monkeypatch.setattr("softix_proxy.storage.sqlite.metering.usage._SUMMED_AT_ONCE", at_once)
        found: Counter[tuple[object, ...]] = Counter()
        async for one in storage.reading().usage.daily_costs("lab", 0, day + 9):
            key = (one.day, one.model, one.model_served, one.source)
            found[*key, "requests"] += one.requests
            found[*key, "cost"] += one.cost_pico
            found[*key, "tokens"] += one.tokens
            assert one.upstream_name in ("llama", "mu") and not one.unpriced
        assert found == expected
    assert [one async for one in storage.reading().usage.daily_costs("lab", 0, day)] == []
    assert [one async for one in storage.reading().usage.daily_costs("none", 0, day + 9)] == []


async def test_daily_costs_of_a_row_with_an_unpriced_meter_are_marked_unpriced(
    database: Database, storage: SqliteStorage
) -> None:
    connection = database.connect()
    changes = {"note": "clamped unpriced:images", "source": UsageSource.ESTIMATE}
    post(connection, [settlement(60, **changes)], START_US + 5 * DAY_US)
    connection.close()
    day = START_US // DAY_US + 5
    [one] = [one async for one in storage.reading().usage.daily_costs("lab", day, day + 1)]
    assert (one.unpriced, one.source, one.requests) == (True, UsageSource.ESTIMATE, 1)


@pytest.mark.parametrize(
    ("note", "cost_price_id", "unpriced"),
    [
        ("unpriced:images", None, True),
        ("unpriced:images", 3, False),
        ("unpriced:images uncosted:images", 3, True),
        ("uncosted:images", 0, True),
    ],
)
async def test_daily_costs_are_unpriced_exactly_if_the_provider_s_price_is_missing(
    database: Database, storage: SqliteStorage, note: str, cost_price_id: int | None, unpriced: bool
) -> None:
    """What the customer has no price for is no want of a cost, where that has a sheet of its own."""
    connection = database.connect()
    post(connection, [settlement(60, note=note, cost_price_id=cost_price_id)], START_US + 5 * DAY_US)
    connection.close()
    day = START_US // DAY_US + 5
    [one] = [one async for one in storage.reading().usage.daily_costs("lab", day, day + 1)]
    assert one.unpriced is unpriced
    row = await storage.reading().usage.by_request(61 << 22 | 60)
    assert row is not None and row.cost_price_id == cost_price_id
    async with storage.writing() as unit:
        await unit.ledger.correct(
            Correction(row, 70 << 22, 5, 0, row.price_id, row.markup, "the cost is known now", cost_price_id=4)
        )
    found = [one async for one in storage.reading().usage.daily_costs("lab", day, day + 1)]
    assert not any(one.unpriced for one in found) and sum(one.requests for one in found) == 1


async def test_usage_sums_in_portions_alone_or_with_lines_equal_those_of_the_rows(
    storage: SqliteStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In portions, alone and with the lines: those of the rows."""
    monkeypatch.setattr("softix_proxy.storage.sqlite.metering.usage._SUMMED_AT_ONCE", 7)
    monkeypatch.setattr("softix_proxy.storage.sqlite.metering.usage._LINES_AT_ONCE", 7)
    posted, reading = await rows(storage), storage.reading()
    for user_id in (None, 1, 2):
        wanted = [row for row in posted if user_id in (None, row.user_id)]
        expected: Counter[str] = Counter()
        for row in wanted:
            expected[row.user_public_id] += row.charge_pico
        lines = [chunk async for chunk in reading.usage.lines(csv_usage.LAYOUT, EVER, user_id)]
        alone = [sums async for sums in reading.usage.sums(EVER, user_id)]
        assert [chunk.sums for chunk in lines] == alone and len(alone) == 8
        found: Counter[str] = Counter()
        for one in (one for sums in alone for one in sums.by_user):
            found[one.user_id] += one.charge_pico
        assert found == expected
        counted = [sums for sums in alone if sums.by_user]
        assert (counted[0].first_id, counted[-1].last_id) == (wanted[0].id, wanted[-1].id)
        assert sum(one.rows for sums in alone for one in sums.by_user) == len(wanted)
