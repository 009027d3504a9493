import pytest

from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.accounts.oidc_section import OidcSection, checked_domain, checked_issuer, checked_role_rule


@pytest.mark.parametrize(
    "issuer",
    [
        "https://accounts.google.com",
        "https://login.example.org/realms/main/",
        "http://127.0.0.1:9/x",
        "http://localhost:9",
    ],
)
def test_issuer_over_tls_or_on_this_machine_is_accepted_as_it_is(issuer: str) -> None:
    assert checked_issuer(issuer) == issuer


@pytest.mark.parametrize(
    "issuer",
    [
        "",
        "login.example.org",
        "http://login.example.org",
        "https://login.example.org?x=1",
        "https://login.example.org#x",
        "https://ada@login.example.org",
        "ftp://login.example.org",
        "https://",
    ],
)
def test_other_issuer_is_refused(issuer: str) -> None:
    with pytest.raises(ValueError):
        checked_issuer(issuer)


def test_role_rule_is_split_at_its_last_equals_sign() -> None:
    assert checked_role_rule("cn=admins=admin") == ("cn=admins", OrganisationRole.ADMIN)


@pytest.mark.parametrize("rule", ["", "admin", "=admin", "admins=", "admins=root"])
def test_role_rule_of_another_form_is_refused(rule: str) -> None:
    with pytest.raises(ValueError):
        checked_role_rule(rule)


def test_domain_is_folded_and_an_address_is_none() -> None:
    assert checked_domain("Example.ORG") == "example.org"
    for text in ("", "ada@example.org", " example.org", "exämple.org"):
        with pytest.raises(ValueError):
            checked_domain(text)


def test_provider_is_set_up_with_an_issuer_and_a_client() -> None:
    assert not OidcSection().is_enabled
    assert not OidcSection(issuer="https://login.example.org").is_enabled
    assert OidcSection(issuer="https://login.example.org", client_id="softix").is_enabled
