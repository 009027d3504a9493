import pytest
from support.operators_pages import ADMIN, AUDITOR, BILLING, SUPPORT
from support.operators_side import OperatorsSide

from softix_proxy.operations.ledger import ledger


async def test_overview_shows_totals_and_what_needs_attention(side: OperatorsSide) -> None:
    text = (await side.ask(ADMIN, "GET", "/admin")).text
    for part in ("Owed to users", "1 message was given up", "1 proposed price waits", "Paid in"):
        assert part in text


async def test_overview_shows_each_role_what_it_may_see(side: OperatorsSide) -> None:
    seen = {role: (await side.ask(role, "GET", "/admin")).text for role in (SUPPORT, BILLING, AUDITOR)}
    assert "Paid in" not in seen[SUPPORT] and "Paid in" in seen[BILLING] and "Paid in" in seen[AUDITOR]
    assert "was given up" in seen[SUPPORT] and "was given up" not in seen[BILLING]
    assert "proposed price" not in seen[SUPPORT]


@pytest.mark.parametrize(("role", "shows"), [(ADMIN, True), (BILLING, True), (AUDITOR, True), (SUPPORT, False)])
async def test_overview_names_refunds_that_wait_to_those_who_see_money(
    side: OperatorsSide, role: str, shows: bool
) -> None:
    text = (await side.ask(role, "GET", "/admin")).text
    assert ('<a href="/admin/payments">1 refund waits for a decision</a>' in text) is shows


async def test_overview_shows_amounts_with_the_signs_that_people_expect(side: OperatorsSide) -> None:
    sums = {account.name: account.balance_pico for account in await ledger.accounts(side.storage)}
    assert sums["cash"] < 0, "in the books, what was paid in is on the left side"
    seen = await side.ask(BILLING, "GET", "/admin")
    assert seen.values is not None and seen.values["accounts"] == [
        ("paid_in", -sums["cash"]),
        ("charged", sums["revenue"]),
        ("granted", -sums["adjustments"]),
        ("owed", sums["wallets"]),
    ]
    for part in ("Paid in", "Charged", "Granted", "Owed to users"):
        assert part in seen.text


async def test_overview_of_an_empty_instance_needs_nothing_but_disk(empty_side: OperatorsSide) -> None:
    seen = await empty_side.ask(ADMIN, "GET", "/admin")
    assert seen.values is not None and seen.values["failing"] == [] and seen.values["users"] == 0
    assert {finding.check for finding in seen.values["findings"]} <= {"disk-space"}
