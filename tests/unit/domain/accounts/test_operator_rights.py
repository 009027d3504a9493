from dataclasses import replace

import pytest
from support.sources import ROOT

from softix_proxy.domain.access.users import UserRole
from softix_proxy.domain.accounts.accounts import Account, AccountStatus
from softix_proxy.domain.accounts.operator_rights import (
    NEEDS_RECENT_PROOF,
    OPERATOR_RIGHTS,
    OperatorRight,
    may_grant_roles,
    rights_of,
)

ACCOUNT = Account(1, "acc_ada", "ada@example.org", "Ada", UserRole.ADMIN, AccountStatus.ACTIVE, 1, verified_at_us=2)
SEEING = {right for right in OperatorRight if right.value.startswith("see_")}


def table() -> str:
    """The table of docs/admin.md, made from that of the code."""
    roles = [role for role in UserRole if role is not UserRole.USER]
    rows = [f"| right | {' | '.join(role.value for role in roles)} |", f"| --- |{' --- |' * len(roles)}"]
    for right in OperatorRight:
        cells = ["yes" if right in OPERATOR_RIGHTS[role] else "" for role in roles]
        proof = " (with a recent proof)" if right in NEEDS_RECENT_PROOF else ""
        rows.append(f"| {right.value.replace('_', ' ')}{proof} | {' | '.join(cells)} |")
    return "\n".join(row.replace("|  |", "| |").replace("|  |", "| |") for row in rows)


def test_every_role_has_its_rights() -> None:
    assert set(OPERATOR_RIGHTS) == set(UserRole)
    assert OPERATOR_RIGHTS[UserRole.USER] == frozenset()
    assert OPERATOR_RIGHTS[UserRole.AUDITOR] == SEEING
    assert OPERATOR_RIGHTS[UserRole.ADMIN] == set(OperatorRight)


def test_support_changes_no_amount_and_no_limit() -> None:
    changes = OPERATOR_RIGHTS[UserRole.SUPPORT] - SEEING
    assert changes == {OperatorRight.REVOKE_KEYS, OperatorRight.RETRY_MAIL}
    assert OPERATOR_RIGHTS[UserRole.SUPPORT] & SEEING == {
        OperatorRight.SEE_USERS,
        OperatorRight.SEE_KEYS,
        OperatorRight.SEE_USAGE,
        OperatorRight.SEE_MAIL,
    }


def test_billing_moves_money_and_prices_and_nothing_else() -> None:
    assert OPERATOR_RIGHTS[UserRole.BILLING] - SEEING == {OperatorRight.MOVE_MONEY, OperatorRight.CHANGE_PRICES}


def test_only_an_admin_grants_roles() -> None:
    assert [role for role, rights in OPERATOR_RIGHTS.items() if OperatorRight.GRANT_ROLES in rights] == [UserRole.ADMIN]


def test_money_and_rights_need_a_recent_proof_and_seeing_needs_none() -> None:
    assert {OperatorRight.MOVE_MONEY, OperatorRight.CHANGE_PRICES, OperatorRight.GRANT_ROLES} <= NEEDS_RECENT_PROOF
    assert not NEEDS_RECENT_PROOF & SEEING


@pytest.mark.parametrize("role", UserRole)
def test_account_that_cannot_sign_in_has_no_right(role: UserRole) -> None:
    account = replace(ACCOUNT, role=role)
    assert rights_of(account) == OPERATOR_RIGHTS[role]
    assert rights_of(replace(account, status=AccountStatus.DISABLED)) == frozenset()
    assert rights_of(replace(account, verified_at_us=None)) == frozenset()


def test_table_in_the_document_is_that_of_the_code() -> None:
    page = (ROOT / "docs" / "admin.md").read_text("utf-8")
    assert table() in page, f"put this into docs/admin.md:\n{table()}"


@pytest.mark.parametrize("role", UserRole)
def test_roles_are_granted_by_an_admin_who_can_sign_in(role: UserRole) -> None:
    account = replace(ACCOUNT, role=role)
    assert may_grant_roles(account) is (role is UserRole.ADMIN)
    assert not may_grant_roles(replace(account, status=AccountStatus.DISABLED))
    assert not may_grant_roles(replace(account, verified_at_us=None))
