from dataclasses import replace

import pytest

from softix_proxy.domain.access.identity import is_email
from softix_proxy.domain.access.users import UserRole
from softix_proxy.domain.accounts.accounts import Account, AccountStatus, folded_email, new_account

ADA = Account(
    id=1,
    public_id="acc_ada",
    email="ada@example.org",
    display_name="Ada",
    role=UserRole.USER,
    status=AccountStatus.ACTIVE,
    created_at_us=1,
    verified_at_us=2,
)


def test_account_signs_in_only_while_it_is_active_and_verified() -> None:
    assert ADA.can_sign_in
    assert not replace(ADA, verified_at_us=None).can_sign_in
    assert not replace(ADA, status=AccountStatus.DISABLED).can_sign_in


def test_new_account_has_an_id_of_its_own_and_cannot_sign_in_yet() -> None:
    made, other = new_account("ada@example.org", "Ada", 7), new_account("ada@example.org", "Ada", 7)
    assert made.public_id.startswith("acc_") and made.public_id != other.public_id
    assert (made.email, made.display_name, made.created_at_us) == ("ada@example.org", "Ada", 7)
    assert (made.role, made.status, made.age_attested_at_us) == (UserRole.USER, AccountStatus.ACTIVE, None)
    assert not made.can_sign_in
    assert new_account("a@example.org", "A", 7, role=UserRole.ADMIN, age_attested_at_us=8).age_attested_at_us == 8


def test_account_has_no_name_and_no_address_in_its_repr() -> None:
    assert "ada@" not in repr(ADA) and "'Ada'" not in repr(ADA)


@pytest.mark.parametrize(
    "other", ["mıke@example.org", "MİKE@example.org", "mike@example.ſtore", "mi\u212ae@example.org"]
)
def test_address_that_folds_into_another_one_by_unicode_is_no_usable_address(other: str) -> None:
    """CVE-2019-19844: `ı`.upper() is `I`, and the Kelvin sign lowers to `k`."""
    assert not is_email(other)


def test_usable_addresses_fold_by_their_ascii_letters_only() -> None:
    assert folded_email("Mike.O'Neil+x@EXAMPLE.ORG") == "mike.o'neil+x@example.org"
