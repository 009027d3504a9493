import pytest

from softix_proxy.domain.access.portal_section import checked_role_name


@pytest.mark.parametrize("name", ["admin", "support", "owner", "viewer"])
def test_role_of_operators_or_of_members_is_accepted(name: str) -> None:
    assert checked_role_name(name) == name


@pytest.mark.parametrize("name", ["", "Admin", "root"])
def test_other_role_is_refused(name: str) -> None:
    with pytest.raises(ValueError):
        checked_role_name(name)
