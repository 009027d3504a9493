"""The whole URL table of the portal: the routes of all folders of pages."""

from __future__ import annotations

from collections.abc import Sequence

from softix_proxy.web.portal.abuse import routes as abuse
from softix_proxy.web.portal.access import routes as access
from softix_proxy.web.portal.admin import routes as admin
from softix_proxy.web.portal.billing import routes as billing
from softix_proxy.web.portal.core import static_files
from softix_proxy.web.portal.core.page import PortalRoute
from softix_proxy.web.portal.factors import routes as factors
from softix_proxy.web.portal.notices import routes as notices
from softix_proxy.web.portal.organisation import routes as organisation
from softix_proxy.web.portal.privacy import routes as privacy
from softix_proxy.web.portal.product import routes as product

ROUTES: Sequence[PortalRoute] = (
    *abuse.ROUTES,
    *access.ROUTES,
    *admin.ROUTES,
    *billing.ROUTES,
    *factors.ROUTES,
    *notices.ROUTES,
    *organisation.ROUTES,
    *privacy.ROUTES,
    *product.ROUTES,
    *static_files.ROUTES,
)
