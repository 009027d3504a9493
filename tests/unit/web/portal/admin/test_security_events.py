import re

from support.operators_pages import AUDITOR
from support.operators_side import OperatorsSide

from softix_proxy.operations.accounts import security_events
from softix_proxy.web.portal.admin.listing import PER_PAGE


async def test_security_page_lists_events_of_all_or_of_one_account(side: OperatorsSide) -> None:
    for query in ({}, {"account": "acc_ada"}):
        text = (await side.ask(AUDITOR, "GET", "/admin/security-events", **query)).text
        assert "Role changed" in text and "Safari on iPhone" in text and "Ada Lovelace" in text
    assert (await side.ask(AUDITOR, "GET", "/admin/security-events", account="acc_none")).status == 404


async def test_security_page_leads_to_the_events_before_it(side: OperatorsSide) -> None:
    """A flood of newer events hides nothing."""
    async with side.storage.writing() as unit:
        [first, *_] = await unit.security_events.list(None, 1)
        for _ in range(2 * PER_PAGE):
            await security_events.record(unit, "sign_in_failed", first.account_id)
    for account in ("", "acc_ada"):
        query, pages = {"account": account}, []
        while True:
            pages.append((await side.ask(AUDITOR, "GET", "/admin/security-events", **query)).text)
            found = re.search(r"/admin/security-events\?[^\"]*before=(\d+)\" ?", pages[-1])
            if 'rel="next"' not in pages[-1] or found is None:
                break
            query["before"] = found[1]
        assert len(pages) == 3
        assert "Role changed" not in pages[0] + pages[1] and "Role changed" in pages[2]
