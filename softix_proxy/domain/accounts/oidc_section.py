"""The settings of sign-in at an organisation's OpenID provider."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.core.config import setting
from softix_proxy.domain.core.loopback import LOCAL_HOSTS


def checked_issuer(text: str) -> str:
    """Returns the issuer. Raises ValueError unless it is an https address, or an http one of this machine.

    Queries and fragments are forbidden (OpenID Connect Discovery 1.0, section 3).
    """
    parts = urlsplit(text)
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOCAL_HOSTS)
    if not is_safe or not parts.hostname or parts.query or parts.fragment or parts.username is not None:
        raise ValueError("not an issuer")
    return text


def checked_role_rule(text: str) -> tuple[str, OrganisationRole]:
    """Returns the value of the claim, and the role that it gives. Raises ValueError."""
    value, separator, role = text.rpartition("=")
    if not separator or not value:
        raise ValueError("not a rule")
    return value, OrganisationRole(role)


def checked_domain(text: str) -> str:
    """Returns the domain in small letters. Raises ValueError."""
    if not text or "@" in text or text != text.strip() or not text.isascii():
        raise ValueError("not a domain")
    return text.lower()


@dataclass(frozen=True, slots=True)
class OidcSection:
    """Lets people sign in at an OpenID provider, such as that of their organisation.

    Set its client secret with: softix oidc set-secret
    """

    issuer: str | None = setting(
        None,
        "The issuer of the provider, letter for letter as its own configuration has it.",
        example="https://login.example.org/realms/main",
        item=checked_issuer,
        words="an https address without a query",
    )
    client_id: str | None = setting(None, "The id under which the provider knows softix.", example="softix")
    scopes: tuple[str, ...] = setting(("openid", "email", "profile"), "The scopes that are asked for.")
    button: str = setting("Sign in with your organisation", "The text of the button on the page for sign-in.")
    verified_claim: str = setting(
        "email_verified", "The claim that says whether the person's address was verified. At Entra it is xms_edov."
    )
    create_accounts: bool = setting(False, "Whether people whom softix does not know get an account when they sign in.")
    allowed_domains: tuple[str, ...] = setting(
        (), "The domains of the addresses that may sign in. None means all of them.", item=checked_domain
    )
    organisation: str | None = setting(
        None, "The id of the organisation that people are members of.", example="usr_0123456789abcdef"
    )
    role_claim: str = setting("groups", "The claim that decides the role in the organisation.")
    roles: tuple[str, ...] = setting(
        (),
        "What gives a role, as value=role. The first that is in the claim applies, and without one nobody signs in.",
        item=checked_role_rule,
    )
    default_role: str = setting(
        "member",
        "The role in the organisation where `roles` is empty: owner, admin, billing, member or viewer.",
        item=OrganisationRole,
        words="one of owner, admin, billing, member and viewer",
    )

    @property
    def is_enabled(self) -> bool:
        return self.issuer is not None and self.client_id is not None

    @property
    def decides_who_gets_in(self) -> bool:
        """Whether not everybody gets in whom the provider knows."""
        return self.is_enabled and bool(self.roles or self.allowed_domains)
