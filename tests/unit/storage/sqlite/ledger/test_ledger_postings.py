"""Against a second way to the same: rows of usage and transfers, read one by one."""

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.year import EVIL, WHOLE_YEAR, Year, make_year, month

from softix_proxy.domain.core.spans import Span
from softix_proxy.domain.ledger.ledger import ADJUSTMENTS, CASH, REVENUE, Posting
from softix_proxy.domain.metering.usage import UsageFilter
from softix_proxy.storage.sqlite.ledger import ledger_postings

EVER = Span(0, 2**63 - 1)


@pytest.fixture(params=[1, 3, 1000])
async def year(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Year]:
    """Read so many rows at once."""
    monkeypatch.setattr(ledger_postings, "_ROWS_AT_ONCE", request.param)
    monkeypatch.setattr(ledger_postings, "_SUMMED_AT_ONCE", request.param)
    made = await make_year(tmp_path, months=3)
    yield made
    await made.database.close()


async def one_by_one(year: Year, span: Span = EVER, user_id: int | None = None) -> list[Posting]:
    portions = [portion async for portion in year.storage.reading().ledger.postings(span, user_id)]
    assert sum(portion.rows for portion in portions) >= sum(len(portion.postings) for portion in portions)
    return [posting for portion in portions for posting in portion.postings]


async def test_postings_contain_every_row_and_transfer_once_in_order(year: Year) -> None:
    found = await one_by_one(year)
    assert [posting.id for posting in found] == sorted({posting.id for posting in found})
    used = {posting.id: posting for posting in found if posting.account == REVENUE}
    for row in await year.storage.reading().usage.after(UsageFilter(), 0, 1000):
        posting = used.pop(row.id)
        assert (posting.user_id, posting.user_name, posting.provider, posting.model, posting.note) == (
            row.user_public_id,
            row.user_name,
            row.provider,
            row.model,
            row.note,
        )
        assert (-posting.wallet_pico, posting.cost_pico) == (row.charge_pico, row.cost_pico)
        assert posting.kind == ("charge" if row.corrects_row_id is None else "correction")
        assert (posting.request_id, posting.usage_at_us) == (row.request_id, row.usage_at_us)
        assert posting.requests == (row.corrects_row_id is None)
        assert posting.input_tokens == row.meters.get("input_tokens", 0)
    assert used == {}


async def test_postings_add_up_to_the_balances_of_the_accounts(year: Year) -> None:
    gained: Counter[int] = Counter()
    for posting in await one_by_one(year):
        gained[posting.account] += posting.wallet_pico
    for account, name in ((CASH, "cash"), (REVENUE, "revenue"), (ADJUSTMENTS, "adjustments")):
        assert -gained[account] == await year.pico(name)
    assert sum(gained.values()) == await year.pico("wallets")


async def test_postings_of_transfers_contain_their_reference_and_note(year: Year) -> None:
    paid = [posting for posting in await one_by_one(year, month(0)) if posting.kind == "top-up"]
    assert (paid[0].user_name, paid[0].reference, paid[0].note) == (EVIL, "pi_()usr_ada 0;", "paid; =1+1 | 0")
    assert all(one.wallet_pico > 0 and one.account == CASH and one.requests == 0 for one in paid)


@pytest.mark.parametrize("user_id", [None, 1, 2])
@pytest.mark.parametrize("span", [EVER, month(1), Span(month(0).from_us, month(0).to_us - 1)])
async def test_posting_sums_equal_the_sums_of_the_rows(year: Year, span: Span, user_id: int | None) -> None:
    def place(posting: Posting) -> tuple[object, ...]:
        return posting.kind, posting.account, posting.user_id, posting.provider, posting.model

    def counted(postings: list[Posting]) -> Counter[tuple[object, ...]]:
        sums: Counter[tuple[object, ...]] = Counter()
        for posting in postings:
            for name in ("wallet_pico", "cost_pico", "requests", "input_tokens", "output_tokens"):
                sums[*place(posting), name] += getattr(posting, name)
        return sums

    summed = [
        posting async for portion in year.storage.reading().ledger.sums(span, user_id) for posting in portion.postings
    ]
    rows = await one_by_one(year, span, user_id)
    assert counted(summed) == counted(rows)
    assert all(span.from_us <= posting.id < span.to_us for posting in rows)
    assert {posting.user_id for posting in rows} <= {None: {"usr_ada", "usr_bob"}, 1: {"usr_ada"}, 2: {"usr_bob"}}[
        user_id
    ]


async def test_posting_sums_beyond_64_bits_are_exact(year: Year) -> None:
    connection = year.database.connect()
    most = 2**63 - 1
    for number in range(3):
        connection.execute(
            "INSERT INTO transfers (id, from_account, to_account, amount_pico, kind) VALUES (?, -1, 1, ?, 'top-up')",
            (WHOLE_YEAR.to_us + number, most),
        )
    connection.close()
    span = Span(WHOLE_YEAR.to_us, WHOLE_YEAR.to_us + 9)
    found = [one async for portion in year.storage.reading().ledger.sums(span, None) for one in portion.postings]
    assert sum(one.wallet_pico for one in found) == 3 * most


async def test_first_and_last_posted_return_the_ends_of_the_span(year: Year) -> None:
    ledger = year.storage.reading().ledger
    ids = [posting.id for posting in await one_by_one(year)]
    assert await ledger.first_posted(EVER) == ids[0] == 1
    assert await ledger.first_posted(month(1)) == next(number for number in ids if number >= month(1).from_us)
    assert await ledger.first_posted(month(7)) is None
    assert await ledger.last_posted() == ids[-1]
