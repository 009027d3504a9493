from importlib.resources import files

import pytest

from softix_proxy.domain.access.users import UserRole, UserStatus


@pytest.mark.parametrize("names", [UserRole, UserStatus])
def test_user_roles_and_statuses_are_those_of_the_database_schema(names: type[UserRole] | type[UserStatus]) -> None:
    schema = files("softix_proxy.storage.sqlite").joinpath("schema/0001_foundation/up.sql").read_text()
    assert f"IN ({', '.join(repr(name.value) for name in names)})" in schema
