"""The URL at which a code host reports leaked keys."""

from __future__ import annotations

from collections.abc import Sequence

from softix_proxy.web.portal.abuse import leaked
from softix_proxy.web.portal.core.page import Access, PortalRoute

ROUTES: Sequence[PortalRoute] = (PortalRoute("POST", "/leaked", leaked.receive_report, Access.PROGRAM, "abuse.report"),)
