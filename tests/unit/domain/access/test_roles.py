from __future__ import annotations

import pytest
from support.sources import ROOT

from softix_proxy.domain.access.operations import OPERATIONS
from softix_proxy.domain.access.permissions import READS, WITHOUT_PROOF, Permission
from softix_proxy.domain.access.roles import (
    ADMIN,
    NO_GRANTER,
    NO_ROLE,
    OPERATOR_ROLES,
    ORGANISATION_ROLES,
    OWNER_OPERATOR,
    Granter,
    OperatorRoles,
    OrganisationRole,
    parse_permissions,
)
from softix_proxy.domain.core.errors import BadInputError, NotPermittedError

MONEY = {Permission.BALANCE_WRITE, Permission.PAYMENTS_WRITE, Permission.PRICES_WRITE, Permission.USAGE_WRITE}


def table(roles: dict[str, frozenset[Permission]]) -> str:
    """One table of docs/roles.md, made from that of the code."""
    rows = [f"| permission | {' | '.join(roles)} |", f"| --- |{' --- |' * len(roles)}"]
    for permission in Permission:
        cells = ["yes" if permission in own else "" for own in roles.values()]
        if any(cells):
            rows.append(f"| `{permission}` | {' | '.join(cells)} |")
    return "\n".join(" ".join(row.split()) for row in rows)


def test_tables_in_the_document_are_those_of_the_code() -> None:
    page = (ROOT / "docs" / "roles.md").read_text("utf-8")
    operators = {name: own for name, own in OPERATOR_ROLES.items() if own}
    members = {role.value: own for role, own in ORGANISATION_ROLES.items()}
    for expected in (table(operators), table(members)):
        assert expected in page, f"put this into docs/roles.md:\n{expected}"


def test_roles_of_operators_are_those_of_the_promise() -> None:
    assert list(OPERATOR_ROLES) == [NO_ROLE, "support", "billing", "auditor", ADMIN, OWNER_OPERATOR]
    assert OPERATOR_ROLES[NO_ROLE] == frozenset()
    assert OPERATOR_ROLES["auditor"] == READS == {each for each in Permission if each.value.endswith(".read")}
    assert OPERATOR_ROLES[OWNER_OPERATOR] == set(Permission)
    assert OPERATOR_ROLES[OWNER_OPERATOR] - OPERATOR_ROLES[ADMIN] == {Permission.INSTANCE_WRITE}


def test_support_changes_no_amount_and_no_limit() -> None:
    assert OPERATOR_ROLES["support"] - READS == {
        Permission.ABUSE_ACK,
        Permission.KEYS_REVOKE,
        Permission.MAIL_RETRY,
    }


def test_billing_moves_money_and_gives_no_access() -> None:
    changes = OPERATOR_ROLES["billing"] - READS
    assert changes >= MONEY
    assert changes - MONEY == {Permission.PERIODS_WRITE, Permission.EXPORTS_WRITE, Permission.BILLS_WRITE}


def test_roles_of_members_grow_from_viewer_to_owner() -> None:
    owner, admin, member, viewer = (
        ORGANISATION_ROLES[role]
        for role in (
            OrganisationRole.OWNER,
            OrganisationRole.ADMIN,
            OrganisationRole.MEMBER,
            OrganisationRole.VIEWER,
        )
    )
    assert viewer < member < admin < owner
    assert viewer <= READS and member - viewer == {Permission.KEYS_OWN}
    assert owner - admin == {Permission.ORGANISATIONS_OWN}
    assert viewer < ORGANISATION_ROLES[OrganisationRole.BILLING] < admin


def test_money_and_access_need_a_recent_proof_and_seeing_needs_none() -> None:
    assert not WITHOUT_PROOF & (MONEY | {Permission.ACCOUNTS_WRITE, Permission.KEYS_WRITE, Permission.TOKENS_WRITE})
    assert READS < WITHOUT_PROOF


def test_every_permission_opens_something() -> None:
    """But two: those of members of an organisation, which their pages ask for."""
    opened = {operation.permission for operation in OPERATIONS.values()}
    members_only = {Permission.KEYS_OWN, Permission.ORGANISATIONS_OWN}
    assert set(Permission) - opened == members_only


def test_role_of_the_configuration_has_its_permissions_and_a_former_one_has_none() -> None:
    roles = OperatorRoles({"helpdesk": parse_permissions("helpdesk", ["users.read", "keys.revoke"])})
    assert roles.permissions("helpdesk") == {Permission.USERS_READ, Permission.KEYS_REVOKE}
    assert roles.permissions("former") == frozenset()
    assert roles.require("helpdesk") == "helpdesk"
    with pytest.raises(BadInputError, match="no role 'former'"):
        roles.require("former")


def test_star_stands_for_all_that_see() -> None:
    assert parse_permissions("watcher", ["*.read", "keys.revoke"]) == READS | {Permission.KEYS_REVOKE}


@pytest.mark.parametrize(("role", "names"), [("admin", ["users.read"]), ("helpdesk", ["users.fly"])])
def test_role_that_exists_and_permission_that_does_not_are_refused(role: str, names: list[str]) -> None:
    with pytest.raises(BadInputError):
        parse_permissions(role, names)


def test_nobody_gives_more_than_they_have() -> None:
    Granter(permissions=OPERATOR_ROLES[ADMIN]).require(ADMIN, "auditor", NO_ROLE)
    with pytest.raises(NotPermittedError, match=r"instance\.write"):
        Granter(permissions=OPERATOR_ROLES[ADMIN]).require(OWNER_OPERATOR)
    NO_GRANTER.require(NO_ROLE)
    with pytest.raises(NotPermittedError):
        NO_GRANTER.require("support")
