from support.operators_pages import ADMIN, AUDITOR, BILLING, SUPPORT
from support.operators_side import OperatorsSide


async def test_overview_shows_totals_and_what_needs_attention(side: OperatorsSide) -> None:
    text = (await side.ask(ADMIN, "GET", "/admin")).text
    for part in ("All wallets", "1 message was given up", "1 proposed price waits", "Cash"):
        assert part in text


async def test_overview_shows_each_role_what_it_may_see(side: OperatorsSide) -> None:
    seen = {role: (await side.ask(role, "GET", "/admin")).text for role in (SUPPORT, BILLING, AUDITOR)}
    assert "Cash" not in seen[SUPPORT] and "Cash" in seen[BILLING] and "Cash" in seen[AUDITOR]
    assert "was given up" in seen[SUPPORT] and "was given up" not in seen[BILLING]
    assert "proposed price" not in seen[SUPPORT]


async def test_overview_of_an_empty_instance_needs_nothing_but_disk(empty_side: OperatorsSide) -> None:
    seen = await empty_side.ask(ADMIN, "GET", "/admin")
    assert seen.values is not None and seen.values["failing"] == [] and seen.values["users"] == 0
    assert {finding.check for finding in seen.values["findings"]} <= {"disk-space"}
