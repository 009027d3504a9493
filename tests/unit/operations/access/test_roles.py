import pytest

from softix_proxy.domain.access.operations import OPERATIONS
from softix_proxy.domain.access.permissions import Permission
from softix_proxy.domain.access.roles import OPERATOR_ROLES, OperatorRoles
from softix_proxy.domain.core.errors import NotFoundError
from softix_proxy.operations.access import roles

OWN = OperatorRoles({"helpdesk": frozenset((Permission.KEYS_REVOKE,))})


def test_roles_of_operators_come_before_those_of_members_and_each_table_grows() -> None:
    listed = roles.list_all(OWN)
    names = [role.name for role in listed]
    assert names == [*OPERATOR_ROLES, "helpdesk", "viewer", "member", "billing", "admin", "owner"]
    assert [role.scope for role in listed] == ["instance"] * 7 + ["organisation"] * 5
    assert [role.name for role in listed if role.defined_by == "configuration"] == ["helpdesk"]


def test_role_is_found_in_its_scope() -> None:
    here = roles.find(OWN, "admin", in_organisation=True)
    everywhere = roles.find(OWN, "admin", in_organisation=False)
    assert here.permissions < everywhere.permissions
    with pytest.raises(NotFoundError):
        roles.find(OWN, "helpdesk", in_organisation=True)


def test_permissions_open_the_operations_of_the_table() -> None:
    opened = roles.permissions()
    assert roles.opened_by(OWN.permissions("helpdesk")) == opened["keys.revoke"] == ["keys.revoke"]
    free = {name for name, operation in OPERATIONS.items() if operation.permission is None}
    assert {name for names in opened.values() for name in names} == OPERATIONS.keys() - free
