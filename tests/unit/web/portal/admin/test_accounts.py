import pytest
from support.operators_pages import ADMIN, AUDITOR
from support.operators_side import OperatorsSide

from softix_proxy.domain.access.users import UserRole


async def role_of(side: OperatorsSide, public_id: str) -> str:
    account = await side.storage.reading().accounts.find(public_id)
    assert account is not None
    return account.role


async def test_accounts_page_finds_by_name_email_and_id(side: OperatorsSide) -> None:
    for text in ("LOVELACE", "ada@example", "acc_ada"):
        assert "/admin/accounts/acc_ada" in (await side.ask(AUDITOR, "GET", "/admin/accounts", q=text)).text


async def test_account_page_shows_organisations_and_events(side: OperatorsSide) -> None:
    text = (await side.ask(AUDITOR, "GET", "/admin/accounts/acc_ada")).text
    assert "/admin/users/usr_ada" in text and "Role changed" in text and "192.0.2.7" in text


async def test_role_is_set_and_the_account_is_signed_out(side: OperatorsSide) -> None:
    side.clock.us = 90
    assert len(await side.storage.reading().sessions.list(1, 90)) == 1
    assert (await side.ask(ADMIN, "POST", "/admin/accounts/acc_ada/role", {"role": "billing"})).status == 303
    assert await role_of(side, "acc_ada") == UserRole.BILLING
    assert await side.storage.reading().sessions.list(1, 90) == []


async def test_own_role_and_own_status_are_never_changed(side: OperatorsSide) -> None:
    own = (await side.account(ADMIN)).public_id
    for form in ({"role": "user"}, {"role": "admin"}):
        assert (await side.ask(ADMIN, "POST", f"/admin/accounts/{own}/role", form)).status == 409
    assert (await side.ask(ADMIN, "POST", f"/admin/accounts/{own}/status", {"status": "disabled"})).status == 409
    assert await role_of(side, own) == ADMIN
    assert await side.storage.reading().audit.page(None, 9) == []


@pytest.mark.parametrize("role", ["", "owner", "ADMIN"])
async def test_role_that_does_not_exist_is_refused(side: OperatorsSide, role: str) -> None:
    assert (await side.ask(ADMIN, "POST", "/admin/accounts/acc_ada/role", {"role": role})).status == 400
    assert await role_of(side, "acc_ada") == AUDITOR
