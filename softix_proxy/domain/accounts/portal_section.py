"""The settings of the portal, where people help themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from softix_proxy.domain.access.roles import checked_role_word
from softix_proxy.domain.accounts.public_url import checked_api_url, checked_policy_url, contact_uri, parse_public_url
from softix_proxy.domain.core.config import setting


@dataclass(frozen=True, slots=True)
class PortalSection:
    """Sets where the portal listens, and who may register."""

    enabled: bool = setting(False, "Whether `softix serve` serves the portal as well, on its own port.", restart=True)
    host: str = setting("127.0.0.1", "The address to listen on for the portal.", restart=True)
    port: int = setting(8485, "The port of the portal. 0 takes a free one.", restart=True, least=0, most=65535)
    public_url: str | None = setting(
        None,
        "The address by which browsers reach the portal. All links have it, and no other host name is served.",
        restart=True,
        example="https://portal.example.org",
        item=parse_public_url,
        words="the https:// address of a site without a path (http:// only for localhost)",
    )
    api_url: str | None = setting(
        None,
        "The address by which programs reach the API, without /v1. The portal shows it to who connects a program. "
        "Without it, it shows where the API listens if the portal is on loopback, and else tells them to ask you.",
        item=checked_api_url,
        words="the address of a site without a path",
        example="https://api.example.org",
    )
    registration: Literal["closed", "invitation", "open"] = setting(
        "closed", "Who may register: nobody, people who were invited, or everybody."
    )
    max_connections: int = setting(512, "The most connections to the portal at once.", restart=True, least=1)
    session_idle_h: float = setting(24, "The hours after which a session ends that is not used.", least=0.1, most=8760)
    session_h: float = setting(336, "The hours after which every session ends.", least=0.1, most=8760)
    terms_url: str | None = setting(
        None,
        "The address of the terms that people accept who register.",
        example="https://example.org/terms/2026-11",
        item=checked_policy_url,
        words="an https:// address",
    )
    privacy_url: str | None = setting(
        None,
        "The address of the privacy policy that people accept who register.",
        example="https://example.org/privacy/2026-11",
        item=checked_policy_url,
        words="an https:// address",
    )
    security_contact: str | None = setting(
        None,
        "Whom to tell of a security hole: an e-mail or https:// address. It is in security.txt and on /security.",
        example="security@example.org",
        item=contact_uri,
        words="an e-mail address or an https:// address",
    )
    security_policy_url: str | None = setting(
        None,
        "The address of the policy on reports of security holes. Without it, security.txt names the page /security.",
        example="https://example.org/security-policy",
        item=checked_policy_url,
        words="an https:// address",
    )
    admin_api: bool = setting(
        True,
        "Whether the portal's port serves the admin API, below /admin/v1/. Each call needs an admin token.",
        restart=True,
    )
    second_factor_roles: tuple[str, ...] = setting(
        (),
        "The roles whose accounts need a second factor, of operators and of members: for example admin and owner.",
        item=checked_role_word,
    )

    @property
    def origin(self) -> str | None:
        """The address that links begin with, without a slash at its end. None without a public URL."""
        return None if self.public_url is None else parse_public_url(self.public_url).origin
