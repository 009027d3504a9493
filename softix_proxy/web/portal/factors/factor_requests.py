"""What the pages of factors share: where a request comes from, and the site."""

from __future__ import annotations

from softix_proxy.domain.accounts.public_url import PublicUrl, parse_public_url
from softix_proxy.operations.accounts.factors import Origin
from softix_proxy.web.portal.core.page import PageRequest


def origin_of(request: PageRequest) -> Origin:
    return Origin(request.address, request.device)


def public_url_of(request: PageRequest) -> PublicUrl:
    """Returns the address of the portal. A portal that serves has one."""
    return parse_public_url(request.settings.portal.public_url or "")
