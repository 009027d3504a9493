"""Each role × each page × each action under /admin, with the status that the goal asks for."""

from __future__ import annotations

import pytest
from support.one_of_each_person import write_audit
from support.operators_pages import ADMIN, AUDITOR, CASES, EVERYBODY, POSTING, USER
from support.operators_side import OperatorsSide

from softix_proxy.domain.access.permissions import READS, WITHOUT_PROOF
from softix_proxy.domain.access.roles import OPERATOR_ROLES
from softix_proxy.domain.core.ids import format_request_id
from softix_proxy.web.portal.admin.admin_page import SECTIONS
from softix_proxy.web.portal.admin.routes import PAGES
from softix_proxy.web.portal.core.page import Access

STRANGERS = [
    ("GET", "/admin/users/usr_none"),
    ("GET", "/admin/users/ada"),
    ("POST", "/admin/users/usr_none/balance/post"),
    ("GET", "/admin/keys/key_none"),
    ("GET", "/admin/keys/ci"),
    ("GET", f"/admin/usage/{format_request_id(999)}"),
    ("GET", "/admin/usage/1"),
    ("GET", "/admin/providers/prv_none"),
    ("GET", "/admin/providers/lab"),
    ("POST", "/admin/routes/rte_none/status"),
    ("GET", "/admin/documents/INV-99999.html"),
    ("GET", "/admin/documents/INV-00001.exe"),
    ("POST", "/admin/mail/msg_none/retry"),
    ("GET", "/admin/accounts/acc_none"),
    ("GET", "/admin/accounts/ada@example.org"),
    ("GET", "/admin/audit/7"),
    ("GET", "/admin/audit/x"),
    ("GET", "/admin/audit/" + "9" * 19),
]


def test_table_of_cases_has_every_page_and_action() -> None:
    assert {(page.method, page.pattern) for page in PAGES} == {(method, pattern) for method, pattern, _ in CASES}


@pytest.mark.parametrize("role", OPERATOR_ROLES)
@pytest.mark.parametrize(("method", "pattern", "path"), CASES)
async def test_page_for_a_role_has_the_status_of_the_table(
    side: OperatorsSide, role: str, method: str, pattern: str, path: str
) -> None:
    status, allowed, form = CASES[(method, pattern, path)]
    if path == "/admin/audit/1":
        async with side.storage.writing() as unit:
            await write_audit(unit)
    if "MESSAGE" in path:
        [given_up] = await side.storage.reading().outbox.list("given-up", 9)  # type: ignore[arg-type] # as it is stored
        path = path.replace("MESSAGE", given_up.public_id)
    seen = await side.ask(role, method, path, form)
    assert seen.status == (status if role in allowed else 404)
    entries = await side.storage.reading().audit.page(None, 9)
    written = [(entry.actor, entry.outcome) for entry in entries if entry.actor != "acc_ada"]
    if role in allowed:
        assert written == ([(f"acc_of_{role}", "done")] if status == 303 else [])
    else:
        assert written == ([(f"acc_of_{role}", "refused")] if role in EVERYBODY else [])


@pytest.mark.parametrize(("method", "path"), STRANGERS)
async def test_page_of_what_does_not_exist_or_is_named_otherwise_is_missing(
    side: OperatorsSide, method: str, path: str
) -> None:
    seen = await side.ask(ADMIN, method, path, {"status": "disabled", "sure": "yes", **POSTING})
    assert seen.status == 404
    assert await side.storage.reading().audit.page(None, 9) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.method} {page.pattern}")
def test_route_of_money_or_rights_demands_an_operator_and_a_recent_proof(page: object) -> None:
    route = page.route()  # type: ignore[attr-defined] # a page of the table
    permission = page.permission  # type: ignore[attr-defined] # likewise
    needs_proof = permission is not None and permission not in WITHOUT_PROOF
    assert route.access is (Access.OPERATOR_RECENT if needs_proof else Access.OPERATOR)
    assert route.access.is_for_operators and route.access.needs_recent_proof == needs_proof


def test_change_is_never_opened_by_a_permission_to_see() -> None:
    assert [page.pattern for page in PAGES if page.method == "POST" and page.permission in READS | {None}] == []
    assert OPERATOR_ROLES[AUDITOR] == READS


async def test_auditor_sees_no_form_and_no_button_of_a_change_on_any_page(side: OperatorsSide) -> None:
    for (method, _, path), (status, allowed, _form) in CASES.items():
        if method == "GET" and status == 200 and AUDITOR in allowed:
            text = (await side.ask(AUDITOR, method, path)).text
            assert text.count('method="post"') == text.count('action="/sign-out"'), path


async def test_disabled_or_unverified_account_with_a_role_finds_no_page(side: OperatorsSide) -> None:
    side.accounts[AUDITOR] = await side.storage.reading().accounts.get(1)
    assert (await side.ask(AUDITOR, "GET", "/admin")).status == 404


@pytest.mark.parametrize("role", OPERATOR_ROLES)
async def test_menu_has_exactly_the_pages_that_open(side: OperatorsSide, role: str) -> None:
    seen = await side.ask(role, "GET", "/admin")
    if role == USER:
        assert seen.status == 404
        return
    assert seen.values is not None
    opens = {
        path: allowed
        for (method, _, path), (_, allowed, _) in CASES.items()
        if method == "GET" and path.removeprefix("/admin").count("/") <= 1
    }
    assert opens.keys() == {section.path for section in SECTIONS}
    offered = {section.path for section in seen.values["menu"]} - {"/"}
    assert offered == {path for path, allowed in opens.items() if role in allowed}
    for path in offered:
        assert (await side.ask(role, "GET", path)).status == 200
