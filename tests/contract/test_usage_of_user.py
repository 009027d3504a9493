from collections.abc import Sequence
from dataclasses import replace

import pytest
from support.books import NOW_US, USD, make_intent, make_settlement
from support.engines import Books

from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.core.spans import Span
from softix_proxy.domain.metering.usage import UsageFilter, UsageRow, UsageTotal
from softix_proxy.exports.metering import csv_usage
from softix_proxy.exports.metering.columns import COLUMNS
from softix_proxy.exports.metering.line_layout import Cell, Encoding, Layout

ADA, BOB = 1, 2
TODAY = NOW_US // DAY_US
SPAN = Span((TODAY - 9) * DAY_US, (TODAY + 1) * DAY_US)
OWN = UsageFilter(span=SPAN, user_id=ADA)
_SECOND_KEY = """
INSERT INTO keys (id, public_id, user_id, label, prefix, digest, created_at_us)
VALUES (3, 'key_two', 1, 'laptop', 'sx_live_cccc', x'03', 1)"""
_SECOND_MODEL = """
INSERT INTO models (id, name, provider_id, upstream_name, created_at_us) VALUES (2, 'mistral', 1, 'mistral', 1)"""


@pytest.fixture
async def rows(books: Books) -> Sequence[UsageRow]:
    """On each of four days three requests of ada and two of bob. Ada has two keys, and uses two models."""
    await books.run(_SECOND_KEY)
    await books.run(_SECOND_MODEL)
    number = 0
    for day in (8, 5, 1, 0):
        settlements = []
        for user, key, model in ((ADA, 1, 1), (BOB, 2, 1), (ADA, 3, 1), (BOB, 2, 1), (ADA, 1, 2)):
            number += 1
            intent = make_intent(number << 22, 0, hold_pico=USD // 100, user=user, key_id=key, model_id=model)
            settlements.append(make_settlement(intent, charge_pico=number * 10**9))
        await books.settle(settlements, NOW_US - day * DAY_US)
    found: Sequence[UsageRow] = await books.storage.reading().usage.after(UsageFilter(user_id=ADA), 0, 100)
    assert len(found) == 12
    return found


async def test_sums_of_a_user_are_those_of_the_own_keys_alone(books: Books, rows: Sequence[UsageRow]) -> None:
    usage = books.storage.reading().usage
    by_key = {total.id: total for total in await usage.totals_of(OWN, "key", TODAY - 9, TODAY + 1)}
    assert {name: total.requests for name, total in by_key.items()} == {"key_ada": 8, "key_two": 4}
    assert sum(total.charge_pico for total in by_key.values()) == sum(row.charge_pico for row in rows)
    days = await usage.totals_of(OWN, "day", TODAY - 5, TODAY)
    assert [total.requests for total in days] == [3, 3]
    [model] = await usage.totals_of(replace(OWN, model_ids=[2]), "model", TODAY - 9, TODAY + 1)
    assert (model.id, model.requests) == ("lab/mistral", 4)
    [one] = await usage.totals_of(replace(OWN, key_id=3), "key", TODAY - 9, TODAY + 1)
    assert one.id == "key_two"


async def test_sums_of_a_user_agree_with_those_of_all(books: Books, rows: Sequence[UsageRow]) -> None:
    unit = books.storage.reading()
    everybody = await unit.usage.totals("model", TODAY - 9, TODAY + 1, await unit.instance.calendar())
    found: list[UsageTotal] = []
    for user in (ADA, BOB):
        found += await unit.usage.totals_of(UsageFilter(user_id=user), "model", TODAY - 9, TODAY + 1)
    assert sum(total.charge_pico for total in found) == sum(total.charge_pico for total in everybody)


async def test_trends_of_a_user_have_the_most_expensive_models_by_day(books: Books, rows: Sequence[UsageRow]) -> None:
    trends = await books.storage.reading().usage.trends_of(OWN, "model", TODAY - 9, TODAY + 1, 1)
    assert list(trends) == ["lab/llama"]
    assert {day: total.requests for day, total in trends["lab/llama"].items()} == {
        TODAY - 8: 2,
        TODAY - 5: 2,
        TODAY - 1: 2,
        TODAY: 2,
    }


async def test_newest_rows_of_a_user_come_in_parts_without_a_gap(books: Books, rows: Sequence[UsageRow]) -> None:
    usage = books.storage.reading().usage
    found: list[UsageRow] = []
    part = await usage.newest_of(OWN, 5)
    while part.rows:
        assert len(part.rows) <= 5
        found += part.rows
        if part.before is None:
            break
        part = await usage.newest_of(replace(OWN, span=Span(SPAN.from_us, part.before)), 5)
    assert found == list(reversed(rows))


async def test_newest_rows_in_exactly_one_part_have_no_further_part(books: Books, rows: Sequence[UsageRow]) -> None:
    part = await books.storage.reading().usage.newest_of(OWN, 12)
    assert (len(part.rows), part.before) == (12, None)


async def test_newest_rows_pass_a_bounded_number_of_rows_of_others(books: Books, rows: Sequence[UsageRow]) -> None:
    usage = books.storage.reading().usage
    part = await usage.newest_of(OWN, 50, most_scanned=1)
    assert [row.id // DAY_US for row in part.rows] == [TODAY] * 3
    assert part.before is not None
    rest = await usage.newest_of(replace(OWN, span=Span(SPAN.from_us, part.before)), 50)
    assert [*part.rows, *rest.rows] == list(reversed(rows))


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (replace(OWN, key_id=3), 4),
        (replace(OWN, model_ids=[2]), 4),
        (replace(OWN, key_id=3, model_ids=[2]), 0),
        (replace(OWN, model_ids=[]), 0),
        (replace(OWN, span=Span((TODAY - 1) * DAY_US, (TODAY + 1) * DAY_US)), 6),
        (replace(OWN, span=Span(SPAN.to_us, SPAN.to_us)), 0),
        (replace(OWN, user_id=BOB, key_id=1), 0),
    ],
)
async def test_rows_and_lines_of_a_user_obey_the_same_filter(
    books: Books, rows: Sequence[UsageRow], wanted: UsageFilter, expected: int
) -> None:
    usage = books.storage.reading().usage
    part = await usage.newest_of(wanted, 50)
    assert len(part.rows) == expected
    text = b"".join([lines async for lines in usage.lines_of(csv_usage.LAYOUT, wanted)])
    assert text == csv_usage.LAYOUT.lines(list(reversed(part.rows)))


async def test_lines_of_a_layout_that_the_store_does_not_know_are_made_of_rows(
    books: Books, rows: Sequence[UsageRow]
) -> None:
    odd = Layout("", (Cell("", COLUMNS[0]._replace(name="odd"), Encoding.BARE),), "\n")
    text = b"".join([lines async for lines in books.storage.reading().usage.lines_of(odd, OWN)])
    assert text.split() == [str(row.id).encode() for row in rows]


async def test_spend_by_key_is_that_of_each_key_alone(books: Books, rows: Sequence[UsageRow]) -> None:
    keys = books.storage.reading().keys
    spends = await keys.spend_by_key(ADA)
    assert spends == {1: await keys.spend(1), 3: await keys.spend(3)}
    assert spends[3].total_pico == sum(row.charge_pico for row in rows if row.key_public_id == "key_two")
