from __future__ import annotations

from collections.abc import Collection

import pytest

from softix_proxy.domain.access.roles import OperatorRoles, OrganisationRole
from softix_proxy.domain.accounts.accounts import Account, AccountStatus
from softix_proxy.domain.accounts.sessions import Session, SignInMethod
from softix_proxy.domain.organisations.organisations import Membership
from softix_proxy.web.portal.core.navigation import MenuItem, is_current, menu
from softix_proxy.web.portal.core.page import Viewer

ALL = ("/", "/keys", "/usage", "/billing", "/account", "/admin")


def viewer(member: OrganisationRole | None, role: str = "user") -> Viewer:
    account = Account(1, "acc_ada", "ada@example.org", "Ada", role, AccountStatus.ACTIVE, 1, 1)
    session = Session(1, "ses_a", 1, b"", SignInMethod.PASSWORD, False, False, "", 1, 1, 1, 2, 2)
    membership = None if member is None else Membership(1, 1, member, 1)
    return Viewer(account, session, (), membership)


@pytest.mark.parametrize(
    ("who", "shown"),
    [
        (viewer(OrganisationRole.OWNER), {"overview", "keys", "usage", "billing", "account"}),
        (viewer(OrganisationRole.VIEWER), {"overview", "keys", "usage", "account"}),
        (viewer(None), {"account"}),
        (viewer(None, "admin"), {"account", "admin"}),
        (viewer(None, "auditor"), {"account", "admin"}),
        (viewer(None, "taken-out"), {"account"}),
    ],
)
def test_menu_has_what_the_person_may_open(who: Viewer, shown: Collection[str]) -> None:
    assert {item.name for item in menu(who, ALL, OperatorRoles())} == shown


def test_menu_has_only_pages_that_exist() -> None:
    assert [item.name for item in menu(viewer(OrganisationRole.OWNER), ("/keys",), OperatorRoles())] == ["keys"]


def test_entry_of_a_page_below_it_is_the_current_one() -> None:
    keys, overview = MenuItem("keys", "/keys"), MenuItem("overview", "/")
    assert is_current(keys, "/keys")
    assert is_current(keys, "/keys/key_1")
    assert not is_current(keys, "/keyset")
    assert is_current(overview, "/")
    assert not is_current(overview, "/keys")
