"""The routes of what a person is told."""

from __future__ import annotations

from collections.abc import Sequence

from softix_proxy.web.portal.core.page import Access, PortalRoute
from softix_proxy.web.portal.notices import own_notices

ROUTES: Sequence[PortalRoute] = (
    PortalRoute("GET", own_notices.NOTICES, own_notices.show, Access.SIGNED_IN, "account.show"),
    PortalRoute("POST", own_notices.NOTICES, own_notices.save, Access.SIGNED_IN, "account.set-notices"),
)
