from importlib.resources import files

import pytest

from softix_proxy.domain.users import UserRole, UserStatus


@pytest.mark.parametrize("names", [UserRole, UserStatus])
def test_the_schema_knows_the_same_names(names: type[UserRole] | type[UserStatus]) -> None:
    schema = files("softix_proxy.storage").joinpath("schema/0001_foundation/up.sql").read_text()
    assert f"IN ({', '.join(repr(name.value) for name in names)})" in schema
