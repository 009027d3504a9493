import secrets

import pytest

from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.access.users import UserRole
from softix_proxy.domain.accounts.accounts import Account, AccountStatus
from softix_proxy.domain.accounts.factors import Factors, Passkey, TotpFactor, needs_factor
from softix_proxy.domain.organisations.organisations import Membership

TOTP = TotpFactor(1, secrets.token_bytes(8), 7, 1)
PASSKEY = Passkey(1, "pky_a", 1, secrets.token_bytes(8), secrets.token_bytes(8), 0, "key", 1)
_OWN_ROLES = (OrganisationRole.BILLING, OrganisationRole.OWNER)


@pytest.mark.parametrize(
    ("factors", "asks"),
    [
        (Factors(None, (), 0), False),
        (Factors(None, (), 10), False),
        (Factors(TOTP, (), 0), True),
        (Factors(None, (PASSKEY,), 0), True),
    ],
    ids=["nothing", "codes alone", "an app", "a passkey"],
)
def test_app_or_passkey_is_a_second_factor_and_recovery_codes_alone_are_none(factors: Factors, asks: bool) -> None:
    assert factors.any is asks


def test_factors_show_no_secret_and_no_key() -> None:
    told = repr(Factors(TOTP, (PASSKEY,), 0))
    assert not any(repr(secret) in told for secret in (TOTP.sealed_secret, PASSKEY.credential_id, PASSKEY.public_key))


@pytest.mark.parametrize(
    ("roles", "needs"),
    [((), False), (("support",), True), (("billing",), True), (("viewer", "owner"), True), (("admin", "user"), False)],
)
def test_one_role_here_or_in_an_organisation_is_enough_to_need_a_factor(roles: tuple[str, ...], needs: bool) -> None:
    account = Account(1, "acc_a", "ada@example.org", "Ada", UserRole.SUPPORT, AccountStatus.ACTIVE, 1)
    members = [Membership(1, number, role, 1) for number, role in enumerate(_OWN_ROLES)]
    assert needs_factor(account, members, roles) is needs
