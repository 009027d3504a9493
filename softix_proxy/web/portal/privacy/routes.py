"""The routes of what everybody may know of security."""

from __future__ import annotations

from collections.abc import Sequence

from softix_proxy.web.portal.core.page import Access, PortalRoute
from softix_proxy.web.portal.privacy import security_page

ROUTES: Sequence[PortalRoute] = (
    PortalRoute("GET", security_page.SECURITY, security_page.show, Access.PUBLIC, "page.show"),
    PortalRoute("GET", security_page.SECURITY_TXT, security_page.show_security_txt, Access.PUBLIC, "page.show"),
)
