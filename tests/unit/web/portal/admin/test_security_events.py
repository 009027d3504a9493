from support.operators_pages import AUDITOR
from support.operators_side import OperatorsSide


async def test_security_page_lists_events_of_all_or_of_one_account(side: OperatorsSide) -> None:
    for query in ({}, {"account": "acc_ada"}):
        text = (await side.ask(AUDITOR, "GET", "/admin/security-events", **query)).text
        assert "Role changed" in text and "Safari on iPhone" in text and "Ada Lovelace" in text
    assert (await side.ask(AUDITOR, "GET", "/admin/security-events", account="acc_none")).status == 404
