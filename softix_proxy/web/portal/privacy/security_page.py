"""The page on security, and `security.txt` (RFC 9116), which tells programs whom to tell of a hole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from softix_proxy.domain.accounts.public_url import PublicUrl, contact_uri
from softix_proxy.domain.core.clock import DAY_US, from_us
from softix_proxy.web.portal.core.error_pages import missing
from softix_proxy.web.portal.core.page import Answer, Content, Page, PageRequest

if TYPE_CHECKING:
    from softix_proxy.domain.accounts.portal_section import PortalSection

SECURITY, SECURITY_TXT = "/security", "/.well-known/security.txt"
_VALID_DAYS = 182
"""For how long the file may be believed. It is made anew at each request, so it never ends in the past."""
_PLAIN = "text/plain; charset=utf-8"


async def show(request: PageRequest) -> Answer:
    """Shows how to report a hole, what is stored for how long, and which protections hold here."""
    settings = request.settings
    contact = settings.portal.security_contact
    return Page(
        "security",
        {
            "contact": contact,
            "contact_uri": None if contact is None else contact_uri(contact),
            "policy": settings.portal.security_policy_url,
            "technical_days": settings.retention.technical_days,
            "is_https": request.url.is_https,
            "needs_factor": bool(settings.portal.second_factor_roles),
            "has_payments": settings.payments.enabled,
        },
    )


async def show_security_txt(request: PageRequest) -> Answer:
    """Answers with the file, or with 404 if the operator has named no contact: the file must have one."""
    portal = request.settings.portal
    if portal.security_contact is None:
        raise missing()
    return Content(security_txt(portal, portal.security_contact, request.url, request.now_us).encode(), _PLAIN)


def security_txt(portal: PortalSection, contact: str, url: PublicUrl, now_us: int) -> str:
    """Returns the file. Addresses of the portal itself are in it only if they begin with https, as the RFC demands."""
    today_us = now_us - now_us % DAY_US
    expires = from_us(today_us + _VALID_DAYS * DAY_US)
    lines = [f"Contact: {contact_uri(contact)}", f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}", "Preferred-Languages: en"]
    if url.is_https:
        lines.append(f"Canonical: {url.origin}{SECURITY_TXT}")
    if portal.security_policy_url is not None:
        lines.append(f"Policy: {portal.security_policy_url}")
    elif url.is_https:
        lines.append(f"Policy: {url.origin}{SECURITY}")
    return "\n".join(lines) + "\n"
