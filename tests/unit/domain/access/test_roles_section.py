from __future__ import annotations

from pathlib import Path

import pytest

from softix_proxy import settings
from softix_proxy.domain.access.permissions import Permission
from softix_proxy.domain.access.roles import OPERATOR_ROLES, checked_role_word
from softix_proxy.domain.access.roles_section import RolesSection, checked_own_role
from softix_proxy.domain.core.errors import BadInputError


def test_roles_of_the_configuration_stand_beside_those_of_softix() -> None:
    table = RolesSection(own=("helpdesk=users.read keys.revoke",)).table.table
    assert table["helpdesk"] == {Permission.USERS_READ, Permission.KEYS_REVOKE}
    assert {name: own for name, own in table.items() if name != "helpdesk"} == OPERATOR_ROLES


@pytest.mark.parametrize(
    "text", ["helpdesk", "helpdesk=", "=users.read", "admin=users.read", "Help Desk=users.read", "x=users.fly"]
)
def test_what_is_no_role_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        checked_own_role(text)


def test_second_factor_of_a_role_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "config.toml"
    place.write_text('[portal]\nsecond_factor_roles = ["helpdesk"]\n')
    with pytest.raises(BadInputError, match="names a role that does not exist: helpdesk"):
        settings.load(place, tmp_path, {})
    place.write_text('[portal]\nsecond_factor_roles = ["helpdesk", "owner"]\n[roles]\nown = ["helpdesk=users.read"]\n')
    assert settings.load(place, tmp_path, {}).roles.table.permissions("helpdesk") == {Permission.USERS_READ}


@pytest.mark.parametrize("name", ["", "Admin", "1st", "a b", "x" * 41])
def test_what_is_no_word_for_a_role_is_refused(name: str) -> None:
    with pytest.raises(ValueError):
        checked_role_word(name)
