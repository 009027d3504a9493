from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.posted import ADA, BOB, CENT, MONTH, added_up, adjusted, paid, rows, written

from softix_proxy.domain.ledger.ledger import Posting
from softix_proxy.exports.ledger.cents import to_cents
from softix_proxy.exports.reporting.formats import FORMS

TABLES = ("quickbooks", "sage", "netsuite", "odoo")
QUICKBOOKS = FORMS["quickbooks"]


def cents_of(text: str, account: str) -> int:
    found = [row for row in rows(text) if row["Account Name"] == account]
    return sum(int(Decimal(row["Debits"] or "0") * 100) - int(Decimal(row["Credits"] or "0") * 100) for row in found)


def test_journal_table_entries_balance_and_are_numbered() -> None:
    [text] = written(QUICKBOOKS, MONTH, costs=True).values()
    entries: dict[str, int] = {}
    for row in rows(text):
        amount = int(Decimal(row["Debits"] or f"-{row['Credits']}") * 100)
        entries[row["Journal No."]] = entries.get(row["Journal No."], 0) + amount
    assert list(entries) == [f"SX261031-{number}" for number in range(1, len(entries) + 1)]
    assert set(entries.values()) == {0}


def test_journal_table_with_amounts_below_a_cent_carries_them_forward() -> None:
    small = [added_up(wallet_pico=-CENT * 4 // 10, id=added_up().id + day) for day in range(3)]
    [text] = written(QUICKBOOKS, small).values()
    assert [row["Debits"] for row in rows(text)] == ["0.01", ""]
    [text] = written(QUICKBOOKS, small[1:], known=small[:1]).values()
    assert [row["Debits"] for row in rows(text)] == ["0.01", ""]
    [text] = written(QUICKBOOKS, small[:1]).values()
    assert rows(text) == [] and text.startswith("Journal No.,")


PICO = st.integers(-(10**14), 10**14)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from([ADA, BOB]), PICO, PICO), max_size=60), st.integers(1, 12))
def test_journal_tables_of_single_months_add_up_to_the_year(
    moved: list[tuple[tuple[str, str], int, int]], months: int
) -> None:
    """Cut anywhere into exports of which each knows only the sums before it."""
    year: list[Posting] = []
    for user, used, given_pico in moved:
        year += [added_up(user, wallet_pico=-used, model=None), adjusted(user, wallet_pico=given_pico)]
    size = len(year) // months + 1
    texts = [
        text
        for start in range(0, len(year), size)
        for text in written(QUICKBOOKS, year[start : start + size], known=year[:start]).values()
    ]
    used_cents = {user: to_cents(sum(used for owner, used, _ in moved if owner == user)) for user in (ADA, BOB)}
    given_cents = {user: to_cents(sum(pico for owner, _, pico in moved if owner == user)) for user in (ADA, BOB)}
    assert sum(cents_of(text, "AI Usage Revenue") for text in texts) == -sum(used_cents.values())
    assert sum(cents_of(text, "Customer Adjustments") for text in texts) == sum(given_cents.values())
    assert sum(cents_of(text, "Customer Prepayments") for text in texts) == sum(used_cents.values()) - sum(
        given_cents.values()
    )


@pytest.mark.parametrize("form", TABLES)
def test_journal_table_with_any_name_has_complete_lines_and_no_formula(form: str) -> None:
    names = ("=1+1", "@x", "-y", 'a:b  c;=x, "q"\r\nz', "é🦊")
    [text] = written(FORMS[form], [paid((f"usr_{number}", name)) for number, name in enumerate(names)]).values()
    found = rows(text)
    assert len(found) == 2 * len(names)
    for row in found:
        assert None not in row and None not in row.values()
        assert not any(value.startswith(("=", "+", "-", "@")) for value in row.values())


@pytest.mark.parametrize("form", TABLES)
def test_journal_table_with_given_account_names_uses_them(form: str) -> None:
    [text] = written(FORMS[form], [paid()], names=["cash=4711", "wallets=0815"]).values()
    assert "4711" in text and "0815" in text and FORMS[form].names.defaults["cash"] not in text
